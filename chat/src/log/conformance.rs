//! What every engine must do, as functions over a factory: the same ones run on the embedded log and on whatever comes beside it.
//!
//! A failure panics with what was expected. Nothing here knows an engine; a harness gives a fresh log, and can reopen it.

use super::head::{ConversationState, Head, LiveCallPhase, Member, RetentionClass};
use super::{Appended, Draft, Guard, LogError, MarkKind, Marks, MessageLog, NewConversation, Outcome, Refusal};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::{CallId, ConversationId, MessageId, Timestamp, UserId};
use crate::wire::{self, SenderRole, body::Kind, consultation_change::State};
use futures_util::future::BoxFuture;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Gives the log of one store, over and over: `open` after `close` must find what was there.
pub trait Harness: Send + Sync {
    fn open(&self) -> BoxFuture<'_, MessageLog>;
    fn clock(&self) -> &Clock;
    fn entropy(&self) -> &Entropy;
}

/// All of them, each on a fresh store.
pub async fn all<H: Harness, F: Fn() -> H>(fresh: F) {
    dense_and_chained(&fresh()).await;
    idempotent_under_racing_retries(&fresh()).await;
    another_body_is_a_conflict_even_in_a_race(&fresh()).await;
    accept_cancel_and_timeout_resolve_once(&fresh()).await;
    one_call_of_many_invites(&fresh()).await;
    concurrent_creation_makes_one(&fresh()).await;
    membership_shapes_the_head(&fresh()).await;
    marks_are_monotone(&fresh()).await;
    changes_are_complete(&fresh()).await;
    reopening_keeps_all(&fresh()).await;
    agrees_with_the_model(&fresh(), 11, 300).await;
}

struct Scene<'a, H: Harness> {
    harness: &'a H,
    log: Arc<MessageLog>,
    talk: Talk,
}

#[derive(Clone, Copy)]
struct Talk {
    id: ConversationId,
    patient: UserId,
    doctor: UserId,
}

impl<'a, H: Harness> Scene<'a, H> {
    async fn new(harness: &'a H) -> Self {
        let log = Arc::new(harness.open().await);
        let mut scene = Self { harness, log, talk: Talk { id: ConversationId::NIL, patient: UserId::NIL, doctor: UserId::NIL } };
        scene.talk = scene.another_talk().await;
        scene
    }

    async fn another_talk(&self) -> Talk {
        let talk = Talk { id: self.id(), patient: self.id(), doctor: self.id() };
        let member = |user, role| Member { user, role, visible_from: 1, left_at: None };
        let new = NewConversation {
            id: talk.id,
            tenant: self.id(),
            subject: talk.patient,
            members: vec![member(talk.patient, SenderRole::Patient), member(talk.doctor, SenderRole::Doctor)],
            state: ConversationState::Open,
            retention: RetentionClass::Consultation,
            first: Vec::new(),
        };
        self.log.create(new).await.expect("create");
        talk
    }

    fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.harness.entropy().id(self.harness.clock().now())
    }

    fn text(&self, sender: UserId, text: &str) -> Draft {
        self.draft(Some(sender), Kind::Text(wire::Text { text: text.into(), reply_to_seq: 0 }))
    }

    fn draft(&self, sender: Option<UserId>, kind: Kind) -> Draft {
        Draft { sender, id: self.id::<MessageId>(), body: wire::Body { kind: Some(kind) }, urgent: false }
    }

    fn state(&self, state: State, reason: &str) -> Draft {
        let change = wire::ConsultationChange { state: state as i32, reason: reason.into(), ..Default::default() };
        self.draft(None, Kind::Consultation(change))
    }

    async fn append(&self, drafts: Vec<Draft>, guards: Vec<Guard>) -> Result<Outcome, LogError> {
        self.log.append(self.talk.id, drafts, guards).await
    }

    /// The same append from many tasks at once.
    async fn race(&self, attempts: Vec<(Vec<Draft>, Vec<Guard>)>) -> Vec<Result<Outcome, LogError>> {
        let mut tasks = Vec::new();
        for (drafts, guards) in attempts {
            let (log, id) = (self.log.clone(), self.talk.id);
            tasks.push(tokio::spawn(async move { log.append(id, drafts, guards).await }));
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.expect("no task panics"));
        }
        results
    }

    async fn head(&self) -> Head {
        self.log.head(self.talk.id).await.expect("head").expect("the conversation exists")
    }
}

