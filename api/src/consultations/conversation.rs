//! Makes the conversation log agree with the consultation in SQL: created, joined, consents, closed.
//!
//! Level-triggered: it looks at what SQL says now, not at what happened, so it may run twice, late, or after a crash
//! between any two of its appends. Every entry has an id derived from the fact it records; the log finds repeats by it.

use super::{
    machine::{Expiry, State},
    notice::{self, Given},
    queries,
    stored::{Consultation, ConsultationId},
    trouble::Trouble,
};
use crate::{failpoint, state::App};
use chat::{
    ids::{MessageId, UserId},
    log::{
        Draft, Guard, LogError, NewConversation, Refusal,
        head::{ConversationState, Member, RetentionClass},
    },
    wire::{self, body::Kind as Body, consultation_change::State as Talk, membership::Change},
};
use sha2::{Digest, Sha256};

/// Brings the log up to what `it` says. The seq of the `closed` entry, once there is one.
pub async fn converge(app: &App, it: &Consultation) -> Result<Option<u64>, Trouble> {
    if it.paid_at.is_none() {
        return Ok(None);
    }
    let consents = queries::consents(&app.db, it.id).await?;
    let head = match app.log.head(it.conversation).await? {
        Some(head) => head,
        None => {
            failpoint::reach("opening.before_log").await;
            let head = app.log.create(new_conversation(it, &consents)).await?;
            failpoint::reach("opening.after_log").await;
            head
        }
    };
    if it.accepted_at.is_some() && head.state == ConversationState::Waiting {
        open(app, it).await?;
    }
    if head.state != ConversationState::Closed {
        append_av_consents(app, it, &consents).await?;
    }
    match closing(it) {
        Some((word, guidance)) => close(app, it, word, guidance).await.map(Some),
        None => Ok(None),
    }
}

fn new_conversation(it: &Consultation, consents: &[Given]) -> NewConversation {
    let mut first = vec![server(it.id, "waiting", change(it, Talk::Waiting, "paid", ""))];
    first.extend(consents.iter().filter(|given| given.kind != notice::AV_NOTICE).map(|given| consent_draft(it, given)));
    first.push(server(it.id, "intake", Body::Card(card("intake", it.id))));
    NewConversation {
        id: it.conversation,
        tenant: it.tenant,
        subject: it.patient,
        members: vec![Member { user: it.patient, role: wire::SenderRole::Patient, visible_from: 1, left_at: None }],
        state: ConversationState::Waiting,
        retention: RetentionClass::Consultation,
        first,
    }
}

