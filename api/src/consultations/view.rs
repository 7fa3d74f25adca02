//! A consultation as the API shows it: to its patient and to its doctor, nobody else.

use super::{
    can::{self, Around, Can},
    intake::{Intake, Proof},
    machine::{Reply, State},
    neighbours::{self, DoctorLite, OrderLite},
    notice, queries,
    rules::{Channel, Kind, TerminateReason},
    stored::{Consultation, ConsultationId},
    talk::{self, Talk},
};
use crate::{authz::Actor, http::Problem, records, reviews, state::App};
use chat::ids::{ConversationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Consultation)]
pub struct View {
    #[schema(value_type = Uuid)]
    pub id: ConsultationId,
    /// A free follow-up has none.
    pub order_no: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    pub parent_id: Option<ConsultationId>,
    pub kind: Kind,
    pub channel: Channel,
    /// `created`, `paid_waiting`, `in_progress`, `ending`, `ended`, `ended_no_record`, `terminated`, `rejected`, `cancelled`,
    /// `expired`, `settled`.
    pub state: String,
    pub state_label: String,
    pub version: i64,
    /// Once it exists and the one who asks is a member: the patient shortly after payment, the doctor after accepting. When it comes
    /// into being both are told `changed`.
    #[schema(value_type = Option<Uuid>)]
    pub conversation_id: Option<ConversationId>,
    pub patient: Patient,
    pub doctor: DoctorLite,
    pub intake: Intake,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    pub price_fen: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderLite>,
    #[schema(value_type = i64)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<i64>)]
    pub pay_deadline_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    pub paid_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    pub accept_deadline_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    pub accepted_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    pub first_reply_deadline_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    pub window_ends_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    pub record_due_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    pub ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminate_reason: Option<Terminated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordLite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<reviews::OwnReview>,
    /// Voice and video only: who has accepted the notice (CON-08).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub av_consent: Option<AvConsent>,
    pub can: Can,
    pub follow_ups_left: u32,
}

/// A consultation as a list shows it: with what happened in its conversation lately.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ConsultationInList)]
pub struct Line {
    #[serde(flatten)]
    pub view: View,
    #[serde(flatten)]
    pub talk: Talk,
}

#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Patient {
    #[schema(value_type = Uuid)]
    pub id: UserId,
    pub name: String,
    /// `male`, `female`, `unknown`; absent when never given.
    pub sex: Option<String>,
    /// Full years on the day of asking.
    pub age: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Terminated {
    pub code: TerminateReason,
    pub detail: String,
    pub guidance: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecordLite {
    /// The consultation's id: it has one record.
    pub id: Uuid,
    #[schema(value_type = i64)]
    pub completed_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct AvConsent {
    pub patient: bool,
    pub doctor: bool,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "View({} {} ***)", self.id, self.state)
    }
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Patient({} ***)", self.id)
    }
}

/// The whole consultation for one of its two people.
pub async fn show(app: &App, actor: &Actor, it: &Consultation) -> Result<View, Problem> {
    let now = app.clock.now();
    let is_patient = actor.user == it.patient;
    let order = neighbours::order_of(app, it).await?;
    let review = if is_patient { reviews::own(&app.db, it.id).await? } else { None };
    let follow_ups_left = if is_patient { follow_ups_left(app, it, now).await? } else { 0 };
    let refundable = order.as_ref().is_some_and(|order| order.refundable);
    let around = Around { reviewed: review.is_some(), follow_ups_left, refundable };
    let reason = it.reason(&app.keys).await.map_err(super::trouble::Trouble::from)?;
    let visit = it.state.visit();
    Ok(View {
        id: it.id,
        order_no: order.as_ref().map(|order| order.order_no.clone()),
        parent_id: it.parent,
        kind: it.kind,
        channel: it.channel,
        state: it.state.word().to_owned(),
        state_label: can::label(it).to_owned(),
        version: it.version,
        conversation_id: conversation_of(app, actor, it).await?,
        patient: neighbours::patient(app, it.patient, now).await?,
        doctor: neighbours::doctor(app, it.doctor).await?,
        intake: it.intake(&app.keys).await?,
        proof: it.proof(&app.keys).await?,
        price_fen: it.price_fen,
        order,
        created_at: it.created_at,
        pay_deadline_at: if let State::Created { pay_by } = it.state { Some(pay_by) } else { None },
        paid_at: it.paid_at,
        accept_deadline_at: if let State::PaidWaiting { accept_by, .. } = it.state { Some(accept_by) } else { None },
        accepted_at: it.accepted_at,
        first_reply_deadline_at: visit.and_then(|visit| if let Reply::DueBy(by) = visit.reply { Some(by) } else { None }),
        window_ends_at: visit.map(|visit| visit.window_ends_at),
        record_due_at: if let State::EndedNoRecord { record_due_at, .. } = it.state { record_due_at } else { None },
        ended_at: it.state.over_at(),
        reject_reason: reason.clone().filter(|_| matches!(it.state, State::Rejected { .. })),
        terminate_reason: match it.state {
            State::Terminated { reason: code, .. } => {
                Some(Terminated { code, detail: reason.unwrap_or_default(), guidance: code.guidance().to_owned() })
            }
            _ => None,
        },
        record: records::completed_at(&app.db, it.id).await?.map(|completed_at| RecordLite { id: it.id.0, completed_at }),
        review,
        av_consent: av_consent(app, it).await?,
        can: can::can(&app.config, it, actor.user, around, now),
        follow_ups_left,
    })
}

/// SQL knows the id before the log knows the conversation, and the acceptance before the doctor's membership. In between the id would
/// only be good for refusals.
async fn conversation_of(app: &App, actor: &Actor, it: &Consultation) -> Result<Option<ConversationId>, Problem> {
    if it.paid_at.is_none() {
        return Ok(None);
    }
    let head = app.log.head(it.conversation).await.map_err(super::trouble::Trouble::from)?;
    let is_member = head.is_some_and(|head| head.members.iter().any(|member| member.user == actor.user));
    Ok(is_member.then_some(it.conversation))
}

/// A line of a list: the same, with the newest of the conversation.
pub async fn show_in_list(app: &App, actor: &Actor, it: &Consultation) -> Result<Line, Problem> {
    let view = show(app, actor, it).await?;
    let talk = talk::newest(app, actor.user, it, &view.intake).await?;
    Ok(Line { view, talk })
}

async fn follow_ups_left(app: &App, it: &Consultation, now: Timestamp) -> Result<u32, Problem> {
    let rules = &app.config.consultations;
    if can::follow_up_until(it, rules.follow_up_within_ms).is_none_or(|until| now >= until) {
        return Ok(0);
    }
    let used = u32::try_from(queries::follow_ups_used_by(&app.db, it.id).await?).unwrap_or(u32::MAX);
    Ok(rules.follow_ups_free.saturating_sub(used))
}

async fn av_consent(app: &App, it: &Consultation) -> Result<Option<AvConsent>, Problem> {
    if it.channel == Channel::Text {
        return Ok(None);
    }
    let consents = queries::consents(&app.db, it.id).await?;
    let by = |user| consents.iter().any(|given| given.kind == notice::AV_NOTICE && given.user == user);
    Ok(Some(AvConsent { patient: by(it.patient), doctor: by(it.doctor_user) }))
}
