//! The double-entry ledger (复式账): what moved, for which order, and the proof that nothing is missing.
//!
//! Rows are only ever inserted; the database refuses updates and deletes. A posting happens in the transaction that made it
//! true, never in a job behind it. Other slices hand in a [`Transaction`]; only this folder knows the tables.

mod account;
mod check;
mod fen;
mod post;
mod transaction;
mod verify;

pub use account::{Account, Channel};
pub(crate) use check::check_hourly;
pub use fen::{AmountOutOfRange, Fen};
pub(crate) use post::post;
pub use transaction::{Kind, Line, Transaction};
pub use verify::{Finding, LedgerReport, verify};

crate::column!(Fen as i64, Int, |amount| amount.get(), |raw| Fen::new(raw).map_err(|_| crate::db::DbError::Unreadable("Fen")));