fn only(outcome: &Outcome) -> Appended {
    assert_eq!(outcome.entries.len(), 1, "one draft, one place");
    outcome.entries[0]
}

pub async fn dense_and_chained<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let attempts =
        (0..200).map(|number| (vec![scene.text(scene.talk.patient, &number.to_string())], vec![Guard::SenderMaySpeak])).collect();
    let mut places: Vec<_> = scene.race(attempts).await.into_iter().map(|result| only(&result.expect("append"))).collect();
    places.sort_by_key(|place| place.seq);
    assert_eq!(places.iter().map(|place| place.seq).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>(), "dense from 1");
    let entries = scene.log.read(scene.talk.id, 1, 1_000).await.expect("read");
    for (place, entry) in places.iter().zip(&entries) {
        assert_eq!((place.seq, place.id.to_string()), (entry.seq, entry.id.clone()), "acknowledged is what is read");
        assert_eq!((place.hash.0.as_slice(), place.at.0), (entry.hash.as_ref(), entry.at_ms));
        assert_eq!(scene.log.hash_at(scene.talk.id, place.seq).await.expect("hash"), Some(place.hash));
    }
    assert!(places.windows(2).all(|pair| pair[0].at <= pair[1].at), "time never goes back");
    assert_eq!(scene.head().await.hash, places[199].hash);
    assert_eq!(scene.log.hash_at(scene.talk.id, 201).await.expect("hash"), None);
    assert_eq!(scene.log.read(scene.talk.id, 150, 10).await.expect("read").len(), 10);
}

/// 32 tasks send the same message: one entry, one place for all, and one answer that is not a repeat.
pub async fn idempotent_under_racing_retries<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let draft = scene.text(scene.talk.patient, "is it serious?");
    let attempts = (0..32).map(|_| (vec![draft.clone()], vec![Guard::SenderMaySpeak])).collect();
    let places: Vec<_> = scene.race(attempts).await.into_iter().map(|result| only(&result.expect("append"))).collect();
    assert_eq!(places.iter().filter(|place| !place.repeated).count(), 1, "one of them is the first");
    assert!(places.iter().all(|place| (place.seq, place.hash, place.at) == (1, places[0].hash, places[0].at)));
    scene.append(vec![scene.state(State::Closed, "ended")], vec![Guard::NotClosed]).await.expect("close");
    let late = scene.append(vec![draft], vec![Guard::SenderMaySpeak]).await.expect("a retry after the end still gets its place");
    assert!(only(&late).repeated);
    assert_eq!(scene.head().await.seq, 2);
}

pub async fn another_body_is_a_conflict_even_in_a_race<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let id: MessageId = scene.id();
    let with = |text: &str| Draft { id, ..scene.text(scene.talk.patient, text) };
    let attempts = (0..16).map(|number| (vec![with(if number % 2 == 0 { "yes" } else { "no" })], vec![])).collect();
    let (mut placed, mut conflicts) = (0, 0);
    for result in scene.race(attempts).await {
        match result {
            Ok(_) => placed += 1,
            Err(LogError::IdConflict) => conflicts += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((placed, conflicts, scene.head().await.seq), (8, 8, 1), "one body won, with all of its retries");
    let other_sender = Draft { id, ..scene.text(scene.talk.doctor, "maybe") };
    scene.append(vec![other_sender], vec![]).await.expect("ids are per sender");
}

/// D.1: of accept, cancel and the deadline exactly one happens, and the losers learn it.
pub async fn accept_cancel_and_timeout_resolve_once<H: Harness>(harness: &H) {
    for _ in 0..20 {
        let mut scene = Scene::new(harness).await;
        scene.talk = scene.another_talk().await;
        scene.append(vec![scene.state(State::Waiting, "paid")], vec![]).await.expect("waiting");
        let waiting = vec![Guard::StateIs(ConversationState::Waiting)];
        let attempts = vec![
            (vec![scene.state(State::Open, "accepted")], waiting.clone()),
            (vec![scene.state(State::Closed, "cancelled")], waiting.clone()),
            (vec![scene.state(State::Closed, "expired")], waiting),
        ];
        let results = scene.race(attempts).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "exactly one");
        let lost = results.iter().filter(|result| matches!(result, Err(LogError::Refused(Refusal::WrongState)))).count();
        assert_eq!((lost, scene.head().await.seq), (2, 2));
        scene.log.close().await.expect("close");
    }
}

