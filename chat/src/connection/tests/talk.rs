//! Sending, order, idempotency, who gets what: the promises of a message.

use super::rig::{UPLOADED, limits, rig, rig_with, text_body, text_kind, text_of};
use crate::ids::Role;
use crate::limits::HubLimits;
use crate::wire::codec::Subprotocol;
use crate::wire::{
    self, Body, Image, MarkDelivered, MarkRead, Membership, Recall, SenderRole, SetTyping, Voice, WatchPresence, body, event::Kind,
};
use std::collections::HashSet;

/// CON-04, CON-05
#[tokio::test]
async fn a_message_is_acknowledged_and_reaches_both_sides_in_both_framings() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    let send = rig.send(conversation, "头疼三天");
    patient.send(send.clone()).await;
    let (mut sent, mut own) = (None, None);
    while sent.is_none() || own.is_none() {
        match patient.event().await {
            Kind::Sent(event) => sent = Some(event),
            Kind::Entry(event) => own = Some(event),
            other => panic!("{other:?}"),
        }
    }
    let (sent, own) = (sent.unwrap(), own.unwrap());
    assert_eq!((sent.id.as_str(), sent.seq, sent.durability()), (send.id.as_str(), 1, wire::Durability::Fsync));
    let entry = doctor.until_entry().await;
    assert_eq!(entry, own);
    assert_eq!((text_of(&entry), entry.seq, &entry.hash, entry.at_ms), (Some("头疼三天"), 1, &sent.hash, sent.at_ms));
    assert_eq!(entry.sender, patient.person().user.to_string());
    assert_eq!(entry.sender_role(), SenderRole::Patient);
}

#[tokio::test]
async fn the_same_id_again_is_the_same_message_and_with_another_body_a_conflict() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    let send = rig.send(conversation, "one");
    patient.send(send.clone()).await;
    let first = patient.until_sent().await;
    patient.send(send.clone()).await;
    assert_eq!(patient.until_sent().await, first);
    patient.send(wire::Send { body: Some(text_body("two")), ..send.clone() }).await;
    let error = patient.until_error().await;
    assert_eq!((error.code.as_str(), &error.re, error.temporary), ("id_conflict", &send.id, false));
    // The same id is another message when another person sends it.
    doctor.send(send).await;
    assert_eq!(doctor.until_sent().await.seq, 2);
}

#[tokio::test]
async fn racing_duplicates_are_one_entry_with_one_answer() {
    let rig = rig().await;
    let (patient, mut doctor, conversation) = rig.pair().await;
    let mut sockets = Vec::new();
    for number in 0..8 {
        sockets.push(rig.connect(&patient.person(), Subprotocol::ALL[number % 2]).await);
    }
    let send = rig.send(conversation, "once");
    let racing = sockets.iter_mut().map(|socket| {
        let send = send.clone();
        async move {
            socket.send(send.clone()).await;
            socket.send(send).await;
            [socket.until_sent().await, socket.until_sent().await]
        }
    });
    let answers: HashSet<_> =
        futures_util::future::join_all(racing).await.into_iter().flatten().map(|sent| (sent.seq, sent.hash)).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(doctor.until_entry().await.seq, 1);
    assert!(doctor.settle().await.is_empty(), "nothing twice");
}

#[tokio::test]
async fn pipelined_sends_keep_their_order() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    for number in 0..200 {
        patient.send(rig.send(conversation, &number.to_string())).await;
    }
    for number in 0..200_u64 {
        let entry = doctor.until_entry().await;
        assert_eq!((entry.seq, text_of(&entry)), (number + 1, Some(number.to_string().as_str())));
    }
}

