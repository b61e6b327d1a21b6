//! Compiles `proto/` to Rust types: prost derives the protobuf side, serde the JSON side of the same structs.
//!
//! Knows: how libprocess maps protobuf to JSON, as attributes of fields ([`json`]). Never: needs protoc.

mod json;

use std::{env, error::Error, fs, path::PathBuf};

const FILES: &[&str] = &[
    "mesos/v1/mesos.proto",
    "mesos/v1/scheduler/scheduler.proto",
    "mesos/v1/executor/executor.proto",
    "mesos/v1/master/master.proto",
    "mesos/v1/agent/agent.proto",
];

#[allow(clippy::print_stdout, reason = "cargo reads these lines")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = protox::compile(FILES, ["proto"])?;
    let mut config = prost_build::Config::new();
    config.btree_map(["."]);
    config.compile_well_known_types();
    config.include_file("types.rs");
    for file in &mut files.file {
        // google/protobuf/duration.proto alone is proto3; what is not set is absent in it, too.
        file.syntax = None;
        json::flatten_oneofs(&mut file.message_type);
    }
    let helpers = json::map(&files, &mut config);
    for file in &mut files.file {
        json::undeprecate(&mut file.message_type);
    }
    fs::write(out.join("helpers.rs"), helpers)?;
    config.compile_fds(files)?;
    Ok(())
}