/// CON-21: of many invites one rings, and of accept, cancel and no answer one is the end of ringing.
pub async fn one_call_of_many_invites<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let talk = scene.talk;
    let invite = |call: CallId| {
        let invited = wire::CallInvited {
            call: call.to_string(),
            media: wire::CallMedia::Voice as i32,
            callee: talk.patient.to_string(),
            deadline_ms: 1,
        };
        scene.draft(Some(talk.doctor), Kind::CallInvited(invited))
    };
    let attempts = (0..8).map(|_| (vec![invite(scene.id())], vec![Guard::NoLiveCall])).collect();
    let rang = scene.race(attempts).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(rang, 1);
    let live = scene.head().await.call.expect("a live call");
    assert_eq!(scene.log.live_calls().await.expect("live calls"), [(talk.id, live.clone())]);
    let accepted = wire::CallAccepted { call: live.call.to_string(), device: String::new() };
    let ended = wire::CallEnded { call: live.call.to_string(), ..Default::default() };
    let ringing = vec![Guard::CallRinging(live.call)];
    let results = scene
        .race(vec![
            (vec![scene.draft(Some(talk.patient), Kind::CallAccepted(accepted))], ringing.clone()),
            (vec![scene.draft(None, Kind::CallEnded(ended.clone()))], ringing.clone()),
            (vec![scene.draft(None, Kind::CallEnded(ended.clone()))], ringing),
        ])
        .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    if scene.head().await.call.is_some_and(|call| call.phase == LiveCallPhase::Accepted) {
        let end = vec![scene.draft(None, Kind::CallEnded(ended))];
        scene.append(end, vec![Guard::CallAccepted(live.call)]).await.expect("an accepted call ends");
    }
    assert!(scene.log.live_calls().await.expect("live calls").is_empty());
}

pub async fn concurrent_creation_makes_one<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let patient: UserId = scene.id();
    let new = NewConversation {
        id: scene.id(),
        tenant: scene.id(),
        subject: patient,
        members: vec![Member { user: patient, role: SenderRole::Patient, visible_from: 1, left_at: None }],
        state: ConversationState::Waiting,
        retention: RetentionClass::Consultation,
        first: vec![scene.draft(None, Kind::Card(wire::Card { object: "intake".into(), ..Default::default() }))],
    };
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (log, new) = (scene.log.clone(), new.clone());
        tasks.push(tokio::spawn(async move { log.create(new).await.expect("create") }));
    }
    let mut heads = HashSet::new();
    for task in tasks {
        let head = task.await.expect("no task panics");
        heads.insert((head.seq, head.hash));
    }
    assert_eq!(heads.len(), 1, "everybody got the same beginning");
    let entries = scene.log.read(new.id, 1, 10).await.expect("read");
    assert_eq!(entries.len(), 1);
    assert!(entries[0].body.is_some(), "sealed with the key that stayed");
    let text = scene.text(patient, "and another thing");
    scene.log.append(new.id, vec![text], vec![Guard::SenderMaySpeak]).await.expect("the patient adds to the intake");
}

