//! Who may call which route: one table, enforced before any handler runs, compared with the router by a test.
//!
//! A route without a row is refused to everybody. The table says which kind of person; whose object it is, the queries say:
//! they take the [`Actor`] first and filter by it, and what belongs to somebody else is `not_found`.

mod actor;
mod enforce;
mod table;

pub use actor::Actor;
pub(crate) use enforce::enforce;
pub use table::{Access, RULES, Who, find};

#[cfg(test)]
mod tests;
