//! The schema of chat/proto as Rust types, with the canonical proto3 JSON mapping beside prost's binary form.

#![allow(clippy::all, unused_qualifications, missing_debug_implementations)] // generated code

include!(concat!(env!("OUT_DIR"), "/wenzhen.v1.rs"));
include!(concat!(env!("OUT_DIR"), "/wenzhen.v1.serde.rs"));

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
