//! Compiles chat/proto with protox (no system protoc): prost types, and pbjson's canonical proto3 JSON for them.

use prost_build::Config;
use std::error::Error;

const FILES: [&str; 3] = ["wenzhen/v1/entry.proto", "wenzhen/v1/call.proto", "wenzhen/v1/socket.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let mut config = Config::new();
    config.bytes(["."]);
    config.skip_debug([
        "wenzhen.v1.Hello",
        "wenzhen.v1.Refresh",
        "wenzhen.v1.Text",
        "wenzhen.v1.CallSignal",
        "wenzhen.v1.IceServer",
        "wenzhen.v1.IceCandidate",
    ]);
    let encoded = prost::Message::encode_to_vec(&descriptors);
    config.compile_fds(descriptors)?;
    pbjson_build::Builder::new().register_descriptors(&encoded)?.ignore_unknown_fields().build(&[".wenzhen"])?;
    Ok(())
}
