//! Black box: stock clients against a running `smack`; the same scenario runs against the JVM original.
//!
//! Knows: the binary, its `ports.json`, stock clients and how to install them. Never: a crate of this workspace.
//!
//! `SUBJECT` chooses what is tested: `smack` (the default; `SMACK_BIN` or the release build), `original`, or `host:port` of a
//! broker that already runs. A scenario checks what it sees by value and answers with facts as JSON. The facts of the
//! original are kept in `facts/` (`RECORD=1 SUBJECT=original` writes them) and every subject must give the same, but for what
//! `differences.toml` allows, each with its reason.

pub mod broker;
pub mod certificate;
pub mod clients;
pub mod cql;
pub mod disk;
pub mod facts;
pub mod harm;
pub mod program;
pub mod raw;

pub use broker::{Broker, Subject};
pub use program::Program;

/// Declares one `#[test]` per scenario of a client: `scenarios!(run: first, second)` calls `run("first")`.
#[macro_export]
macro_rules! scenarios {
    ($run:path: $($scenario:ident),+ $(,)?) => {
        $(
            #[test]
            fn $scenario() {
                if let Err(error) = $run(stringify!($scenario)) {
                    panic!("{error:?}");
                }
            }
        )+
    };
}