/// Other people's conversations answer exactly like ones that never existed, to every command that names one.
#[tokio::test]
async fn foreign_and_never_existed_conversations_answer_alike() {
    let rig = rig().await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    patient.send(rig.send(conversation, "mine")).await;
    patient.until_sent().await;
    let mut stranger = rig.connect(&rig.person(Role::Doctor), Subprotocol::Json).await;
    let nowhere = rig.entropy.uuid(rig.clock.now()).to_string();
    let mut answers = Vec::new();
    for conversation in [conversation.to_string(), nowhere] {
        let c = || conversation.clone();
        let id = rig.entropy.uuid(rig.clock.now()).to_string();
        let image = Body { kind: Some(body::Kind::Image(Image { attachment: UPLOADED.to_string(), ..Default::default() })) };
        let recall = Body { kind: Some(body::Kind::Recall(Recall { seq: 1 })) };
        let commands: [wire::Command; 9] = [
            wire::Send { conversation: c(), id: id.clone(), body: Some(text_body("x")) }.into(),
            wire::Send { conversation: c(), id: id.clone(), body: Some(image) }.into(),
            wire::Send { conversation: c(), id: id.clone(), body: Some(recall) }.into(),
            wire::Pull { conversation: c(), ..Default::default() }.into(),
            wire::Pull { conversation: c(), from_seq: 2, hash_prefix: vec![0; 8].into(), ..Default::default() }.into(),
            MarkDelivered { conversation: c(), up_to_seq: 1 }.into(),
            MarkRead { conversation: c(), up_to_seq: 1 }.into(),
            SetTyping { conversation: c(), active: true }.into(),
            wire::Resume { cursors: vec![wire::Cursor { conversation: c(), seq: 1, hash_prefix: vec![0; 8].into() }] }.into(),
        ];
        let mut told = Vec::new();
        for command in commands {
            stranger.send(command).await;
            told.extend(stranger.settle().await);
        }
        let redacted = format!("{told:?}").replace(&conversation, "C").replace(&id, "I");
        assert_eq!(redacted.matches("unknown_conversation").count(), 9, "{redacted}");
        answers.push(redacted);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(patient.settle().await.iter().all(|kind| matches!(kind, Kind::Entry(_))), "and nobody inside noticed");
}

/// REG-13
#[tokio::test]
async fn a_client_cannot_speak_in_the_servers_name() {
    let rig = rig().await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    let closing = wire::ConsultationChange { consultation: String::new(), state: 3, reason: "ended".into(), detail: String::new() };
    let body = Some(Body { kind: Some(body::Kind::Consultation(closing)) });
    patient.send(wire::Send { body, ..rig.send(conversation, "") }).await;
    assert_eq!(patient.until_error().await.code, "server_only");
    assert_eq!(rig.log.head(conversation).await.unwrap().unwrap().seq, 0);
}

#[tokio::test]
async fn speaking_ends_with_the_conversation_and_waits_for_the_doctor() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    let change = |state| body::Kind::Consultation(wire::ConsultationChange { state, reason: "x".into(), ..Default::default() });
    rig.server_says(conversation, change(1)).await;
    doctor.send(rig.send(conversation, "too early")).await;
    assert_eq!(doctor.until_error().await.code, "conversation_not_open");
    patient.send(rig.send(conversation, "more about it")).await;
    patient.until_sent().await;
    rig.server_says(conversation, change(3)).await;
    patient.send(rig.send(conversation, "too late")).await;
    assert_eq!(patient.until_error().await.code, "conversation_closed");
}

/// CON-03: what the server measured stands, and an attachment of somebody else is none.
#[tokio::test]
async fn attachments_are_checked_and_described_by_the_server() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    let image = |attachment: String| Body {
        kind: Some(body::Kind::Image(Image { attachment, width_px: 9, height_px: 9, caption: "rash".into() })),
    };
    patient.send(wire::Send { body: Some(image(UPLOADED.to_string())), ..rig.send(conversation, "") }).await;
    patient.until_sent().await;
    let Some(body::Kind::Image(shown)) = doctor.until_entry().await.body.unwrap().kind else { panic!("no image") };
    assert_eq!((shown.width_px, shown.height_px, shown.caption.as_str()), (640, 480, "rash"));
    let voice = Body { kind: Some(body::Kind::Voice(Voice { attachment: UPLOADED.to_string(), duration_ms: 1 })) };
    for body in [image(rig.entropy.uuid(rig.clock.now()).to_string()), voice] {
        patient.send(wire::Send { body: Some(body), ..rig.send(conversation, "") }).await;
        assert_eq!(patient.until_error().await.code, "unknown_attachment");
    }
}

