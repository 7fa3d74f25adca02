//! The lies: what each one does, how often it is told, and what a run has to say about it.

/// What kind of work brings the lie to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    Text,
    /// Text for as long as a server can stall in the middle of.
    Stall,
    /// Few lines, so that each one's own time shows.
    Slow,
    /// Many sockets, little to say.
    Connect,
    Calls,
    Money,
    Slots,
}

macro_rules! lies {
    ($($(#[doc = $about:literal])+ $variant:ident = $name:literal, $times:literal times by $load:ident: [$($class:literal),*] also [$($also:literal),*];)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Lie { $($(#[doc = $about])+ $variant),+ }

        impl Lie {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($about),+)),+ }
            }

            /// How often it is told unless somebody asks for another number.
            pub const fn times(self) -> u64 {
                match self { $(Self::$variant => $times),+ }
            }

            pub const fn load(self) -> Load {
                match self { $(Self::$variant => Load::$load),+ }
            }

            /// Each of these has to be reported as often as the lie was told.
            pub const fn classes(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($class),*]),+ }
            }

            /// Follows from the lie, in a number that is not fixed.
            pub const fn also(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($also),*]),+ }
            }
        }
    };
}

lies! {
    /// acknowledged, then neither sent to the other side nor kept
    Drop = "drop", 3 times by Text: ["lost", "gaps"] also [];
    /// a live entry comes twice
    Dup = "dup", 3 times by Text: ["duplicated"] also [];
    /// two neighbours change places on their way to one reader
    Swap = "swap", 3 times by Text: ["reordered"] also [];
    /// one bit of a delivered text is another
    FlipBit = "flip-bit", 3 times by Text: ["corrupted"] also [];
    /// an entry goes to somebody outside the conversation as well
    Misdeliver = "misdeliver", 3 times by Text: ["misdelivered"] also [];
    /// entries go on to somebody who left the conversation; what he says himself is refused
    StaleAccess = "stale-access", 3 times by Text: ["stale_access"] also ["failures.unknown_conversation"];
    /// acknowledged and delivered, later not in the history
    Lose = "lose", 3 times by Text: ["lost"] also [];
    /// acknowledged before it is stored, then the server starts again without it
    AckUnstored = "ack-unstored", 2 times by Text: ["lost"] also ["failures.connection_broken"];
    /// a text that nobody wrote
    Phantom = "phantom", 3 times by Text: ["phantom"] also [];
    /// an entry is dated a minute before its neighbour
    ClockStep = "clock-step", 3 times by Text: ["clock"] also [];
    /// the history shows another hash where one was told before
    Fork = "fork", 3 times by Text: ["forked"] also [];
    /// a resume goes on one entry too far, and what it left out never comes
    WrongOffset = "wrong-offset", 3 times by Text: ["gaps", "failures.connection_broken"] also [];
    /// TCP reset in the middle of a frame; honest afterwards
    ResetMidFrame = "reset", 3 times by Text: ["failures.connection_broken"] also [];
    /// half of a frame, then the end of the stream; honest afterwards
    PartialWrite = "partial-write", 3 times by Text: ["failures.connection_broken"] also [];
    /// nothing is answered for half of the time: the latency of what waited is that of its waiting
    Stall = "stall", 1 times by Stall: [] also [];
    /// one acknowledgement in a hundred takes ten times as long
    SlowTail = "slow-tail", 4 times by Slow: [] also [];
    /// one connection in a hundred is refused
    RefuseConnects = "refuse-connects", 2 times by Connect: ["not_opened.http_503"] also [];
    /// a connection is taken and never read from
    NeverRead = "never-read", 2 times by Connect: ["not_opened.timeout"] also [];
    /// a phone rings that nobody called
    GhostCall = "ghost-call", 3 times by Calls: ["ghost_calls"] also [];
    /// a refund is short by one fen
    OneFen = "one-fen", 2 times by Money: ["money"] also [];
    /// one more place is promised than a slot has
    SellTwice = "sell-twice", 1 times by Slots: ["oversold"] also [];
    /// a promised place is not there in the end
    LoseBooking = "lose-booking", 1 times by Slots: ["undersold"] also [];
}

impl Lie {
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|lie| lie.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_lie_has_its_own_name_and_can_be_seen() {
        let names: HashSet<_> = Lie::ALL.iter().map(|lie| lie.name()).collect();
        assert_eq!(names.len(), Lie::ALL.len());
        assert!(Lie::ALL.len() >= 22);
        for lie in Lie::ALL {
            assert_eq!(Lie::named(lie.name()), Some(*lie));
            assert!(lie.times() > 0 && !lie.about().is_empty());
            let timed = matches!(lie.load(), Load::Stall | Load::Slow);
            assert_eq!(lie.classes().is_empty(), timed, "{lie:?} has to be seen in a class or in the latency");
        }
    }
}
