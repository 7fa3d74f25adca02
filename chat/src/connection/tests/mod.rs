//! The socket over real loopback connections: an axum server, the embedded log in a temporary folder, tokio-tungstenite as client.

mod back_pressure;
mod bad_input;
mod hello;
mod history;
mod life;
mod limits;
mod rig;
mod talk;