pub async fn membership_shapes_the_head<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let expert: UserId = scene.id();
    let change = |change: wire::membership::Change, visible_from| {
        let role = SenderRole::Expert as i32;
        scene.draft(None, Kind::Membership(wire::Membership { user: expert.to_string(), role, change: change as i32, visible_from }))
    };
    let speak = || async { scene.append(vec![scene.text(expert, "may I?")], vec![Guard::SenderMaySpeak]).await };
    assert!(matches!(speak().await, Err(LogError::Refused(Refusal::NotAMember))));
    scene.append(vec![change(wire::membership::Change::Joined, 0)], vec![Guard::NotClosed]).await.expect("join");
    let spoken = speak().await.expect("a member speaks");
    let interval =
        |head: &Head| head.members.iter().rev().find(|member| member.user == expert).map(|member| (member.visible_from, member.left_at));
    assert_eq!(interval(&spoken.head), Some((1, None)));
    let left = scene.append(vec![change(wire::membership::Change::Left, 0)], vec![]).await.expect("leave");
    assert_eq!(interval(&left.head), Some((1, Some(3))));
    assert!(matches!(speak().await, Err(LogError::Refused(Refusal::NotAMember))));
    scene.append(vec![scene.text(scene.talk.doctor, "between us")], vec![]).await.expect("append");
    let back = scene.append(vec![change(wire::membership::Change::Joined, 5)], vec![]).await.expect("come back");
    assert_eq!(interval(&back.head), Some((5, None)), "what was said between stays hidden");
    assert_eq!(back.head.members.iter().filter(|member| member.user == expert).count(), 2);
    let found = scene.log.conversations_of(expert, 10).await.expect("conversations");
    assert_eq!(found.iter().map(|head| head.conversation).collect::<Vec<_>>(), [scene.talk.id]);
}

pub async fn marks_are_monotone<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let (id, doctor) = (scene.talk.id, scene.talk.doctor);
    let texts = (0..10).map(|number| scene.text(scene.talk.patient, &number.to_string())).collect();
    scene.append(texts, vec![]).await.expect("append");
    let mut tasks = Vec::new();
    for up_to in [3, 9, 1, 7, 200, 4] {
        let log = scene.log.clone();
        tasks.push(tokio::spawn(async move { log.mark(id, doctor, MarkKind::Read, up_to).await.expect("mark") }));
    }
    for task in tasks {
        task.await.expect("no task panics");
    }
    let top = Marks { delivered: 10, read: 10 };
    assert_eq!(scene.log.mark(id, doctor, MarkKind::Delivered, 2).await.expect("mark"), top, "capped at the head, never lower");
    assert_eq!(scene.log.marks(id).await.expect("marks"), [(doctor, top)]);
}

pub async fn changes_are_complete<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let other = scene.another_talk().await;
    let start = scene.log.changes(0, 1_000).await.expect("changes").cursor;
    let mut expected = HashSet::new();
    for number in 0..60_u64 {
        let (id, patient) = if number % 3 == 0 { (other.id, other.patient) } else { (scene.talk.id, scene.talk.patient) };
        let outcome = scene.log.append(id, vec![scene.text(patient, "x")], vec![]).await.expect("append");
        expected.insert((id, only(&outcome).seq));
    }
    let (mut cursor, mut told, mut newest) = (start, Vec::new(), HashMap::new());
    loop {
        let changes = scene.log.changes(cursor, 7).await.expect("changes");
        for row in &changes.rows {
            let before = newest.insert(row.conversation, row.seq).unwrap_or(0);
            assert_eq!(row.seq, before + 1, "a conversation's entries come in order");
        }
        told.extend(changes.rows.iter().map(|row| (row.conversation, row.seq)));
        if changes.cursor == cursor {
            break;
        }
        cursor = changes.cursor;
    }
    assert_eq!(told.len(), expected.len(), "each once");
    assert_eq!(told.into_iter().collect::<HashSet<_>>(), expected, "all of them");
}

