//! The closed lists of metrics and phases: what an objective may name.

use std::str::FromStr;

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Metric { $($(#[$doc])* $variant),+ }

        impl Metric {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

metrics! {
    /// Intended moment of opening to `welcome`.
    Open = "open",
    /// Intended moment of a message to its acknowledgement.
    Ack = "ack",
    /// Actual departure to acknowledgement: the server alone, without what waited before it.
    AckService = "ack_service",
    /// Intended moment of a message to its arrival at the other member.
    Delivery = "delivery",
    /// Loss of a socket, or of the server, to being current again: connected, gaps filled, unanswered messages settled.
    Current = "reconnect.current",
    /// A fault, or many sockets dropped at once, to the moment when everybody is current.
    AllCurrent = "reconnect.all",
    /// Start of a server's process to its being ready, after a fault.
    Ready = "server.ready",
    /// Invite to the callee's ring.
    CallRing = "call.ring",
    /// Accept to the caller's `started`.
    CallAnswer = "call.answer",
    /// Invite to the first answer description at the caller: the whole set-up.
    CallSetup = "call.setup",
    /// One relayed signal, sender to receiver.
    CallSignal = "call.signal",
    /// Hang-up to the other party's `over`.
    CallEnd = "call.end",
    UploadImage = "upload.image",
    UploadVoice = "upload.voice",
    Download = "download",
    HistoryPage = "history.page",
    HistoryHttp = "history.http",
    Search = "search",
    Login = "auth.login",
    Refresh = "auth.refresh",
    /// Sign-out to the close of that session's socket.
    Revoke = "auth.revoke",
    /// A plain request with an access token.
    TokenCheck = "auth.check",
    PayCreate = "pay.create",
    /// Payment asked for to order paid.
    PaySettle = "pay.settle",
    PayRefund = "pay.refund",
    /// A hostile connection to its end by the server.
    Shed = "attack.shed",
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    Warmup,
    /// Measured time without a fault; before the first one.
    Steady,
    /// Some people misbehave on purpose; the server is whole.
    Stress,
    /// From a fault until the server answers again.
    Fault,
    /// From there until everybody is current.
    Recovery,
    After,
}

impl Phase {
    pub const ALL: [Self; 6] = [Self::Warmup, Self::Steady, Self::Stress, Self::Fault, Self::Recovery, Self::After];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Steady => "steady",
            Self::Stress => "stress",
            Self::Fault => "fault",
            Self::Recovery => "recovery",
            Self::After => "after",
        }
    }
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || format!("{text:?} is not a phase; there are warmup, steady, stress, fault, recovery, after");
        Self::ALL.into_iter().find(|phase| phase.name() == text).ok_or_else(known)
    }
}
