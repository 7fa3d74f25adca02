//! A person at his socket: says what the schedule intends, hears and checks what comes, comes back when the socket is lost, and at
//! the end makes his stream whole. Scenarios drive him over a channel and add what is their own.

mod backoff;
mod come_back;
mod hear;
mod read_back;
mod say;

pub use read_back::{all_done, read_all};

use crate::connect::{ComeBack, Ended, Socket};
use crate::people::Role;
use crate::run::Run;
use chat::wire::{CallEvent, Entry, body, command};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// The kernel makes at least two of its pages of it.
const SLOW_RECEIVE_BUFFER_BYTES: usize = 4096;
const RECEIVE_BUFFER_BYTES: usize = 128 * 1024;

/// How somebody behaves.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Sends delivered and read marks when he answers.
    pub marks: bool,
    /// Shows that he is typing before a line.
    pub typing: bool,
    /// Comes back when his socket is lost.
    pub comes_back: bool,
    /// Reads at most this many bytes a second; 0 = never reads after `welcome`.
    pub reads_bytes_per_s: Option<u64>,
    /// Says the next line as soon as the last is answered, until this moment.
    pub closed_until_micros: Option<u64>,
    /// He misbehaves on purpose: the ledger checks him like everybody, but his latencies are not measured, and what is refused him
    /// or lost to him counts as expected, under this word. Lines whose moment passes while he has no socket he does not send.
    pub apart: Option<&'static str>,
}

impl Default for Habits {
    fn default() -> Self {
        Self { marks: true, typing: false, comes_back: true, reads_bytes_per_s: None, closed_until_micros: None, apart: None }
    }
}

/// What a talker is told to do.
#[derive(Debug)]
pub enum Do {
    /// A line of his own, checked by the ledger.
    Say { intended_micros: u64 },
    /// A picture or a voice that was uploaded and is in the ledger already under this id.
    Attach { id: String, body: body::Kind },
    /// Any other command; what becomes of it the scenario hears for itself.
    Command(command::Kind),
    /// Loses his socket without a word and comes back: a change of network.
    LoseSocket,
    /// Answers when everything told before has been done.
    Reach { done: oneshot::Sender<()> },
    /// Reads at another speed from now on, as in [`Habits`]; less than full speed also with the smallest buffer of the kernel.
    Read { bytes_per_s: Option<u64> },
    /// Makes his stream whole, and reads the conversation back when he is its reader; then ends.
    Finish { reader: bool, done: oneshot::Sender<()> },
}

/// What the scenario hears: calls, their entries, refusals that are not of lines, and how the socket fares.
#[derive(Clone, Debug)]
pub enum Told {
    Call {
        at_micros: u64,
        event: CallEvent,
    },
    /// An entry of a call; it may be heard twice, live and in a page.
    Entry(Entry),
    /// Somebody else's picture or voice, for the first time.
    Attached(Entry),
    Refused {
        re: String,
        code: String,
    },
    /// The server dropped what waited for him.
    Lagging,
    Ended,
    Current,
}

/// Whose doing a lost socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Suffered,
    Meant,
}

/// A line under way.
#[derive(Debug)]
struct UnderWay {
    id: String,
    departed_micros: u64,
    record: command::Kind,
}

/// The other end of a talker.
#[derive(Debug)]
pub struct Seat {
    pub person: u32,
    pub conversation: u32,
    to: mpsc::UnboundedSender<Do>,
}

impl Seat {
    /// Never waits: the schedule bounds the queue, and a bound here would close the loop.
    pub fn tell(&self, doing: Do) {
        // A talker who is gone for good says so in the accounts.
        let _ = self.to.send(doing);
    }

    pub fn sender(&self) -> mpsc::UnboundedSender<Do> {
        self.to.clone()
    }
}

pub struct Talker {
    run: Arc<Run>,
    person: u32,
    /// Number of his conversation in the ledger, and which of its members he is.
    conversation: u32,
    slot: u8,
    socket: Option<Socket>,
    device: uuid::Uuid,
    habits: Habits,
    inbox: mpsc::UnboundedReceiver<Do>,
    told: Option<mpsc::UnboundedSender<Told>>,
    under_way: VecDeque<UnderWay>,
    /// A pull whose page has not come.
    pulling: bool,
    /// The answers to `resume` are still coming.
    resuming: bool,
    /// A slow reader reads nothing until then.
    deaf_until_micros: Option<u64>,
    /// What his last loss asks him to do; none = he stays away.
    asked: Option<ComeBack>,
    /// When this socket opened.
    here_since_micros: u64,
    /// Newest seq anybody spoke of.
    head_seq: u64,
    unmarked: bool,
    /// Since when he waits for something to do: what keeps him longer than this is not the server's doing.
    idle_since_micros: u64,
    /// When the socket was lost, until he is current again.
    behind_since_micros: Option<u64>,
    dice: crate::seed::Seeded,
}

