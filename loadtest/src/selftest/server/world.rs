//! Everything the selftest server knows: people, conversations, calls, orders, and the sockets that are open. One lock around all of it:
//! it has to be right, not fast.

use super::calls::Call;
use super::liar::{Liar, Planted};
use super::log::{Conversation, Draft, Member};
use super::shop::Shop;
use super::slots::Booths;
use crate::clock::{Clock, unix_ms};
use crate::seed::Seeded;
use chat::wire::{Body, ConsultationChange, Entry, Event, Membership, SenderRole, body, consultation_change, membership};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::mpsc;

pub const TOKEN_LIFE_MS: i64 = 600_000;

/// What a socket's task is to do.
#[derive(Debug)]
pub enum Out {
    Event(Event),
    /// An acknowledgement: how long this server kept it belongs to the truth a report is compared with.
    Answer {
        event: Event,
        arrived_micros: u64,
    },
    /// Half of the frame, and then the end.
    Half {
        event: Event,
        reset: bool,
    },
    /// The end, without a word.
    Cut,
}

#[derive(Debug)]
pub struct Resident {
    pub user: String,
    pub role: SenderRole,
    pub session: String,
    pub access_token: String,
    pub refresh_token: String,
    /// The conversation he shares with his peer.
    pub conversation: String,
    pub peer: usize,
}

#[derive(Debug)]
pub struct Line {
    pub person: usize,
    pub device: String,
    pub out: mpsc::UnboundedSender<Out>,
}

#[derive(Debug)]
pub struct World {
    pub clock: Clock,
    pub residents: Vec<Resident>,
    pub conversations: BTreeMap<String, Conversation>,
    pub lines: BTreeMap<u64, Line>,
    pub calls: HashMap<String, Call>,
    pub shop: Shop,
    pub booths: Booths,
    pub liar: Liar,
    pub dice: Seeded,
    /// Entries held back from one person, to come after the next one.
    pub held: HashMap<usize, Entry>,
    /// Somebody left and is still told this much.
    pub stale: Option<Stale>,
    /// Whoever resumes next is told too little.
    pub skips: Vec<usize>,
    /// Everybody who ever was.
    pub skipped: BTreeSet<usize>,
    pub stall: Stall,
    /// What every acknowledgement takes at least.
    pub slow_micros: u64,
    next_line: u64,
}

#[derive(Clone, Debug)]
pub struct Stale {
    pub person: usize,
    pub conversation: String,
}

/// The pause in which nothing is carried out, in microseconds of the clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stall {
    /// Counted from the first message; none where nothing stalls.
    pub after_micros: Option<(u64, u64)>,
    pub from: u64,
    pub until: u64,
}

impl World {
    /// People in pairs, a patient and a doctor each, with one open conversation.
    pub fn new(people: usize, planted: Option<Planted>, seed: u64, clock: Clock) -> Self {
        let mut world = Self {
            clock,
            residents: Vec::with_capacity(people),
            conversations: BTreeMap::new(),
            lines: BTreeMap::new(),
            calls: HashMap::new(),
            shop: Shop::default(),
            booths: Booths::default(),
            liar: Liar::new(planted, seed),
            dice: Seeded::new(seed, "selftest server"),
            held: HashMap::new(),
            stale: None,
            skips: Vec::new(),
            skipped: BTreeSet::new(),
            stall: Stall::default(),
            slow_micros: 0,
            next_line: 0,
        };
        for _ in 0..people.div_ceil(2) {
            world.pair();
        }
        world
    }

    fn pair(&mut self) {
        let conversation = self.id();
        let first = self.residents.len();
        for (role, peer) in [(SenderRole::Patient, first + 1), (SenderRole::Doctor, first)] {
            let resident = Resident {
                user: self.id(),
                role,
                session: self.id(),
                access_token: format!("selftest.{}", self.id()),
                refresh_token: format!("renew.{}", self.id()),
                conversation: conversation.clone(),
                peer,
            };
            self.residents.push(resident);
        }
        let members = (first..first + 2).map(|person| Member { person, role: self.residents[person].role, left_at: None }).collect();
        let mut made = Conversation::new(conversation.clone(), members);
        for person in first..first + 2 {
            let resident = &self.residents[person];
            let (user, role) = (resident.user.clone(), resident.role.into());
            let joined = Membership { user, role, change: membership::Change::Joined.into(), visible_from: 1 };
            self.server_says(&mut made, body::Kind::Membership(joined));
        }
        let state = consultation_change::State::Open.into();
        let opened = ConsultationChange { consultation: self.id(), state, reason: "accepted".into(), ..ConsultationChange::default() };
        self.server_says(&mut made, body::Kind::Consultation(opened));
        self.conversations.insert(conversation, made);
    }

    fn server_says(&mut self, conversation: &mut Conversation, kind: body::Kind) {
        let draft = Draft { id: self.id(), body: Body { kind: Some(kind) }, ..Draft::default() };
        conversation.append(draft, conversation.next_at_ms(now_ms()));
    }

    pub fn id(&mut self) -> String {
        uuid::Builder::from_unix_timestamp_millis(unix_ms(), &self.dice.bytes()).into_uuid().to_string()
    }

    pub fn by_token(&self, access_token: &str) -> Option<usize> {
        self.residents.iter().position(|resident| resident.access_token == access_token)
    }

    pub fn register(&mut self, person: usize, device: String, out: mpsc::UnboundedSender<Out>) -> u64 {
        self.next_line += 1;
        self.lines.insert(self.next_line, Line { person, device, out });
        self.next_line
    }

    pub fn unregister(&mut self, line: u64) {
        self.lines.remove(&line);
    }

    pub fn lines_of(&self, person: usize) -> impl Iterator<Item = &Line> {
        self.lines.values().filter(move |line| line.person == person)
    }

    pub fn is_here(&self, person: usize) -> bool {
        self.lines_of(person).next().is_some()
    }

    pub fn tell(&self, line: u64, event: impl Into<Event>) {
        if let Some(line) = self.lines.get(&line) {
            // A socket that ends just now takes nothing more.
            let _ = line.out.send(Out::Event(event.into()));
        }
    }

    pub fn tell_person(&self, person: usize, event: impl Into<Event>) {
        let event = event.into();
        for line in self.lines_of(person) {
            let _ = line.out.send(Out::Event(event.clone()));
        }
    }

    /// An entry to one person, and after it what was held back from him.
    pub fn deliver(&mut self, person: usize, entry: &Entry) {
        self.tell_person(person, entry.clone());
        if let Some(held) = self.held.remove(&person) {
            self.tell_person(person, held);
        }
    }

    pub fn refuse(&self, line: u64, code: chat::errors::Code, re: &str, conversation: &str) {
        self.tell(line, code.to_event(re, conversation));
    }

    /// A conversation of `person`'s, in which he may still hear what is new.
    pub fn own(&mut self, person: usize, conversation: &str) -> Option<&mut Conversation> {
        self.conversations.get_mut(conversation).filter(|found| found.is_member(person))
    }
}

pub fn now_ms() -> i64 {
    i64::try_from(unix_ms()).unwrap_or(i64::MAX)
}

impl Stall {
    /// Whether what comes now has to wait. The first message starts the time.
    pub fn holds(&mut self, now_micros: u64, is_message: bool) -> bool {
        if let Some((from, until)) = self.after_micros.filter(|_| is_message && self.until == 0) {
            (self.from, self.until) = (now_micros + from, now_micros + until);
        }
        (self.from..self.until).contains(&now_micros)
    }
}
