use super::rig::{Rig, text_kind, text_of};
use crate::ids::CallId;
use crate::log::head::{ConversationState, LiveCallPhase};
use crate::log::{Guard, LogError, MarkKind, Marks, Refusal};
use crate::wire::{self, SenderRole, body::Kind};

#[tokio::test]
async fn entries_are_dense_chained_published_and_there_after_reopening() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    for (index, text) in ["您好", "发烧三天", "38.5"].into_iter().enumerate() {
        let outcome = log.append(talk.id, vec![rig.text(talk.patient, text)], vec![Guard::SenderMaySpeak]).await.unwrap();
        assert_eq!(outcome.entries[0].seq, index as u64 + 1);
        assert_eq!(outcome.durability, wire::Durability::Fsync);
        assert_eq!(outcome.head.hash, outcome.entries[0].hash);
    }
    let live: Vec<_> = rig.published.lock().unwrap().iter().flat_map(|committed| committed.entries.clone()).collect();
    let read = log.read(talk.id, 1, 10).await.unwrap();
    assert_eq!(live, read);
    assert_eq!(read[0].sender_role(), SenderRole::Patient);
    log.close().await.unwrap();
    assert!(matches!(log.append(talk.id, vec![], vec![]).await, Err(LogError::Stopped)));
    drop(log);

    let log = rig.open();
    let again = log.read(talk.id, 1, 10).await.unwrap();
    assert_eq!(again, live, "from disk, decrypted, the same as was published");
    assert_eq!(again.iter().map(|entry| text_of(entry)).collect::<Vec<_>>(), ["您好", "发烧三天", "38.5"]);
    assert_eq!(log.head(talk.id).await.unwrap().unwrap().seq, 3);
    assert_eq!(log.read(talk.id, 3, 10).await.unwrap().len(), 1);
    assert!(log.read(talk.id, 4, 10).await.unwrap().is_empty());
    assert_eq!(log.conversations_of(talk.doctor, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_id_gives_the_same_place_and_another_body_a_conflict() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    let draft = rig.text(talk.patient, "once");
    let first = log.append(talk.id, vec![draft.clone()], vec![Guard::SenderMaySpeak]).await.unwrap();
    let mut other = draft.clone();
    other.body.kind = Some(text_kind("twice"));
    assert!(matches!(log.append(talk.id, vec![other], vec![]).await, Err(LogError::IdConflict)));

    let closed =
        Kind::Consultation(wire::ConsultationChange { state: wire::consultation_change::State::Closed as i32, ..Default::default() });
    log.append(talk.id, vec![rig.draft(None, closed)], vec![Guard::NotClosed]).await.unwrap();
    let again = log.append(talk.id, vec![draft.clone()], vec![Guard::SenderMaySpeak]).await.unwrap();
    assert!(again.entries[0].repeated, "a retry is answered even after the end");
    assert_eq!(again.entries[0].seq, first.entries[0].seq);
    assert_eq!(again.entries[0].hash, first.entries[0].hash);
    let refused = log.append(talk.id, vec![rig.text(talk.patient, "late")], vec![Guard::SenderMaySpeak]).await;
    assert!(matches!(refused, Err(LogError::Refused(Refusal::Closed))));
    assert_eq!(log.head(talk.id).await.unwrap().unwrap().seq, 2, "refusals leave nothing");
}

#[tokio::test]
async fn a_waiting_conversation_hears_the_patient_until_a_doctor_joins() {
    let rig = Rig::new();
    let log = rig.open();
    let mut new = rig.waiting();
    let patient = new.subject;
    new.first = vec![rig.draft(None, Kind::Card(wire::Card { object: "intake".into(), ..Default::default() }))];
    let head = log.create(new.clone()).await.unwrap();
    assert_eq!(head.seq, 1);
    assert_eq!(log.create(new.clone()).await.unwrap(), head, "creating twice is creating once");

    let doctor = rig.id();
    let early = log.append(new.id, vec![rig.text(doctor, "hello")], vec![Guard::SenderMaySpeak]).await;
    assert!(matches!(early, Err(LogError::Refused(Refusal::NotAMember))));
    log.append(new.id, vec![rig.text(patient, "it hurts")], vec![Guard::SenderMaySpeak]).await.unwrap();
    let accept = vec![
        rig.draft(
            None,
            Kind::Membership(wire::Membership {
                user: doctor.to_string(),
                role: SenderRole::Doctor as i32,
                change: wire::membership::Change::Joined as i32,
                visible_from: 1,
            }),
        ),
        rig.draft(
            None,
            Kind::Consultation(wire::ConsultationChange { state: wire::consultation_change::State::Open as i32, ..Default::default() }),
        ),
    ];
    let outcome = log.append(new.id, accept, vec![Guard::StateIs(ConversationState::Waiting)]).await.unwrap();
    assert_eq!(outcome.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 4]);
    log.append(new.id, vec![rig.text(doctor, "since when?")], vec![Guard::SenderMaySpeak]).await.unwrap();
    assert_eq!(log.conversations_of(doctor, 1).await.unwrap().first().map(|head| (head.conversation, head.seq)), Some((new.id, 5)));
}

