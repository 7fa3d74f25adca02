//! A log, people with conversations, and nodes: call services over that one log.

use crate::courier::{Address, Courier, Letter};
use crate::gate::{CallGate, OpenGate};
use crate::service::{CallService, Limits, Parts, route};
use crate::turn::TurnConfig;
use chat::clock::Clock;
use chat::entropy::Entropy;
use chat::hub::{Caller, InboundCall, SocketId};
use chat::ids::{CallId, ConversationId, DeviceId, Timestamp, UserId};
use chat::log::head::{ConversationState, Member, RetentionClass};
use chat::log::{Draft, Embedded, MessageLog, NewConversation, Options};
use chat::seal::MemoryKeys;
use chat::wire::{self, CallCommand, CallMedia, SenderRole, body::Kind, call_command, call_event, consultation_change::State};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::mpsc;

pub const START: Timestamp = Timestamp(1_700_000_000_000);

pub struct Rig {
    pub log: Arc<MessageLog>,
    pub clock: Clock,
    pub entropy: Entropy,
    _dir: TempDir,
}

/// A patient and a doctor with an open conversation.
#[derive(Clone, Copy)]
pub struct Pair {
    pub conversation: ConversationId,
    pub patient: Caller,
    pub doctor: Caller,
}

impl Rig {
    pub fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (clock, entropy) = (Clock::manual(START), Entropy::seeded(seed));
        let keys = Arc::new(MemoryKeys::new(entropy.clone()));
        let mut options = Options::new(dir.path(), clock.clone(), entropy.clone(), keys);
        options.free_bytes_min = 0;
        let log = Arc::new(MessageLog::Embedded(Embedded::open(options).unwrap()));
        Self { log, clock, entropy, _dir: dir }
    }

    pub fn person(&self) -> Caller {
        Caller { user: self.entropy.id(START), session: self.entropy.id(START), device: self.entropy.id(START), socket: SocketId(1) }
    }

    /// The same person on another device.
    pub fn device_of(&self, caller: Caller) -> Caller {
        Caller { device: self.entropy.id::<DeviceId>(START), socket: SocketId(caller.socket.0 + 1), ..caller }
    }

    pub async fn pair(&self) -> Pair {
        let (patient, doctor) = (self.person(), self.person());
        self.pair_of(patient, doctor).await
    }

    pub async fn pair_of(&self, patient: Caller, doctor: Caller) -> Pair {
        let conversation: ConversationId = self.entropy.id(START);
        let member = |user, role| Member { user, role, visible_from: 1, left_at: None };
        let new = NewConversation {
            id: conversation,
            tenant: self.entropy.id(START),
            subject: patient.user,
            members: vec![member(patient.user, SenderRole::Patient), member(doctor.user, SenderRole::Doctor)],
            state: ConversationState::Open,
            retention: RetentionClass::Consultation,
            first: Vec::new(),
        };
        self.log.create(new).await.unwrap();
        Pair { conversation, patient, doctor }
    }

    pub async fn close(&self, conversation: ConversationId) {
        let change = wire::ConsultationChange { state: State::Closed.into(), reason: "ended".into(), ..Default::default() };
        let body = wire::Body { kind: Some(Kind::Consultation(change)) };
        let draft = Draft { sender: None, id: self.entropy.id(START), body, urgent: false };
        self.log.append(conversation, vec![draft], Vec::new()).await.unwrap();
    }

    pub fn call_id(&self) -> CallId {
        self.entropy.id(START)
    }

    /// What the transcript says about calls.
    pub async fn facts(&self, conversation: ConversationId) -> Vec<Kind> {
        let entries = self.log.read(conversation, 1, 10_000).await.unwrap();
        let kinds = entries.iter().filter_map(|entry| entry.body.as_ref()?.kind.clone());
        kinds.filter(|kind| matches!(kind, Kind::CallInvited(_) | Kind::CallAccepted(_) | Kind::CallEnded(_))).collect()
    }

    pub fn node(&self) -> Node {
        self.node_with(Arc::new(OpenGate), Limits::default())
    }

    pub fn node_with(&self, gate: Arc<dyn CallGate>, limits: Limits) -> Node {
        let (letters_out, letters) = mpsc::unbounded_channel();
        let (commands, inbound) = mpsc::channel(64);
        let service = CallService::start(Parts {
            log: Arc::clone(&self.log),
            courier: Courier::Channel(letters_out),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            turn: Some(turn()),
            limits,
            gate,
            inbound,
        });
        Node { service, letters, _commands: commands }
    }
}