/// M5: entries go to members by their visibility, live and in history; to a former one nothing more.
#[tokio::test]
async fn visibility_holds_live_and_in_history() {
    let rig = rig().await;
    let (patient, _doctor, conversation) = rig.pair().await;
    let expert_person = rig.person(Role::Doctor);
    let mut expert = rig.connect(&expert_person, Subprotocol::Json).await;
    for number in 1..=3 {
        rig.append(conversation, Some(patient.person().user), text_kind(&format!("canary {number}")), false).await;
    }
    let membership = |change, visible_from| {
        body::Kind::Membership(Membership { user: expert_person.user.to_string(), role: SenderRole::Expert.into(), change, visible_from })
    };
    assert_eq!(rig.server_says(conversation, membership(1, 3)).await, 4);
    assert_eq!(expert.until_entry().await.seq, 4, "the join is the first live one");
    expert.send(wire::Pull { conversation: conversation.to_string(), from_seq: 1, ..Default::default() }).await;
    let page = expert.until_page().await;
    let texts: Vec<_> = page.entries.iter().map(|entry| (entry.seq, text_of(entry), entry.withheld())).collect();
    let (hidden, shown) = (wire::Withheld::Interval, wire::Withheld::Unspecified);
    assert_eq!(texts, [(1, None, hidden), (2, None, hidden), (3, Some("canary 3"), shown), (4, None, shown)]);
    assert!(page.entries[..2].iter().all(|entry| entry.sender.is_empty() && entry.id.is_empty() && entry.hash.len() == 32));

    let left = rig.server_says(conversation, membership(2, 0)).await;
    assert_eq!(expert.until_entry().await.seq, left, "the leave is the last live one");
    rig.append(conversation, Some(patient.person().user), text_kind("after"), false).await;
    expert.send(wire::Pull { conversation: conversation.to_string(), from_seq: 1, ..Default::default() }).await;
    let told = expert.settle().await;
    let [Kind::Page(page)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((page.head_seq, page.entries.last().map(|entry| entry.seq)), (left, Some(left)));
    expert.send(rig.send(conversation, "let me in")).await;
    assert_eq!(expert.until_error().await.code, "unknown_conversation");
}

#[tokio::test]
async fn marks_are_monotone_capped_and_told_to_both_sides() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    for _ in 0..3 {
        rig.append(conversation, Some(patient.person().user), text_kind("x"), false).await;
    }
    let pick = |kind| if let Kind::Marks(marks) = kind { Some((marks.delivered_seq, marks.read_seq)) } else { None };
    doctor.send(MarkDelivered { conversation: conversation.to_string(), up_to_seq: 2 }).await;
    assert_eq!(patient.until(pick).await, (2, 0));
    doctor.send(MarkRead { conversation: conversation.to_string(), up_to_seq: 1_000 }).await;
    assert_eq!(patient.until(pick).await, (3, 3), "capped at the head, and reading implies delivery");
    doctor.send(MarkRead { conversation: conversation.to_string(), up_to_seq: 1 }).await;
    assert_eq!(patient.until(pick).await, (3, 3), "never back");
    doctor.send(MarkRead { conversation: conversation.to_string(), up_to_seq: 0 }).await;
    assert_eq!(doctor.until_error().await.code, "invalid_field");
}

#[tokio::test]
async fn typing_is_told_to_the_other_and_not_to_oneself() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    patient.send(SetTyping { conversation: conversation.to_string(), active: true }).await;
    let Kind::Typing(typing) = doctor.event().await else { panic!("not told") };
    assert_eq!((typing.user, typing.active), (patient.person().user.to_string(), true));
    assert!(patient.settle().await.is_empty());
}

