//! The schema of chat/proto as Rust types, with the canonical proto3 JSON mapping beside prost's binary form.
//!
//! Owns the words and the framing ([`codec`]). Knows no socket and no server: `loadtest` uses it as it is.

pub mod codec;
#[cfg(all(test, feature = "server"))]
mod protocol_document;
mod schema;

pub use schema::*;

/// Types that hold tokens, people's words or addresses of peers print their name and nothing else.
macro_rules! redacted_debug {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )+};
}
redacted_debug!(Hello, Refresh, Text, CallSignal, IceServer, IceCandidate);

/// `Event::from(Sent { .. })` instead of two layers of wrapping.
macro_rules! event_from {
    ($($kind:ident($name:ident)),+ $(,)?) => {$(
        impl From<$name> for Event {
            fn from(value: $name) -> Self { Self { kind: Some(event::Kind::$kind(value)) } }
        }
    )+};
}
event_from!(
    Welcome(Welcome),
    Sent(Sent),
    Entry(Entry),
    Page(Page),
    Heads(Heads),
    Marks(Marks),
    Typing(Typing),
    Presence(Presence),
    HistoryChanged(HistoryChanged),
    Error(Error),
    Pong(Pong),
    Changed(Changed),
    Refreshed(Refreshed),
    Call(CallEvent),
);

/// The same for a client's wishes.
macro_rules! command_from {
    ($($kind:ident($name:ident)),+ $(,)?) => {$(
        impl From<$name> for Command {
            fn from(value: $name) -> Self { Self { kind: Some(command::Kind::$kind(value)) } }
        }
    )+};
}
command_from!(
    Hello(Hello),
    Refresh(Refresh),
    Send(Send),
    Pull(Pull),
    Delivered(MarkDelivered),
    Read(MarkRead),
    Typing(SetTyping),
    WatchPresence(WatchPresence),
    Resume(Resume),
    Ping(Ping),
    Call(CallCommand),
);
