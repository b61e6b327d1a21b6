//! What every server is bolted to: clock, randomness, shutdown, listeners, connections, limits, tracing, metrics, the admin port.
//!
//! Knows: sockets, signals, time, chance, HTTP for operators.
//! Never: a protocol that clients speak, or storage.

mod admin;
mod clock;
mod connections;
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
pub use listener::Listener;
pub use logging::{LogFormat, LogLevel, LogLevels, log_levels, set_log_levels, start_logging};
pub use process::{Signals, host_name, raise_open_files};
pub use process_metrics::register_process;
pub use prometheus_client::registry::Registry;
pub use random::Random;
pub use received::Received;
pub use share::Share;
pub use stream::{Stream, TlsAcceptor, TlsOptions};
pub use traffic::{Latency, Traffic};
