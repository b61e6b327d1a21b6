//! What every server is bolted to: clock, randomness, shutdown, listeners, connections, limits, tracing, metrics, the admin port
//! and its console.
//!
//! Knows: sockets, signals, time, chance, connections of HTTP, what operators ask by it.
//! Never: a protocol that clients speak, or storage.

mod admin;
mod clock;
mod connections;
pub mod console;
mod http;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod listener;
mod logging;
mod process;
mod process_metrics;
mod random;
mod received;
mod share;
mod stream;
mod traffic;

pub use admin::{Admin, Ready};
pub use clock::{Clock, ManualClock, SystemClock};
pub use connections::{Connections, Door, NoSeat, Patience, Phase, Place, Told, Watched};
pub use http::{HttpLimits, serve_http};
pub use listener::{Listener, SocketOptions};
pub use logging::{LogFormat, LogLevel, LogLevels, log_levels, set_log_levels, start_logging};
pub use process::{Signals, half_of_processors, host_name, raise_open_files};
pub use process_metrics::{process_section, register_process};
pub use prometheus_client::registry::Registry;
pub use random::Random;
pub use received::Received;
pub use share::Share;
pub use stream::{Identity, Stream, TlsAcceptor, TlsError, TlsOptions};
pub use traffic::{Latency, Traffic};
