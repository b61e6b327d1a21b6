//! Black box: stock clients against a running `smack`; the same scenario runs against the JVM original.
//!
//! Knows: the binary, its `ports.json`, stock clients and how to install them. Never: a crate of this workspace.
//!
//! `SUBJECT` chooses what is tested: `smack` (the default; `SMACK_BIN` or the release build), `original`, or `host:port` of a
//! broker that already runs. A scenario checks what it sees by value and answers with facts as JSON. The facts of the
//! original are kept in `facts/` (`RECORD=1 SUBJECT=original` writes them) and every subject must give the same, but for what
//! `differences.toml` allows, each with its reason.

pub mod both;
pub mod broker;
pub mod certificate;
pub mod clients;
pub mod cql;
pub mod dice;
pub mod disk;
pub mod examples;
pub mod facts;
mod guard;
pub mod harm;
pub mod mesos;
pub mod process;
pub mod program;
pub mod raw;
pub mod spark;
pub mod zookeeper;

pub use both::Both;
pub use broker::{Broker, Subject};
pub use program::Program;
pub use zookeeper::ZooKeeper;

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
