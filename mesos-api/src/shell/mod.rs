//! The tasks that own a core: they hand it inputs one at a time, and do what it wants done.
//!
//! Rooms: `agent` and `master` (the tasks), `election` (which master leads), `way` (from an agent to it), `process` and
//! `tied` (what runs), `nursery` (where its supervisors come from), `session` (what goes into it and comes out), `waits` (who waits for it), `rotate` (what it writes),
//! `collect` (what is left of it), `probe` (how tasks are), `fetch` (what is brought before), `resources` (what there is),
//! `folder` (files beside tasks that may not be trusted), `isolation` (what keeps them to themselves: `cgroups`,
//! `namespaces`).
//! Knows: channels, timers, processes, files of a sandbox. Never: routes, or what a message means.

mod agent;
mod cgroups;
mod collect;
mod election;
mod fetch;
mod folder;
mod isolation;
mod keep;
mod master;
mod namespaces;
mod nursery;
mod probe;
mod process;
mod record;
mod resources;
mod rotate;
mod session;
mod statistics;
mod supervise;
mod tied;
mod waits;
mod way;

pub(crate) use agent::{AgentHandle, AgentStart, Attached, ContainerError, ExecutorError};
pub use collect::Collection;
pub(crate) use election::{Candidate, Voters};
pub(crate) use isolation::Isolation;
pub(crate) use master::{CallError, MasterHandle, MasterStart, Subscription};
pub(crate) use resources::{attributes, resources};
pub(crate) use session::Output;
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
