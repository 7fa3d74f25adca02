//! Work for the ledger's checkers that no scenario of this crate does yet: bookings, which the product has not, calls and payments.
//! They speak to the selftest server over the network like everybody else.

mod calls;
mod money;
mod slots;

pub use calls::{CALLS, calls};
pub use money::{REFUNDS, money};
pub use slots::{among_slots, slots};

use super::expect::Findings;

fn findings(classes: impl IntoIterator<Item = (&'static str, u64)>) -> Findings {
    let classes = classes.into_iter().filter(|(_, count)| *count > 0).map(|(class, count)| (class.to_owned(), count)).collect();
    Findings { classes, exit_code: None, latency: None }
}