impl Talker {
    /// Seats a person who has a socket. `head_seq` is his conversation's newest entry before the run.
    pub fn seat(
        run: &Arc<Run>,
        person: u32,
        socket: Socket,
        head_seq: u64,
        habits: Habits,
        told: Option<mpsc::UnboundedSender<Told>>,
    ) -> (Seat, tokio::task::JoinHandle<()>) {
        let who = &run.people[person as usize];
        let conversation = run.ledger(|ledger| ledger.conversation(&who.conversation, head_seq));
        let (to, inbox) = mpsc::unbounded_channel();
        let mut dice = crate::seed::Seeded::new(run.plan.seed, &format!("talker {person}"));
        let talker = Self {
            run: run.clone(),
            person,
            conversation,
            slot: if who.role == Role::Patient { 0 } else { 1 },
            socket: Some(socket),
            device: dice.uuid(),
            habits,
            inbox,
            told,
            under_way: VecDeque::new(),
            pulling: false,
            resuming: false,
            deaf_until_micros: None,
            asked: None,
            here_since_micros: 0,
            head_seq,
            unmarked: false,
            idle_since_micros: 0,
            behind_since_micros: None,
            dice,
        };
        (Seat { person, conversation, to }, tokio::spawn(talker.stay()))
    }

    async fn stay(mut self) {
        if self.habits.closed_until_micros.is_some() {
            tokio::time::sleep_until(self.run.clock.at(self.run.start_micros())).await;
            self.say(self.run.clock.micros()).await;
        }
        let mut renewal = Box::pin(tokio::time::sleep(self.until_renewal()));
        loop {
            self.idle_since_micros = self.run.clock.micros();
            let Some(socket) = self.socket.as_mut() else {
                if !self.gone().await {
                    return;
                }
                continue;
            };
            let reading = self.habits.reads_bytes_per_s != Some(0) && self.deaf_until_micros.is_none();
            let hears_again = self.run.clock.at(self.deaf_until_micros.unwrap_or(0));
            tokio::select! {
                biased;
                doing = self.inbox.recv() => match doing {
                    Some(Do::Finish { reader, done }) => {
                        self.finish(reader).await;
                        // The conductor may have lost patience.
                        let _ = done.send(());
                        return;
                    }
                    Some(doing) => self.act(doing).await,
                    None => return,
                },
                heard = socket.next(), if reading => match heard {
                    Ok(kind) => {
                        self.read_slowly(&kind);
                        self.hear(kind).await;
                    }
                    Err(ended) => self.lost(ended, Loss::Suffered),
                },
                () = tokio::time::sleep_until(hears_again), if self.deaf_until_micros.is_some() => self.deaf_until_micros = None,
                () = &mut renewal => {
                    self.renew().await;
                    renewal.set(tokio::time::sleep(self.until_renewal()));
                }
            }
        }
    }

    async fn act(&mut self, doing: Do) {
        match doing {
            Do::Say { intended_micros } if self.habits.apart.is_some() && intended_micros < self.here_since_micros => {
                self.fail("not_sent");
            }
            Do::Say { intended_micros } => self.say(intended_micros).await,
            Do::Attach { id, body } => self.attach(id, body).await,
            Do::Command(kind) => self.send(kind).await,
            // Whoever asked may have lost patience.
            Do::Reach { done } => drop(done.send(())),
            Do::LoseSocket => self.lost(Ended::Broken, Loss::Meant),
            Do::Read { bytes_per_s } => self.read_at(bytes_per_s),
            Do::Finish { .. } => {}
        }
    }

    fn read_at(&mut self, bytes_per_s: Option<u64>) {
        self.habits.reads_bytes_per_s = bytes_per_s;
        self.deaf_until_micros = None;
        if let Some(socket) = self.socket.as_ref() {
            // With the small one even a willing reader would take seconds for what has piled up.
            socket.set_receive_buffer(if bytes_per_s.is_some() { SLOW_RECEIVE_BUFFER_BYTES } else { RECEIVE_BUFFER_BYTES });
        }
    }

    /// A failure, unless he misbehaves on purpose.
    fn fail(&self, class: &str) {
        match self.habits.apart {
            Some(word) => self.run.meters.expected(&format!("{word}_{class}")),
            None => self.run.fail(class),
        }
    }

    async fn send(&mut self, kind: command::Kind) {
        if let Some(socket) = self.socket.as_mut()
            && socket.send(kind).await.is_err()
        {
            self.lost(Ended::Broken, Loss::Suffered);
        }
    }

    fn tell(&self, told: Told) {
        if let Some(to) = &self.told {
            // The scenario may have heard enough.
            let _ = to.send(told);
        }
    }
}

impl std::fmt::Debug for Talker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Talker({})", self.person)
    }
}
