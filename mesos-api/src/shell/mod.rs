//! The tasks that own a core: they hand it inputs one at a time, and do what it wants done.
//!
//! Knows: channels, timers, processes, files of a sandbox. Never: HTTP, or what a message means.

mod agent;
mod master;
mod process;
mod resources;

pub(crate) use agent::{AgentHandle, AgentStart};
pub(crate) use master::{CallError, MasterHandle, Subscription};
pub(crate) use resources::resources;

use crate::core::Now;
use server_kit::Clock;
use std::time::Duration;

/// How often a core is told that time went by; the master's allocation interval.
const TICK: Duration = Duration::from_secs(1);
/// Inputs that may wait for a core.
const INPUTS_MAX: usize = 1024;

fn now(clock: &dyn Clock) -> Now {
    Now {
        wall: Duration::from_millis(u64::try_from(clock.now_ms()).unwrap_or(0)),
        elapsed: clock.elapsed(),
    }
}