/// The doctor joins and may read everything from the first entry on; both may speak.
async fn open(app: &App, it: &Consultation) -> Result<(), Trouble> {
    let joined = Body::Membership(wire::Membership {
        user: it.doctor_user.to_string(),
        role: wire::SenderRole::Doctor.into(),
        change: Change::Joined.into(),
        visible_from: 1,
    });
    let drafts = vec![server(it.id, "joined", joined), server(it.id, "open", change(it, Talk::Open, "accepted", ""))];
    match app.log.append(it.conversation, drafts, vec![Guard::StateIs(ConversationState::Waiting)]).await {
        // Another handler was quicker.
        Ok(_) | Err(LogError::Refused(Refusal::WrongState)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// CON-08: given after the conversation began, by both.
async fn append_av_consents(app: &App, it: &Consultation, consents: &[Given]) -> Result<(), Trouble> {
    let drafts: Vec<Draft> =
        consents.iter().filter(|given| given.kind == notice::AV_NOTICE).map(|given| consent_draft(it, given)).collect();
    if drafts.is_empty() {
        return Ok(());
    }
    match app.log.append(it.conversation, drafts, vec![Guard::NotClosed]).await {
        Ok(_) | Err(LogError::Refused(Refusal::Closed)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Why it closes, in a word, and what a terminated patient is told to do (REG-05).
fn closing(it: &Consultation) -> Option<(&'static str, Option<&'static str>)> {
    Some(match &it.state {
        State::Ending { .. } | State::Ended { .. } | State::EndedNoRecord { .. } | State::Settled { .. } => ("ended", None),
        State::Terminated { reason, .. } => ("terminated", Some(reason.guidance())),
        State::Rejected { .. } => ("rejected", None),
        State::Cancelled { .. } => ("cancelled", None),
        State::Expired { cause: Expiry::NotAccepted, .. } => ("expired", None),
        State::Expired { cause: Expiry::NoReply, .. } => ("no_reply", None),
        State::Created { .. } | State::PaidWaiting { .. } | State::InProgress { .. } => return None,
    })
}

/// Exactly one `closed` entry: the guard lets one through, a repeat finds its own.
async fn close(app: &App, it: &Consultation, word: &'static str, guidance: Option<&str>) -> Result<u64, Trouble> {
    app.calls.close_conversation_calls(it.conversation).await;
    let reason = it.reason(&app.keys).await?.unwrap_or_default();
    let mut drafts = Vec::new();
    if let Some(text) = guidance {
        let notice = wire::Notice { code: "offline_guidance".into(), text: text.into() };
        drafts.push(server(it.id, "guidance", Body::Notice(notice)));
    }
    if word == "ended" {
        drafts.push(server(it.id, "review_invitation", Body::Card(card("review_invitation", it.id))));
    }
    drafts.push(server(it.id, "closed", change(it, Talk::Closed, word, &reason)));
    failpoint::reach("closing.before_log").await;
    let outcome = app.log.append(it.conversation, drafts, vec![Guard::NotClosed]).await?;
    failpoint::reach("closing.after_log").await;
    Ok(outcome.entries.last().map_or(outcome.head.seq, |closed| closed.seq))
}

fn change(it: &Consultation, state: Talk, reason: &str, detail: &str) -> Body {
    Body::Consultation(wire::ConsultationChange {
        consultation: it.id.to_string(),
        state: state.into(),
        reason: reason.into(),
        detail: detail.into(),
    })
}

fn card(object: &str, id: ConsultationId) -> wire::Card {
    wire::Card { object: object.into(), object_id: id.to_string(), title: String::new() }
}

fn consent_draft(it: &Consultation, given: &Given) -> Draft {
    let body = Body::Consent(wire::Consent {
        kind: given.kind.clone(),
        version: given.version.clone(),
        text_hash: given.text_hash.clone().into(),
        user: given.user.to_string(),
    });
    server(it.id, &format!("consent {} {}", given.kind, given.user), body)
}

fn server(id: ConsultationId, fact: &str, body: Body) -> Draft {
    Draft { sender: None, id: fact_id(id, fact), body: wire::Body { kind: Some(body) }, urgent: false }
}

/// The same fact has the same id on every node and after every crash (UUIDv8, RFC 9562).
fn fact_id(id: ConsultationId, fact: &str) -> MessageId {
    let digest = Sha256::new().chain_update(b"consultation fact\n").chain_update(id.as_bytes()).chain_update(fact).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    MessageId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Whether the entry is the doctor's own word: a message of his session, or a call he took part in (REG-13: the log's role decides).
pub fn is_doctors_answer(entry: &wire::Entry, doctor: UserId) -> bool {
    let kind = entry.body.as_ref().and_then(|body| body.kind.as_ref());
    let spoken = matches!(kind, Some(Body::Text(_) | Body::Image(_) | Body::Voice(_) | Body::CallInvited(_) | Body::CallAccepted(_)));
    spoken && entry.sender == doctor.to_string() && entry.sender_role == i32::from(wire::SenderRole::Doctor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_has_one_id_and_another_fact_another() {
        let (a, b) = (ConsultationId(uuid::Uuid::from_u128(1)), ConsultationId(uuid::Uuid::from_u128(2)));
        assert_eq!(fact_id(a, "closed"), fact_id(a, "closed"));
        assert_ne!(fact_id(a, "closed"), fact_id(b, "closed"));
        assert_ne!(fact_id(a, "closed"), fact_id(a, "open"));
    }

    /// REG-13: an entry counts as the doctor's only with the doctor's id and the doctor's role, both from the log.
    #[test]
    fn reg_13_only_the_doctors_own_entry_is_his_answer() {
        let (doctor, other) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        let entry = |sender: UserId, role: wire::SenderRole| wire::Entry {
            sender: sender.to_string(),
            sender_role: role.into(),
            body: Some(wire::Body { kind: Some(Body::Text(wire::Text { text: "您好".into(), reply_to_seq: 0 })) }),
            ..wire::Entry::default()
        };
        assert!(is_doctors_answer(&entry(doctor, wire::SenderRole::Doctor), doctor));
        assert!(!is_doctors_answer(&entry(other, wire::SenderRole::Doctor), doctor));
        assert!(!is_doctors_answer(&entry(doctor, wire::SenderRole::Agent), doctor));
        let notice = wire::Entry { body: None, ..entry(doctor, wire::SenderRole::Doctor) };
        assert!(!is_doctors_answer(&notice, doctor));
    }
}
