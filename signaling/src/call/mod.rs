//! One call as a pure state machine: no clock, no I/O, no spawn inside.
//!
//! Wishes of people never change the durable phase: they become proposals to the log, and only what the log recorded
//! (`Input::Recorded`) moves inviting → ringing → connecting → ended. So a machine on another node, or two wishes at the same
//! moment, cannot disagree: the log lets one of them through. Active and reconnecting follow the reports of the two devices.

mod machine;
mod meter;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod tests;

pub use machine::Call;
pub use meter::Meter;

use crate::{error::CallError, signal::Checked};
use chat::ids::{DeviceId, Timestamp, UserId};
use chat::wire::{self, CallEndReason, CallMedia};

/// The inviter is impolite and makes the first offer, the callee is polite and gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Inviter,
    Callee,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Inviter, Self::Callee];

    pub fn other(self) -> Self {
        match self {
            Self::Inviter => Self::Callee,
            Self::Callee => Self::Inviter,
        }
    }

    pub fn is_polite(self) -> bool {
        self == Self::Callee
    }
}

/// A person in a call, and the one device that carries the media once it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    pub user: UserId,
    pub device: Option<DeviceId>,
}

/// A device of a party; whoever is not a party of the call never becomes a `Speaker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    pub side: Side,
    pub device: DeviceId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The invitation is not recorded yet; a cancel that comes meanwhile waits for it.
    Inviting {
        deadline: Timestamp,
        cancelled: bool,
    },
    Ringing {
        deadline: Timestamp,
    },
    Connecting {
        deadline: Timestamp,
        at_most: Timestamp,
    },
    /// `lonely_since`: neither person has had a socket since then. Media may flow on without us.
    Active {
        lonely_since: Option<Timestamp>,
    },
    Reconnecting {
        deadline: Timestamp,
    },
    Ended(CallEndReason),
}

impl Phase {
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Answered and not over: signalling is relayed.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Connecting { .. } | Self::Active { .. } | Self::Reconnecting { .. })
    }

    pub fn on_wire(self) -> wire::call_snapshot::Phase {
        match self {
            Self::Inviting { .. } | Self::Ringing { .. } => wire::call_snapshot::Phase::Ringing,
            Self::Connecting { .. } => wire::call_snapshot::Phase::Connecting,
            Self::Active { .. } => wire::call_snapshot::Phase::Active,
            Self::Reconnecting { .. } => wire::call_snapshot::Phase::Reconnecting,
            Self::Ended(_) => wire::call_snapshot::Phase::Ended,
        }
    }
}

/// What a person's device asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// This device shows the incoming call.
    Ringing,
    Accept,
    Reject {
        busy: bool,
    },
    Cancel,
    HangUp,
    Signal(Checked),
    Report(Report),
    /// New TURN credentials.
    Ice,
    Attach {
        media_kept: bool,
    },
    ChangeMedia(CallMedia),
}

/// A device's view of its peer connection; also the sign that it is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub link: Link,
    pub loss_permille: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Link {
    #[default]
    New,
    Connected,
    Reconnecting,
    Failed,
}

/// What only the log can make true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Invited { deadline: Timestamp },
    Accepted { device: DeviceId },
    Ended(Ended),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub reason: CallEndReason,
    pub connected_ms: u32,
    pub gaps: u32,
    /// Who ended it; none when a timer did.
    pub by: Option<Side>,
    pub media: CallMedia,
}

/// A fact the machine asks the log to record. Only `Call` makes one; the answer to it hands it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub(crate) fact: Fact,
    pub(crate) asked_by: Option<Speaker>,
}

impl Proposal {
    pub fn fact(&self) -> &Fact {
        &self.fact
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Wish {
        from: Speaker,
        wish: Wish,
    },
    Recorded(Proposal),
    /// The log or the callee's line said no, for this reason.
    Refused(Proposal, CallError),
    /// The conversation was closed under the call.
    ConversationClosed,
    /// Whether any of the two has a socket; asked now and then.
    Sockets {
        any: bool,
    },
    Tick,
}

/// Who hears an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The device that carries this side's media; nobody while it is unknown.
    Seat(Side),
    Device(Side, DeviceId),
    AllDevices(Side),
    OtherDevices(Side, DeviceId),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Propose(Proposal),
    /// Ephemeral. `Started`, `Ice` and `Snapshot` are given their servers and credentials by the service.
    Tell(To, wire::call_event::Kind),
    /// A typed refusal to the device that asked.
    Answer(Speaker, CallError),
}