#[tokio::test]
async fn presence_of_doctors_is_public_and_of_patients_only_for_their_doctors() {
    let rig = rig().await;
    let (patient, doctor, _conversation) = rig.pair().await;
    let mut stranger = rig.connect(&rig.person(Role::Patient), Subprotocol::Json).await;
    let watch =
        |users: &[&super::rig::Client]| WatchPresence { users: users.iter().map(|client| client.person().user.to_string()).collect() };
    stranger.send(watch(&[&patient, &doctor])).await;
    let shown: HashSet<_> = stranger
        .settle()
        .await
        .into_iter()
        .map(|kind| if let Kind::Presence(presence) = kind { (presence.user, presence.online) } else { panic!("{kind:?}") })
        .collect();
    assert_eq!(shown, HashSet::from([(patient.person().user.to_string(), false), (doctor.person().user.to_string(), true)]));

    let (patient_person, doctor_person) = (patient.person(), doctor.person());
    let mut doctor = doctor;
    doctor.send(watch(&[&patient])).await;
    assert!(matches!(doctor.event().await, Kind::Presence(presence) if presence.online));
    drop(patient);
    assert!(
        matches!(doctor.event().await, Kind::Presence(presence) if !presence.online && presence.user == patient_person.user.to_string())
    );
    let mut changes = rig.hub.watch_presence_changes();
    let second = rig.connect(&doctor_person, Subprotocol::Proto).await;
    drop(doctor);
    drop(second);
    assert_eq!(changes.recv().await.unwrap(), (doctor_person.user, false), "only the last socket counts");
    let told = stranger.until(|kind| if let Kind::Presence(presence) = kind { Some((presence.user, presence.online)) } else { None }).await;
    assert_eq!(told, (doctor_person.user.to_string(), false), "and the stranger was not told of the patient");
}

#[tokio::test]
async fn a_call_command_reaches_signaling_with_its_caller_proven() {
    let mut rig = rig_with(HubLimits { ..limits() }).await;
    let (mut patient, _doctor, _) = rig.pair().await;
    let call = rig.entropy.uuid(rig.clock.now()).to_string();
    let command = wire::CallCommand { call: call.clone(), kind: Some(wire::call_command::Kind::HangUp(wire::CallHangUp {})) };
    patient.send(command.clone()).await;
    let inbound = rig.calls.recv().await.unwrap();
    let person = patient.person();
    assert_eq!((inbound.from.user, inbound.from.session, inbound.from.device), (person.user, person.session, person.device));
    assert_eq!(inbound.command, command);
    assert!(rig.hub.send_to_socket(person.user, inbound.from.socket, wire::CallEvent { call: call.clone(), ..Default::default() }.into()));
    assert!(matches!(patient.event().await, Kind::Call(event) if event.call == call));
    // Nobody takes them any more: the client is told to come again.
    for _ in 0..20 {
        patient.send(command.clone()).await;
    }
    let error = patient.until_error().await;
    assert_eq!((error.code.as_str(), error.temporary, error.re), ("rate_limited", true, call));
}

#[tokio::test]
async fn a_recall_is_an_entry_of_its_own() {
    let rig = rig().await;
    let (mut patient, mut doctor, conversation) = rig.pair().await;
    patient.send(rig.send(conversation, "oops")).await;
    patient.until_sent().await;
    let recall = |seq| Some(Body { kind: Some(body::Kind::Recall(Recall { seq })) });
    doctor.send(wire::Send { body: recall(1), ..rig.send(conversation, "") }).await;
    assert_eq!(doctor.until_error().await.code, "not_recallable");
    patient.send(wire::Send { body: recall(1), ..rig.send(conversation, "") }).await;
    assert_eq!(patient.until_sent().await.seq, 2);
}
