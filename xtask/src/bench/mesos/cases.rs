//! What is measured of master and agent, in the order of the report, what is aimed at, and what the original needs.

use super::super::cases::{Aim, Case, less, more};

pub(super) const RUNNING: &str = "tasks of `true` launched to RUNNING, tasks/s";
pub(super) const FINISHED: &str = "tasks of `true` launched to FINISHED, tasks/s";
pub(super) const WORK: &str = "tasks of `true`, tasks per server-core-second";
pub(super) const P50: &str = "launch to RUNNING, p50 ms";
pub(super) const P99: &str = "launch to RUNNING, p99 ms";
pub(super) const SINGLE: &str = "launch to FINISHED, p50 ms";
pub(super) const START: &str = "start to first answer, ms";
pub(super) const MEMORY: &str = "memory idle of master and agent, MB";
pub(super) const CYCLE: &str = "fleet: allocation cycle, ms";
pub(super) const SUMMARY: &str = "fleet: /state-summary, ms";
pub(super) const FLEET_MEMORY: &str = "fleet: memory, MB";

pub(super) const CASES: &[Case] = &[
    more(RUNNING, Aim::AtLeast(500.0)),
    more(FINISHED, Aim::None),
    more(WORK, Aim::None),
    less(P50, Aim::Under(10.0)),
    less(P99, Aim::None),
    less(SINGLE, Aim::None),
    less(START, Aim::Under(100.0)),
    less(MEMORY, Aim::Under(40.0)),
    less(CYCLE, Aim::Under(100.0)),
    less(SUMMARY, Aim::Under(200.0)),
    less(FLEET_MEMORY, Aim::Under(1024.0)),
];

/// Recorded once of Mesos 1.11, master and agent in one process, on two cores that did little else.
pub(super) const ORIGINAL: &[(&str, &[f64])] = &[
    (FINISHED, &[14.0]),
    (P50, &[120.0, 160.0]),
    (SINGLE, &[210.0, 240.0]),
    (START, &[280.0]),
    (MEMORY, &[81.0, 91.0]),
];
