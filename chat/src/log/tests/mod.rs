//! The embedded engine as its users see it. What every engine must do stands in `conformance`; here is what only this one does.

mod basics;
mod conforming;
mod durability;
mod links;
mod repairing;
mod replaying;
pub mod rig;
mod verifying;
