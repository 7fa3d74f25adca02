//! What this slice asks of its neighbours: doctors, notices, orders, accounts, the message centre. One place, so that a change
//! of theirs is a change of one file here.

use super::{
    machine::State,
    notice::{self, InForce},
    rules::Channel,
    stored::Consultation,
    trouble::Trouble,
    view::Patient,
};
use crate::{
    accounts,
    catalogue::notices::{self, NoticeKind},
    db::Tx,
    doctors::{self, DoctorId},
    http::Problem,
    ledger::Fen,
    notifications::{self, Category},
    orders::{self, NewOrder, OrderState, RefundState, Stage},
    payments::RefundReason,
    state::App,
};
use chat::ids::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The doctor as his patient's consultation shows him.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DoctorLite {
    /// `DoctorCard.id`.
    pub id: Uuid,
    /// Of the person: what the socket speaks of.
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    pub name: String,
    pub avatar_url: Option<String>,
    pub title: String,
    pub title_label: String,
    pub department: DepartmentLite,
    pub hospital: String,
    pub online: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DepartmentLite {
    pub id: Uuid,
    pub name: String,
}

/// The order as its consultation shows it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrderLite {
    pub id: Uuid,
    pub order_no: String,
    /// `unpaid`, `paid`, `closed`.
    pub state: String,
    /// `RefundState`.
    pub refund_state: String,
    pub amount_fen: i64,
    /// The patient may ask for his money back now.
    pub refundable: bool,
}

pub async fn doctor(app: &App, id: DoctorId) -> Result<DoctorLite, Problem> {
    let card = doctors::find_card(app, id).await?.ok_or_else(Problem::not_found)?;
    Ok(DoctorLite {
        id: card.id.0,
        user_id: card.user_id,
        name: card.name,
        avatar_url: card.avatar_url,
        title: card.title.as_str().to_owned(),
        title_label: card.title_label.to_owned(),
        department: DepartmentLite { id: card.department.id.0, name: card.department.name },
        hospital: card.hospital,
        online: card.online,
    })
}

/// The caller has checked that the reader may know who it is.
pub async fn patient(app: &App, id: UserId, now: Timestamp) -> Result<Patient, Problem> {
    let person = accounts::find_person_unscoped(app, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Patient {
        id,
        name: person.name.unwrap_or_else(|| "未填写姓名".to_owned()),
        sex: person.sex.map(|sex| sex.as_str().to_owned()),
        age: person.birth_date.as_deref().and_then(|date| age(date, now)),
    })
}

fn age(birth_date: &str, now: Timestamp) -> Option<u32> {
    let born = time::Date::parse(birth_date, time::macros::format_description!("[year]-[month]-[day]")).ok()?;
    let today = super::intake::today(now);
    let had_birthday = (u8::from(today.month()), today.day()) >= (u8::from(born.month()), born.day());
    u32::try_from(today.year() - born.year() - i32::from(!had_birthday)).ok()
}

pub fn notices_in_force() -> Vec<InForce> {
    [
        (notice::SCOPE_NOTICE, NoticeKind::ScopeNotice),
        (notice::INFORMED_CONSENT, NoticeKind::InformedConsent),
        (notice::AV_NOTICE, NoticeKind::AvNotice),
    ]
    .into_iter()
    .map(|(kind, of)| {
        let current = notices::current(of);
        InForce { kind, version: current.version.to_owned(), text_hash: current.text_hash }
    })
    .collect()
}

pub async fn open_order(app: &App, tx: &mut Tx, it: &Consultation, title: &str) -> Result<(), Trouble> {
    let State::Created { pay_by } = it.state else { return Ok(()) };
    let amount = Fen::new(it.price_fen).map_err(|error| Trouble::Money(Box::new(error)))?;
    let new = NewOrder { patient: it.patient, consultation: it.id.0, title: title.to_owned(), amount, expires_at: pay_by };
    orders::open(app, tx, new).await?;
    Ok(())
}

pub async fn close_unpaid(app: &App, tx: &mut Tx, it: &Consultation) -> Result<(), Trouble> {
    orders::close_unpaid(app, tx, it.id.0, "consultation_cancelled").await?;
    Ok(())
}

/// What was captured goes back, for the reason its end gives.
pub async fn refund_in_full(app: &App, tx: &mut Tx, it: &Consultation) -> Result<(), Trouble> {
    let reason = match it.state {
        State::Rejected { .. } => RefundReason::Rejected,
        State::Expired { .. } => RefundReason::Expired,
        State::Terminated { .. } => RefundReason::Terminated,
        _ => RefundReason::BeforeAccept,
    };
    orders::refund_in_full(app, tx, it.id.0, reason).await.map_err(|error| Trouble::Money(Box::new(error)))
}