#[tokio::test]
async fn a_call_is_live_from_invite_to_end_and_only_one_at_a_time() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    let call: CallId = rig.id();
    let invited = |call: CallId| {
        Kind::CallInvited(wire::CallInvited {
            call: call.to_string(),
            media: wire::CallMedia::Video as i32,
            callee: talk.patient.to_string(),
            deadline_ms: 5,
        })
    };
    log.append(talk.id, vec![rig.draft(Some(talk.doctor), invited(call))], vec![Guard::NoLiveCall]).await.unwrap();
    let second = log.append(talk.id, vec![rig.draft(Some(talk.doctor), invited(rig.id()))], vec![Guard::NoLiveCall]).await;
    assert!(matches!(second, Err(LogError::Refused(Refusal::CallInProgress))));
    let live = log.live_calls().await.unwrap();
    assert_eq!((live.len(), live[0].0, live[0].1.call, live[0].1.inviter), (1, talk.id, call, talk.doctor));

    let accepted = Kind::CallAccepted(wire::CallAccepted { call: call.to_string(), device: String::new() });
    log.append(talk.id, vec![rig.draft(Some(talk.patient), accepted)], vec![Guard::CallRinging(call)]).await.unwrap();
    assert_eq!(log.live_calls().await.unwrap()[0].1.phase, LiveCallPhase::Accepted);
    let ended = Kind::CallEnded(wire::CallEnded { call: call.to_string(), ..Default::default() });
    log.append(talk.id, vec![rig.draft(None, ended)], vec![Guard::CallLive(call)]).await.unwrap();
    assert!(log.live_calls().await.unwrap().is_empty());
}

#[tokio::test]
async fn marks_rise_and_stop_at_the_head() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    for text in ["a", "b", "c"] {
        log.append(talk.id, vec![rig.text(talk.patient, text)], vec![]).await.unwrap();
    }
    assert_eq!(log.mark(talk.id, talk.doctor, MarkKind::Delivered, 2).await.unwrap(), Marks { delivered: 2, read: 0 });
    assert_eq!(log.mark(talk.id, talk.doctor, MarkKind::Read, 99).await.unwrap(), Marks { delivered: 3, read: 3 });
    assert_eq!(log.mark(talk.id, talk.doctor, MarkKind::Read, 1).await.unwrap(), Marks { delivered: 3, read: 3 });
    let stranger = log.mark(talk.id, rig.id(), MarkKind::Read, 1).await;
    assert!(matches!(stranger, Err(LogError::Refused(Refusal::NotAMember))));
    log.close().await.unwrap();
    drop(log);
    assert_eq!(rig.open().marks(talk.id).await.unwrap(), [(talk.doctor, Marks { delivered: 3, read: 3 })]);
}

#[tokio::test]
async fn changes_tell_every_entry_once_in_commit_order() {
    let rig = Rig::new();
    let log = rig.open();
    let (one, two) = (rig.talk(&log).await, rig.talk(&log).await);
    let mut watch = log.watch_commits();
    watch.mark_unchanged();
    for text in ["a", "b"] {
        log.append(one.id, vec![rig.text(one.patient, text)], vec![]).await.unwrap();
        log.append(two.id, vec![rig.text(two.patient, text)], vec![]).await.unwrap();
    }
    watch.changed().await.unwrap();
    let all = log.changes(0, 100).await.unwrap();
    assert_eq!(
        all.rows.iter().map(|row| (row.conversation, row.seq)).collect::<Vec<_>>(),
        [(one.id, 1), (two.id, 1), (one.id, 2), (two.id, 2)]
    );
    assert_eq!(all.cursor, *log.watch_commits().borrow());
    let (mut cursor, mut pieces) = (0, Vec::new());
    loop {
        let piece = log.changes(cursor, 1).await.unwrap();
        if piece.cursor == cursor {
            break;
        }
        cursor = piece.cursor;
        pieces.extend(piece.rows);
    }
    assert_eq!(pieces, all.rows);
}

#[tokio::test]
async fn an_erased_person_leaves_a_chain_without_words() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    log.append(talk.id, vec![rig.text(talk.patient, "private")], vec![]).await.unwrap();
    let hash = log.hash_at(talk.id, 1).await.unwrap();
    log.close().await.unwrap();
    drop(log);
    rig.keys.destroy_person(talk.patient);
    let log = rig.open();
    let entries = log.read(talk.id, 1, 5).await.unwrap();
    assert_eq!((entries[0].body.as_ref(), entries[0].withheld()), (None, wire::Withheld::Erased));
    assert_eq!(log.hash_at(talk.id, 1).await.unwrap(), hash);
    assert!(matches!(log.append(talk.id, vec![rig.text(talk.patient, "x")], vec![]).await, Err(error) if error.code() == "erased"));
}
