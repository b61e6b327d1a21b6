//! What is measured of a CQL server, in the order of the report, and what is aimed at.

use super::super::cases::{Aim, Case, less, more};

/// A load, and the names of its figures: operations a second, the same for each second of the server's processor time,
/// and the time within which 99 of 100 are answered at a rate that is the same on both sides.
pub(super) struct Load {
    pub(super) name: &'static str,
    pub(super) rate: &'static str,
    pub(super) work: &'static str,
    pub(super) p99: &'static str,
}

macro_rules! load {
    ($name:literal, $title:literal, $unit:literal, $paced:literal) => {
        Load {
            name: $name,
            rate: concat!($title, ", ", $unit, "/s"),
            work: concat!($title, ", ", $unit, " per server-core-second"),
            p99: concat!($title, ", p99 ms at ", $paced, "/s"),
        }
    };
}

pub(super) const LOADS: [Load; 9] = [
    load!("insert", "INSERT of 200 B", "rows", "10,000"),
    load!("select", "SELECT by key", "rows", "3,000"),
    load!("range", "range of 100 rows", "ranges", "1,000"),
    load!("lwt", "INSERT IF NOT EXISTS", "rows", "1,200"),
    load!("batch", "logged batch of 10", "batches", "1,200"),
    load!("counter", "counter", "updates", "5,000"),
    load!("scan", "scan by 64 token ranges", "rows", "60,000"),
    load!("index", "INSERT with an index", "rows", "5,000"),
    load!("view", "INSERT with a view", "rows", "2,000"),
];

/// How many times better each load is to be for each second of processor time; nobody has set one for the last two.
const AIMS: [Option<f64>; LOADS.len()] = [
    Some(5.0),
    Some(8.0),
    Some(5.0),
    Some(20.0),
    Some(5.0),
    Some(15.0),
    Some(5.0),
    None,
    None,
];

/// Of `--grow`: point reads and writes a second on a table that has grown, against the same when it was small.
pub(super) const GROWN_READS: &str = "SELECT by key on a grown table, rate against before";
pub(super) const GROWN_WRITES: &str = "INSERT into a grown table, rate against before";

pub(super) const START: &str = "start to first answer, ms";
pub(super) const MEMORY_IDLE: &str = "memory idle, MB";
pub(super) const MEMORY_LOADED: &str = "memory loaded, MB";
pub(super) const DISK: &str = "disk for all rows, MB";

const OTHERS: [Case; 6] = [
    more(GROWN_READS, Aim::AtLeast(0.7)),
    more(GROWN_WRITES, Aim::AtLeast(0.7)),
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
        // 99 of 100 in a fifth of the time.
        let (work, p99) = match AIMS[at] {
            Some(aim) => (Aim::Times(aim), Aim::Times(5.0)),
            None => (Aim::None, Aim::None),
        };
        cases[at * 3 + 1] = more(LOADS[at].work, work);
        cases[at * 3 + 2] = less(LOADS[at].p99, p99);
        at += 1;
    }
    let mut other = 0;
    while other < OTHERS.len() {
        cases[LOADS.len() * 3 + other] = OTHERS[other];
        other += 1;
    }
    cases
}
