//! The tasks that own a core: they hand it inputs one at a time, and do what it wants done.
//!
//! Rooms: `agent` and `master` (the tasks), `process` (what runs), `fetch` (what is brought before), `resources` (what
//! there is). Knows: channels, timers, processes, files of a sandbox. Never: routes, or what a message means.

mod agent;
mod fetch;
mod keep;
mod master;
mod process;
mod record;
mod resources;
mod statistics;
mod supervise;
mod way;

pub(crate) use agent::{AgentHandle, AgentStart, Attached, ExecutorError};
pub(crate) use master::{CallError, MasterHandle, MasterStart, Subscription};
pub(crate) use resources::{attributes, resources};
pub(crate) use statistics::{Usage, usage};
pub use supervise::supervise;
pub(crate) use way::{Whereabouts, carry};

use crate::core::Now;
use server_kit::Clock;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often a core is told that time went by; the master's allocation interval.
const TICK: Duration = Duration::from_secs(1);
/// Inputs that may wait for a core.
const INPUTS_MAX: usize = 1024;

/// A look at a core, which its task lets others have.
type Look<Core> = Box<dyn FnOnce(&Core) + Send>;

/// Answers what `look` sees of the core whose task takes `asks`.
async fn read<Core: 'static, Ask, T: Send + 'static>(
    asks: &mpsc::Sender<Ask>,
    ask: impl FnOnce(Look<Core>) -> Ask,
    look: impl FnOnce(&Core) -> T + Send + 'static,
) -> Result<T, CallError> {
    let (answer, answered) = oneshot::channel();
    let look = Box::new(move |core: &Core| {
        let _ = answer.send(look(core));
    });
    asks.send(ask(look)).await.map_err(|_| CallError::Stopping)?;
    answered.await.map_err(|_| CallError::Stopping)
}

fn now(clock: &dyn Clock) -> Now {
    Now {
        wall: Duration::from_millis(u64::try_from(clock.now_ms()).unwrap_or(0)),
        elapsed: clock.elapsed(),
    }
}