/// Tells the order how far the service is: the words people read and the refund policy hang on it.
pub async fn set_stage(tx: &mut Tx, it: &Consultation) -> Result<(), Trouble> {
    let stage = match &it.state {
        State::Created { .. } | State::PaidWaiting { .. } => Stage::Waiting,
        // Until the doctor has answered he has taken it up and served nothing; his promise runs (CON-06).
        State::InProgress { .. } | State::Ending { .. } => Stage::Serving,
        State::Ended { .. } | State::EndedNoRecord { .. } | State::Settled { .. } => Stage::Done,
        State::Terminated { .. } | State::Rejected { .. } | State::Cancelled { .. } | State::Expired { .. } => Stage::NotServed,
    };
    orders::set_stage(tx, it.id.0, stage).await?;
    Ok(())
}

pub async fn order_of(app: &App, it: &Consultation) -> Result<Option<OrderLite>, Problem> {
    if it.is_free() {
        return Ok(None);
    }
    let order = orders::of_consultation_unscoped(app, it.id.0).await?;
    Ok(order.map(|order| OrderLite {
        refundable: order.state == OrderState::Paid
            && matches!(order.refund_state, RefundState::None | RefundState::Denied)
            && matches!(order.stage, Stage::Waiting | Stage::NotServed),
        id: order.id.0,
        order_no: order.order_no,
        state: order.state.as_str().to_owned(),
        refund_state: order.refund_state.as_str().to_owned(),
        amount_fen: order.amount_fen.get(),
    }))
}

/// Money is asked back and nobody has decided, or it is on its way.
pub async fn is_disputed(app: &App, it: &Consultation) -> Result<bool, crate::db::DbError> {
    let order = orders::of_consultation_unscoped(app, it.id.0).await?;
    Ok(order.is_some_and(|order| matches!(order.refund_state, RefundState::Requested | RefundState::Processing | RefundState::Failed)))
}

pub async fn order_no(app: &App, it: &Consultation) -> Result<Option<String>, Problem> {
    Ok(order_of(app, it).await?.map(|order| order.order_no))
}

/// What somebody reads in his message centre (NTF-01, NTF-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    NewConsultation(Channel),
    Accepted,
    Rejected,
    CancelledByPatient,
    CancelledUnpaid,
    NotAccepted,
    NoReply,
    Missed,
    Terminated,
    RecordReady,
    WindowOver,
    RecordDue,
    RecordOverdue,
}

impl Told {
    fn words(self) -> (Category, &'static str, &'static str) {
        match self {
            Self::NewConsultation(Channel::Text) => (Category::Doctor, "新的图文问诊", "有患者发起了图文问诊，请及时接诊。"),
            Self::NewConsultation(Channel::Voice) => (Category::Doctor, "新的语音问诊", "有患者发起了语音问诊，请在 30 分钟内接诊。"),
            Self::NewConsultation(Channel::Video) => (Category::Doctor, "新的视频问诊", "有患者发起了视频问诊，请在 30 分钟内接诊。"),
            Self::Accepted => (Category::Doctor, "医生已接诊", "医生已接诊，可以开始交流。"),
            Self::Rejected => (Category::Doctor, "医生未接诊", "医生未能接诊，已说明原因，费用将全额退回。"),
            Self::CancelledByPatient => (Category::Doctor, "患者已取消", "患者在接诊前取消了问诊。"),
            Self::CancelledUnpaid => (Category::Order, "问诊已取消", "问诊未支付，已取消。"),
            Self::NotAccepted => (Category::Doctor, "医生未及时接诊", "医生未在承诺时间内接诊，费用将全额退回。"),
            Self::NoReply => (Category::Doctor, "医生未及时回复", "医生未在承诺时间内回复，费用将全额退回。"),
            Self::Missed => (Category::Doctor, "问诊已超时", "有一个问诊超过承诺时间，已退款给患者。"),
            Self::Terminated => (Category::Doctor, "问诊已终止", "医生已终止线上问诊，请按提示前往线下就诊，费用将全额退回。"),
            Self::RecordReady => (Category::Doctor, "病历已完成", "医生已完成病历，可以查看、下载和评价。"),
            Self::WindowOver => (Category::Doctor, "问诊已结束", "问诊时间已到，医生将补充病历。"),
            Self::RecordDue => (Category::Doctor, "请完善病历", "问诊已结束，请在 24 小时内完成病历。"),
            Self::RecordOverdue => (Category::Doctor, "病历已逾期", "病历超过 24 小时未完成，请尽快补充。"),
        }
    }
}

pub async fn notify(app: &App, tx: &mut Tx, user: UserId, told: Told, it: &Consultation) -> Result<(), Trouble> {
    let (category, title, text) = told.words();
    let new = notifications::New { user, category, title, text, link: Some(("consultation", it.id.0)) };
    notifications::notify(app, tx, new).await.map_err(Trouble::Neighbour)
}
