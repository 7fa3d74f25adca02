//! The numbers and words a consultation lives by: promises, windows, quotas, termination reasons (DOMAIN D.1, D.13).
//!
//! Owns the defaults and nothing else; the machine reads them, the configuration may replace them. Durations are
//! milliseconds, counted from server time.

use crate::text_enum;
use chat::ids::Timestamp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

text_enum! {
    /// Advice carries an impression, never a diagnosis; a return visit continues an earlier diagnosis.
    pub enum Kind {
        /// 健康咨询
        Advice = "advice",
        /// 复诊
        ReturnVisit = "return_visit",
    }
}

text_enum! {
    /// How the two of them talk (CON-01). Pictures and voice messages belong to every channel.
    pub enum Channel { Text = "text", Voice = "voice", Video = "video" }
}

text_enum! {
    /// Why a doctor may break off online care (REG-05).
    pub enum TerminateReason {
        ConditionChanged = "condition_changed",
        FirstVisit = "first_visit",
        OnlineUnsuitable = "online_unsuitable",
        Emergency = "emergency",
        PatientUnreachable = "patient_unreachable",
    }
}

/// Goes into the history row of a termination, so that a later list does not change what was said.
pub const TERMINATE_REASONS_VERSION: u32 = 1;

impl TerminateReason {
    /// What the patient reads in the conversation before it closes: where to go now.
    pub fn guidance(self) -> &'static str {
        match self {
            Self::Emergency => "您的情况可能危急,请立即拨打 120 或前往最近医院的急诊科就诊。本次线上问诊已终止。",
            Self::ConditionChanged => "医生判断您的病情已有变化,不适合继续线上诊疗,请尽快到线下医疗机构就诊。",
            Self::FirstVisit => "医生判断本次属于首诊,按规定不能在线上进行,请到线下医疗机构完成首诊。",
            Self::OnlineUnsuitable => "医生判断您的情况不适合线上诊疗,请到线下医疗机构面诊并做必要检查。",
            Self::PatientUnreachable => "因长时间无法与您取得联系,本次问诊已终止。如仍有不适,请到线下医疗机构就诊或重新发起问诊。",
        }
    }
}

/// Defaults of D.13; one value per installation until tenants have settings of their own.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    pub pay_within_ms: i64,
    pub accept_text_within_ms: i64,
    pub accept_av_within_ms: i64,
    pub first_reply_within_ms: i64,
    pub window_ms: i64,
    pub record_within_ms: i64,
    pub review_within_ms: i64,
    pub settle_after_ms: i64,
    pub follow_ups_free: u32,
    pub follow_up_within_ms: i64,
    /// Conversations a doctor may have in progress at once.
    pub doctor_in_progress_max: i64,
    /// Reviews of a doctor are held back until so many wait in the period, so that timing names nobody. 1 = off.
    pub reviews_shown_from: i64,
    pub review_period_ms: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            pay_within_ms: 15 * MINUTE_MS,
            accept_text_within_ms: 24 * HOUR_MS,
            accept_av_within_ms: 30 * MINUTE_MS,
            first_reply_within_ms: 24 * HOUR_MS,
            window_ms: 48 * HOUR_MS,
            record_within_ms: 24 * HOUR_MS,
            review_within_ms: 14 * DAY_MS,
            settle_after_ms: 7 * DAY_MS,
            follow_ups_free: 2,
            follow_up_within_ms: 30 * DAY_MS,
            doctor_in_progress_max: 50,
            reviews_shown_from: 3,
            review_period_ms: 30 * DAY_MS,
        }
    }
}

impl Rules {
    pub fn accept_by(&self, channel: Channel, paid_at: Timestamp) -> Timestamp {
        paid_at.plus_ms(match channel {
            Channel::Text => self.accept_text_within_ms,
            Channel::Voice | Channel::Video => self.accept_av_within_ms,
        })
    }
}
