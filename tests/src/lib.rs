//! Harness for tests over real processes: the `wenzhen` binary on a free port with folders of its own, people who act through its
//! public surface only, and sockets that speak the protobuf subprotocol.

pub mod people;
pub mod process;
pub mod rest;
pub mod socket;
