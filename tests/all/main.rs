//! Everything that needs more than one crate, a real process, or the repository itself.

mod kills;
mod load;
mod revocation;
mod syncs;
mod tidy;
