//! Generated from chat/proto at build time; written by nobody.

#![allow(clippy::all, unused_qualifications, missing_debug_implementations)] // generated code

include!(concat!(env!("OUT_DIR"), "/wenzhen.v1.rs"));
include!(concat!(env!("OUT_DIR"), "/wenzhen.v1.serde.rs"));
