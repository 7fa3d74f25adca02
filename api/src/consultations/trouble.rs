//! Why an operation on a consultation, its record or its review did not happen, and what a person reads then.

use super::{machine::Refused, notice::ConsentFlaw, stored::SealedError};
use crate::{
    db::DbError,
    http::{Code, Problem, codes},
    outbox::HandlerError,
};
use chat::log::LogError;

/// The words of this slice; stable for ever.
pub mod words {
    use crate::http::Code;

    pub const WRONG_STATE: Code = Code::new(409, "wrong_state", "问诊当前状态不允许此操作");
    pub const REASON_MISSING: Code = Code::new(422, "reason_missing", "请填写原因");
    pub const PROOF_MISSING: Code = Code::new(422, "proof_missing", "复诊需要上传既往诊断证明");
    pub const CONDITIONS_NOT_MET: Code = Code::new(409, "return_visit_conditions_not_met", "需由医生确认符合复诊条件后才能接诊");
    pub const RECORD_INCOMPLETE: Code = Code::new(409, "record_incomplete", "病历尚未填写完整，不能结束问诊");
    pub const TOO_EARLY: Code = Code::new(409, "too_early", "还没有到时间");
    pub const PAYMENT_TOO_LATE: Code = Code::new(409, "payment_too_late", "已超过支付时间");
    pub const CONSENT_REQUIRED: Code = Code::new(409, "consent_required", "请先阅读并同意相关告知");
    pub const CONSENT_OUTDATED: Code = Code::new(409, "consent_outdated", "告知内容已更新，请重新阅读并同意");
    pub const RED_FLAG: Code = Code::new(409, "red_flag", "您描述的情况可能属于急症，请立即拨打 120 或前往急诊");
    pub const OWN_CONSULTATION: Code = Code::new(409, "own_consultation", "不能向自己发起问诊");
    pub const NOT_ACCEPTING: Code = Code::new(409, "doctor_not_accepting", "该医生当前不接诊");
    pub const NOT_OFFERED: Code = Code::new(409, "not_offered", "该医生未开通此类问诊");
    pub const PRICE_CHANGED: Code = Code::new(409, "price_changed", "价格已变动，请确认后重新提交");
    pub const DOCTOR_FULL: Code = Code::new(409, "doctor_full", "进行中的问诊已达上限，请先结束一部分");
    pub const NO_FOLLOW_UP_LEFT: Code = Code::new(409, "no_follow_up_left", "免费追问次数已用完，请重新发起问诊");
    pub const FOLLOW_UP_TOO_LATE: Code = Code::new(409, "follow_up_too_late", "已超过免费追问期限，请重新发起问诊");
    pub const RECORD_SIGNED: Code = Code::new(409, "record_signed", "病历已签署，不能修改");
    pub const ALREADY_REVIEWED: Code = Code::new(409, "already_reviewed", "已经评价过了");
    pub const REVIEW_TOO_LATE: Code = Code::new(409, "review_too_late", "已超过评价期限");
    pub const NO_CALLS: Code = Code::new(409, "no_calls", "该问诊不包含音视频通话");
}

#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the state machine: {0}")]
    Refused(#[from] Refused),
    /// Another request moved the object between our read and our write.
    #[error("somebody else moved it meanwhile")]
    Moved,
    #[error("refused: {}", .0.code)]
    Word(Code),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Sealed(#[from] SealedError),
    #[error("the conversation log")]
    Log(#[from] LogError),
    #[error("the order")]
    Money(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("a neighbouring slice refused: {}", .0.code.code)]
    Neighbour(Problem),
}

impl From<Code> for Trouble {
    fn from(code: Code) -> Self {
        Self::Word(code)
    }
}

impl From<crate::keys::KeyError> for Trouble {
    fn from(error: crate::keys::KeyError) -> Self {
        Self::Sealed(error.into())
    }
}

impl From<ConsentFlaw> for Problem {
    fn from(flaw: ConsentFlaw) -> Self {
        match flaw {
            ConsentFlaw::Missing(kind) => Self::new(words::CONSENT_REQUIRED).detail(kind),
            ConsentFlaw::Outdated(kind) => Self::new(words::CONSENT_OUTDATED).detail(kind),
        }
    }
}

fn word(refused: Refused) -> Code {
    match refused {
        Refused::WrongState => words::WRONG_STATE,
        Refused::ReasonMissing => words::REASON_MISSING,
        Refused::ProofMissing => words::PROOF_MISSING,
        Refused::ConditionsNotMet => words::CONDITIONS_NOT_MET,
        Refused::RecordIncomplete => words::RECORD_INCOMPLETE,
        Refused::TooEarly => words::TOO_EARLY,
        Refused::PaymentTooLate => words::PAYMENT_TOO_LATE,
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(refused) => word(refused).into(),
            Trouble::Moved => codes::VERSION_CONFLICT.into(),
            Trouble::Word(code) => code.into(),
            Trouble::Db(error) => error.into(),
            Trouble::Sealed(error) => error.into(),
            Trouble::Log(error) if error.temporary() => codes::UNAVAILABLE.into(),
            Trouble::Log(error) => Self::internal(&error),
            Trouble::Money(ref error) => {
                let error: &(dyn std::error::Error + 'static) = error.as_ref();
                Self::internal(error)
            }
            Trouble::Neighbour(problem) => problem,
        }
    }
}

/// In an outbox or timer handler everything is worth another try: the object may have moved on, the disk may have room again.
impl From<Trouble> for HandlerError {
    fn from(trouble: Trouble) -> Self {
        Self::temporary(&trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D.11-13: the machine's code is the code on the wire.
    #[test]
    fn d_11_13_every_refusal_keeps_its_code() {
        let all = [
            Refused::WrongState,
            Refused::ReasonMissing,
            Refused::ProofMissing,
            Refused::ConditionsNotMet,
            Refused::RecordIncomplete,
            Refused::TooEarly,
            Refused::PaymentTooLate,
        ];
        for refused in all {
            assert_eq!(word(refused).code, refused.code());
        }
    }
}
