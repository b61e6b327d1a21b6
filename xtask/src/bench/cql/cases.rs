//! What is measured of a CQL server, in the order of the report, and what is aimed at.

use super::super::cases::{Aim, Case, less, more};

/// A load, and the names of its figures: operations a second, the same for each second of the server's processor time,
/// and the time within which 99 of 100 are answered.
pub(super) struct Load {
    pub(super) name: &'static str,
    pub(super) rate: &'static str,
    pub(super) work: &'static str,
    pub(super) p99: &'static str,
}

macro_rules! load {
    ($name:literal, $title:literal, $unit:literal) => {
        Load {
            name: $name,
            rate: concat!($title, ", ", $unit, "/s"),
            work: concat!($title, ", ", $unit, " per server-core-second"),
            p99: concat!($title, ", p99 ms"),
        }
    };
}

pub(super) const LOADS: [Load; 7] = [
    load!("insert", "INSERT of 200 B", "rows"),
    load!("select", "SELECT by key", "rows"),
    load!("range", "range of 100 rows", "ranges"),
    load!("lwt", "INSERT IF NOT EXISTS", "rows"),
    load!("batch", "logged batch of 10", "batches"),
    load!("counter", "counter", "updates"),
    load!("scan", "scan by 64 token ranges", "rows"),
];

/// How many times better each load is to be for each second of processor time.
const AIMS: [f64; LOADS.len()] = [5.0, 8.0, 5.0, 20.0, 5.0, 15.0, 5.0];

pub(super) const START: &str = "start to first answer, ms";
pub(super) const MEMORY_IDLE: &str = "memory idle, MB";
pub(super) const MEMORY_LOADED: &str = "memory loaded, MB";
pub(super) const DISK: &str = "disk for all rows, MB";

const OTHERS: [Case; 4] = [
    less(START, Aim::Under(200.0)),
    less(MEMORY_IDLE, Aim::Under(60.0)),
    less(MEMORY_LOADED, Aim::Under(400.0)),
    less(DISK, Aim::Times(1.0)),
];

const COUNT: usize = LOADS.len() * 3 + OTHERS.len();

pub(super) const CASES: &[Case] = &all();

const fn all() -> [Case; COUNT] {
    let mut cases = [const { more("", Aim::None) }; COUNT];
    let mut at = 0;
    while at < LOADS.len() {
        cases[at * 3] = more(LOADS[at].rate, Aim::None);
        cases[at * 3 + 1] = more(LOADS[at].work, Aim::Times(AIMS[at]));
        // 99 of 100 in a fifth of the time.
        cases[at * 3 + 2] = less(LOADS[at].p99, Aim::Times(5.0));
        at += 1;
    }
    let mut other = 0;
    while other < OTHERS.len() {
        cases[LOADS.len() * 3 + other] = OTHERS[other];
        other += 1;
    }
    cases
}
