//! What is measured of the whole stack, in the order of the report, and what is aimed at.

use super::super::cases::{Aim, Case, less, more};

/// How the example `events` is fed, and the names of its figures.
#[derive(Clone, Copy)]
pub(super) struct Feed {
    pub(super) name: &'static str,
    /// Events, and how many of them are posted in a second.
    pub(super) events: u32,
    pub(super) rate: u32,
    pub(super) rows: &'static str,
    pub(super) p50: &'static str,
    pub(super) p99: &'static str,
    pub(super) processors: &'static str,
}

macro_rules! feed {
    ($name:literal, $events:literal, $rate:literal, $title:literal) => {
        Feed {
            name: $name,
            events: $events,
            rate: $rate,
            rows: concat!($title, ", rows/s through the pipeline"),
            p50: concat!($title, ", from HTTP to row, p50 s"),
            p99: concat!($title, ", from HTTP to row, p99 s"),
            processors: concat!($title, ", servers' CPU s"),
        }
    };
}

pub(super) const STEADY: Feed = feed!("steady", 3_000, 200, "200 events/s");
/// More than anybody's pipeline takes: it is posted as fast as the endpoint answers.
pub(super) const BURST: Feed = feed!("burst", 10_000, 1_000_000, "events at once");
pub(super) const FEEDS: [Feed; 2] = [STEADY, BURST];

pub(super) const AKKA: &str = "akka";
pub(super) const AKKA_WALL: &str = "Akka pipeline, s";
pub(super) const AKKA_PROCESSORS: &str = "Akka pipeline, servers' CPU s";

pub(super) const FIRST_ROW: &str = "start of everything to first row, s";
pub(super) const SERVERS: &str = "start of the servers, s";
pub(super) const MEMORY: &str = "servers' memory at most, MB";

pub(super) const CASES: &[Case] = &[
    more(STEADY.rows, Aim::None),
    less(STEADY.p50, Aim::None),
    less(STEADY.p99, Aim::None),
    less(STEADY.processors, Aim::Times(4.0)),
    more(BURST.rows, Aim::None),
    less(BURST.p50, Aim::None),
    less(BURST.p99, Aim::None),
    less(BURST.processors, Aim::Times(4.0)),
    less(AKKA_WALL, Aim::None),
    less(AKKA_PROCESSORS, Aim::Times(4.0)),
    less(SERVERS, Aim::None),
    less(FIRST_ROW, Aim::Times(2.0)),
    less(MEMORY, Aim::Times(10.0)),
];
