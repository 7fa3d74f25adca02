//! Calls over a real log in a temporary folder, by simulated devices that only send commands and read what is delivered.

mod calls;
mod hostile;
mod races;
mod rig;
mod sockets;