pub fn turn() -> TurnConfig {
    TurnConfig {
        turn_urls: vec!["turn:relay.test:3478".into()],
        stun_urls: Vec::new(),
        secret: "north".into(),
        lifetime_s: 600,
        relay_only: false,
    }
}

pub struct Node {
    pub service: Arc<CallService>,
    pub letters: mpsc::UnboundedReceiver<Letter>,
    _commands: mpsc::Sender<InboundCall>,
}

impl Node {
    pub fn say(&self, from: Caller, call: CallId, kind: call_command::Kind) {
        let command = CallCommand { call: call.to_string(), kind: Some(kind) };
        route(&self.service.shared, InboundCall { from, command });
    }

    pub fn invite(&self, pair: &Pair, from: Caller, call: CallId, media: CallMedia) {
        let invite = wire::CallInvite { conversation: pair.conversation.to_string(), media: media.into() };
        self.say(from, call, call_command::Kind::Invite(invite));
    }

    /// The next letter, to whomever.
    pub async fn next(&mut self) -> (Address, Said) {
        let letter = self.letters.recv().await.unwrap();
        match letter.event.kind.unwrap() {
            wire::event::Kind::Call(event) => (letter.to, Said::Call(event.kind.unwrap())),
            wire::event::Kind::Error(error) => (letter.to, Said::Error(error)),
            other => panic!("signaling sends no {other:?}"),
        }
    }

    /// Reads on until something of this shape comes.
    pub async fn until<T>(&mut self, shape: impl Fn(&Address, &Said) -> Option<T>) -> T {
        loop {
            let (to, said) = self.next().await;
            if let Some(found) = shape(&to, &said) {
                return found;
            }
        }
    }

    pub async fn error(&mut self) -> String {
        self.until(|_, said| match said {
            Said::Error(error) => Some(error.code.clone()),
            Said::Call(_) => None,
        })
        .await
    }

    pub async fn over(&mut self) -> wire::CallEndReason {
        self.until(|_, said| match said {
            Said::Call(call_event::Kind::Over(over)) => Some(over.reason()),
            _ => None,
        })
        .await
    }

    /// Invites and waits until it rings.
    pub async fn ring(&mut self, pair: &Pair, call: CallId) {
        self.invite(pair, pair.patient, call, CallMedia::Video);
        self.until(|_, said| matches!(said, Said::Call(call_event::Kind::Snapshot(_))).then_some(())).await;
    }

    /// Rings, answers, and both report that they are connected.
    pub async fn connect(&mut self, pair: &Pair, call: CallId) {
        self.ring(pair, call).await;
        self.say(pair.doctor, call, call_command::Kind::Accept(wire::CallAccept {}));
        for _ in 0..2 {
            self.until(|_, said| matches!(said, Said::Call(call_event::Kind::Started(_))).then_some(())).await;
        }
        for caller in [pair.patient, pair.doctor] {
            self.say(caller, call, connected());
            self.until(|_, said| matches!(said, Said::Call(call_event::Kind::PeerConnection(_))).then_some(())).await;
        }
    }
}

#[derive(Debug)]
pub enum Said {
    Call(call_event::Kind),
    Error(wire::Error),
}

pub fn connected() -> call_command::Kind {
    let state = wire::call_connection::State::Connected.into();
    call_command::Kind::Connection(wire::CallConnection { state, round_trip_ms: 40, loss_permille: 0 })
}

pub fn candidate() -> call_command::Kind {
    let candidate = wire::IceCandidate { candidate: "candidate:1 1 udp 1 10.0.0.1 1 typ host".into(), ..Default::default() };
    call_command::Kind::Signal(wire::CallSignal { kind: Some(wire::call_signal::Kind::Candidate(candidate)) })
}

/// Which user and device a letter is meant for.
pub fn user_of(address: &Address) -> UserId {
    match address {
        Address::Device(user, _) | Address::AllDevices(user) | Address::OtherDevices(user, _) => *user,
        Address::Asker(caller) => caller.user,
    }
}