pub async fn reopening_keeps_all<H: Harness>(harness: &H) {
    let scene = Scene::new(harness).await;
    let draft = scene.text(scene.talk.patient, "remember me");
    scene.append(vec![draft.clone()], vec![]).await.expect("append");
    scene.log.mark(scene.talk.id, scene.talk.doctor, MarkKind::Read, 1).await.expect("mark");
    let (head, entries) = (scene.head().await, scene.log.read(scene.talk.id, 1, 10).await.expect("read"));
    let changes = scene.log.changes(0, 10).await.expect("changes");
    scene.log.close().await.expect("close");
    let Scene { log, talk, .. } = scene;
    drop(log);
    let log = harness.open().await;
    assert_eq!(log.head(talk.id).await.expect("head"), Some(head));
    assert_eq!(log.read(talk.id, 1, 10).await.expect("read"), entries);
    assert_eq!(log.changes(0, 10).await.expect("changes"), changes);
    assert_eq!(log.marks(talk.id).await.expect("marks"), [(talk.doctor, Marks { delivered: 1, read: 1 })]);
    let again = log.append(talk.id, vec![draft], vec![Guard::SeqIs(77)]).await.expect("the retry of before");
    assert!(only(&again).repeated);
}

/// A long random life against thirty naive lines: the same answers, the same state.
pub async fn agrees_with_the_model<H: Harness>(harness: &H, seed: u64, steps: usize) {
    let mut scene = Scene::new(harness).await;
    let chance = Entropy::seeded(seed);
    let mut model = Model::default();
    let mut sent: Vec<Draft> = Vec::new();
    for step in 0..steps {
        let place = format!("seed {seed}, step {step}");
        match chance.up_to(9) {
            0 if !sent.is_empty() => {
                let draft = sent[chance.up_to(sent.len() as u64 - 1) as usize].clone();
                let expected = model.ids[&draft.id];
                let outcome = scene.append(vec![draft], vec![Guard::SenderMaySpeak]).await.expect("a retry is answered");
                assert_eq!((only(&outcome).seq, only(&outcome).repeated), (expected, true), "{place}");
            }
            1 => {
                let (state, wire_state) = match chance.up_to(2) {
                    0 => (ConversationState::Waiting, State::Waiting),
                    1 => (ConversationState::Open, State::Open),
                    _ => (ConversationState::Closed, State::Closed),
                };
                scene.append(vec![scene.state(wire_state, "")], vec![]).await.expect("append");
                (model.state, model.seq) = (Some(state), model.seq + 1);
            }
            2 if step % 50 == 2 => {
                scene.log.close().await.expect("close");
                let talk = scene.talk;
                drop(scene);
                scene = Scene { harness, log: Arc::new(harness.open().await), talk };
            }
            _ => {
                let doctor = chance.up_to(1) == 1;
                let sender = if doctor { scene.talk.doctor } else { scene.talk.patient };
                let draft = scene.text(sender, &format!("{step}"));
                let result = scene.append(vec![draft.clone()], vec![Guard::SenderMaySpeak]).await;
                match (model.refusal(doctor), result) {
                    (None, Ok(outcome)) => {
                        model.seq += 1;
                        model.ids.insert(draft.id, model.seq);
                        assert_eq!(only(&outcome).seq, model.seq, "{place}");
                        sent.push(draft);
                    }
                    (Some(expected), Err(LogError::Refused(refusal))) => assert_eq!(refusal, expected, "{place}"),
                    (expected, result) => panic!("{place}: the model says {expected:?}, the log {result:?}"),
                }
            }
        }
        harness.clock().advance_ms(chance.up_to(2_000) as i64);
    }
    let entries = scene.log.read(scene.talk.id, 1, steps).await.expect("read");
    assert_eq!(entries.len() as u64, model.seq);
    assert!(entries.windows(2).all(|pair| Timestamp(pair[0].at_ms) <= Timestamp(pair[1].at_ms)));
    for (id, seq) in &model.ids {
        assert_eq!(entries[*seq as usize - 1].id, id.to_string(), "seed {seed}");
    }
}

#[derive(Default)]
struct Model {
    seq: u64,
    /// `None` = open, as it began.
    state: Option<ConversationState>,
    ids: HashMap<MessageId, u64>,
}

impl Model {
    fn refusal(&self, doctor: bool) -> Option<Refusal> {
        match self.state.unwrap_or(ConversationState::Open) {
            ConversationState::Open => None,
            ConversationState::Waiting => doctor.then_some(Refusal::NotOpen),
            ConversationState::Closed => Some(Refusal::Closed),
        }
    }
}
