//! What this server answers and how far it goes, for the documents that are made from it.

use crate::{
    config::Config,
    connection::OUTPUT_BYTES_MAX,
    handlers::TABLE,
    statements::{
        restrictions::COMBINATIONS_MAX,
        select::{ANSWER_BYTES_MAX, PAGE_BYTES_MAX},
    },
    syntax::{LEVEL, NESTING_MAX},
};
use std::time::Duration;

/// An opcode that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its number.
    pub opcode: u8,
    /// Its name.
    pub name: &'static str,
    /// With what, as people read it.
    pub with: &'static str,
}

/// A limit of what clients may ask, as it is by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// What is limited.
    pub what: &'static str,
    /// How far it goes.
    pub value: String,
    /// What comes beyond it.
    pub beyond: &'static str,
}

/// Every opcode that is answered, by its number.
pub fn answered() -> Vec<Answered> {
    let line = |line: &crate::handlers::Operation| Answered {
        opcode: line.opcode as u8,
        name: line.opcode.name(),
        with: line.answered,
    };
    TABLE.iter().map(line).collect()
}

fn bytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

/// With a comma for each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn bound(what: &'static str, value: String, beyond: &'static str) -> Bound {
    Bound { what, value, beyond }
}

/// Every limit that clients may meet.
pub fn bounds() -> Vec<Bound> {
    let mut bounds = of_connections();
    bounds.extend(of_statements());
    bounds
}

fn of_connections() -> Vec<Bound> {
    let limits = Config::default().limits;
    vec![
        bound(
            "a request with its header",
            bytes(limits.request_bytes_max),
            "0x2200 `Request is too big: ...`, the connection goes on",
        ),
        bound(
            "large requests under way, all connections",
            bytes(limits.in_flight_bytes_max),
            "who comes later waits; 0x1001 for what would expand beyond it",
        ),
        bound(
            "requests of a connection under way",
            grouped(limits.requests_in_flight_max as u64),
            "more are not read until some are answered; all 32,768 streams may be used",
        ),
        bound(
            "answers not taken",
            format!(
                "{} and {}",
                bytes(OUTPUT_BYTES_MAX),
                seconds(limits.write_stall_max)
            ),
            "the connection is closed",
        ),
        bound(
            "connections",
            grouped(limits.connections_max as u64),
            "closed at once",
        ),
    ]
}

fn of_statements() -> Vec<Bound> {
    let Config { limits, timeouts, .. } = Config::default();
    vec![
        bound(
            "dimensions of a vector",
            format!("{} (the original: 2,147,483,647)", grouped(u16::MAX.into())),
            "0x2200",
        ),
        bound(
            "levels of nesting, operators of a term",
            format!("{}, {NESTING_MAX}", NESTING_MAX / LEVEL),
            "0x2000 `Statement is nested too deeply`",
        ),
        bound(
            "prepared statements",
            format!(
                "{}, about (`prepared_statements_cache_size`)",
                bytes(limits.prepared_statements_cache_size)
            ),
            "what was not used lately is forgotten: 0x2500; one of more than half of it is refused, 0x2200",
        ),
        bound(
            "a page",
            format!("the row with which it has {} is its last", bytes(PAGE_BYTES_MAX)),
            "the paging state leads on, as ever",
        ),
        bound("an answer without pages", bytes(ANSWER_BYTES_MAX), "0x1300"),
        bound(
            "combinations of IN, of clustering columns or in a write",
            grouped(COMBINATIONS_MAX),
            "0x2200",
        ),
        bound(
            "a read by keys, any other read",
            format!(
                "{}, {} (`read_request_timeout`, `range_request_timeout`)",
                seconds(timeouts.read),
                seconds(timeouts.range)
            ),
            "0x1200",
        ),
        bound(
            "a write that waits for others in its partition",
            format!("{} (`write_request_timeout`)", seconds(timeouts.write)),
            "0x1100",
        ),
    ]
}
