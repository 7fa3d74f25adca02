//! Scenarios: one file each.
//!
//! A scenario is a function over a [`Part`]: it opens what its people need, awaits [`Part::begin`], does its load at the moments of
//! [`Part::pace`], awaits [`Part::done`], and has its conversations read back. What it measures and finds goes to the run's meters and
//! ledger; it makes no report and knows no verdict. Its own keys are a struct with `deny_unknown_fields`. Adding one: the file, a line
//! in the table below, a paragraph in loadtest/README.md.

mod attack;
mod auth;
mod call;
mod device;
mod history;
mod idle;
mod media;
mod noisy;
mod pay;
mod reconnect;
mod slow;
mod stress;
mod text;

use crate::plan;
use crate::run::{Part, RunError};
use serde::{Deserialize, Serialize};

macro_rules! scenarios {
    ($($(#[doc = $about:literal])+ $variant:ident = $name:literal in $module:ident),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Name { $($(#[doc = $about])+ #[serde(rename = $name)] $variant),+ }

        impl Name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// One line for people.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($about),+)),+ }
            }
        }

        /// Runs one part to its end.
        pub async fn run(part: Part) -> Result<(), RunError> {
            match part.plan.scenario { $(Name::$variant => $module::run(part).await),+ }
        }

        /// The scenario's own keys, before anything is opened.
        pub fn check_options(part: &plan::Part) -> Result<(), String> {
            let options = serde_json::Value::from(part.options.clone());
            match part.scenario {
                $(Name::$variant => serde_json::from_value::<$module::Options>(options).map(drop)),+
            }.map_err(|error| format!("options of {}: {error}", part.scenario))
        }
    };
}

scenarios! {
    /// Hostile connections of many kinds while people talk: each is refused as the protocol says, and in time.
    Attack = "attack" in attack,
    /// Signing in, renewing, signing out, and those who may not.
    Auth = "auth" in auth,
    /// Pairs who call each other: ring, answer, offer and candidates, hang-up; glare, refusals, a change of network.
    Call = "call" in call,
    /// Deep paging and searching while the same conversations are written to.
    History = "history" in history,
    /// Open sockets and heartbeats: memory and timer cost.
    Idle = "idle" in idle,
    /// Pictures and voice clips uploaded, sent and downloaded while people talk.
    Media = "media" in media,
    /// One person sends a hundred times as much as the others: quotas.
    Noisy = "noisy" in noisy,
    /// Orders, payments and refunds with their double clicks, and forged notices; every fen is accounted for.
    Pay = "pay" in pay,
    /// Everybody, or a part, loses his socket at once: how long until all are current.
    Reconnect = "reconnect" in reconnect,
    /// Some read slowly, never, or are half-open: back-pressure.
    Slow = "slow" in slow,
    /// People talking in pairs: acknowledgement and delivery, every message accounted for.
    Text = "text" in text,
}

impl Name {
    /// What protects people from each other is the very thing it tests: a server of ours keeps its limits.
    pub const fn wants_limits(self) -> bool {
        matches!(self, Self::Attack | Self::Noisy)
    }
}

/// What a plan gets from its scenarios where the server is one of ours.
pub fn complete(plan: &mut plan::Plan) {
    plan.faults.extend(reconnect::default_fault(plan));
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known =
            || format!("{text:?} is not a scenario; there are {}", Self::ALL.iter().map(|name| name.name()).collect::<Vec<_>>().join(", "));
        Self::ALL.iter().copied().find(|name| name.name() == text).ok_or_else(known)
    }
}
