//! What is measured, in the order of the report, and what is aimed at.

use anyhow::{Context, Result};

/// Cases that are measured together, and can be chosen by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Start,
    Produce,
    Consume,
    Latency,
    Synced,
    Growth,
    Partitions,
}

impl Group {
    pub(crate) const ALL: [Group; 7] = [
        Group::Start,
        Group::Produce,
        Group::Consume,
        Group::Latency,
        Group::Synced,
        Group::Growth,
        Group::Partitions,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Group::Start => "start",
            Group::Produce => "produce",
            Group::Consume => "consume",
            Group::Latency => "latency",
            Group::Synced => "synced",
            Group::Growth => "growth",
            Group::Partitions => "partitions",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = Group::ALL.into_iter().find(|group| group.name() == name);
        found.with_context(|| format!("no cases are called {name:?}"))
    }
}

/// A figure, which way is better, and what is aimed at.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) more_is_better: bool,
    pub(crate) aim: Aim,
}

#[derive(Clone, Copy)]
pub(crate) enum Aim {
    /// At least this many times the original.
    Times(f64),
    /// Under this figure.
    Under(f64),
    /// At least this figure.
    AtLeast(f64),
    /// Only reported.
    None,
}

/// Of a load: megabytes per second, and per second of the server's processor time.
pub(crate) type Throughput = [&'static str; 2];

/// What is measured with so many partitions and producers.
pub(crate) struct Growth {
    pub(crate) throughput: Throughput,
    /// Megabytes per second of the client's processor time: it shares the cores with the server.
    pub(crate) client: &'static str,
    /// Of an acknowledgement.
    pub(crate) p99: &'static str,
}

pub(crate) const PRODUCE_100: Throughput =
    ["produce 100 B, MB/s", "produce 100 B, MB per server-core-second"];
pub(crate) const PRODUCE_1024: Throughput =
    ["produce 1 KiB, MB/s", "produce 1 KiB, MB per server-core-second"];
pub(crate) const CONSUME: Throughput = ["consume 1 KiB, MB/s", "consume 1 KiB, MB per server-core-second"];
pub(crate) const FEW: Growth = Growth {
    throughput: [
        "4 partitions, 1 producer, MB/s",
        "4 partitions, 1 producer, MB per server-core-second",
    ],
    client: "4 partitions, 1 producer, MB per client-core-second",
    p99: "4 partitions, 1 producer, p99 of an acknowledgement at 1,000/s, ms",
};
pub(crate) const MANY: Growth = Growth {
    throughput: [
        "1,000 partitions of 200 topics, 200 producers, MB/s",
        "1,000 partitions of 200 topics, 200 producers, MB per server-core-second",
    ],
    client: "1,000 partitions of 200 topics, 200 producers, MB per client-core-second",
    p99: "1,000 partitions of 200 topics, 200 producers, p99 of an acknowledgement at 1,000/s, ms",
};
pub(crate) const ONE_TOPIC: Growth = Growth {
    throughput: [
        "1,000 partitions of one topic, 200 producers, MB/s",
        "1,000 partitions of one topic, 200 producers, MB per server-core-second",
    ],
    client: "1,000 partitions of one topic, 200 producers, MB per client-core-second",
    p99: "1,000 partitions of one topic, 200 producers, p99 of an acknowledgement at 1,000/s, ms",
};
/// [`MANY`] against [`FEW`], as [`Throughput`].
pub(crate) const GROWTH: Throughput = [
    "1,000 partitions and 200 producers, MB/s against 4 and 1",
    "1,000 partitions and 200 producers, MB per server-core-second against 4 and 1",
];
/// p50, p99 and p99.9.
pub(crate) const LATENCY_1000: [&str; 3] = [
    "produce to consume at 1,000/s, p50 ms",
    "produce to consume at 1,000/s, p99 ms",
    "produce to consume at 1,000/s, p99.9 ms",
];
pub(crate) const LATENCY_5000: [&str; 3] = [
    "produce to consume at 5,000/s, p50 ms",
    "produce to consume at 5,000/s, p99 ms",
    "produce to consume at 5,000/s, p99.9 ms",
];
pub(crate) const SYNCED: &str = "synced before every acknowledgement, records/s";
pub(crate) const START: &str = "start to first answer, ms";
pub(crate) const MEMORY_IDLE: &str = "memory idle, MB";
pub(crate) const MEMORY_LOADED: &str = "memory loaded, MB";
pub(crate) const MEMORY_FULL: &str = "memory with all partitions, all just written to, MB";
pub(crate) const START_FULL: &str = "start after kill -9 with all partitions, ms";
pub(crate) const RECOVERED_FULL: &str = "then until every partition has told its end, ms";

pub(crate) const CASES: &[Case] = &[
    more(PRODUCE_100[0], Aim::None),
    more(PRODUCE_100[1], Aim::Times(4.0)),
    more(PRODUCE_1024[0], Aim::None),
    more(PRODUCE_1024[1], Aim::Times(3.0)),
    more(CONSUME[0], Aim::None),
    more(CONSUME[1], Aim::Times(1.2)),
    less(LATENCY_1000[0], Aim::None),
    less(LATENCY_1000[1], Aim::Under(1.0)),
    less(LATENCY_1000[2], Aim::None),
    less(LATENCY_5000[0], Aim::None),
    less(LATENCY_5000[1], Aim::Under(3.0)),
    less(LATENCY_5000[2], Aim::None),
    more(SYNCED, Aim::Times(5.0)),
    less(START, Aim::Under(100.0)),
    less(START_FULL, Aim::Under(1000.0)),
    less(RECOVERED_FULL, Aim::None),
    less(MEMORY_IDLE, Aim::Under(30.0)),
    less(MEMORY_LOADED, Aim::Under(150.0)),
    less(MEMORY_FULL, Aim::Under(250.0)),
    more(GROWTH[0], Aim::AtLeast(0.8)),
    more(GROWTH[1], Aim::None),
    more(FEW.throughput[0], Aim::None),
    more(FEW.throughput[1], Aim::None),
    more(FEW.client, Aim::None),
    less(FEW.p99, Aim::None),
    more(MANY.throughput[0], Aim::None),
    more(MANY.throughput[1], Aim::None),
    more(MANY.client, Aim::None),
    less(MANY.p99, Aim::Under(10.0)),
    more(ONE_TOPIC.throughput[0], Aim::None),
    more(ONE_TOPIC.throughput[1], Aim::None),
    more(ONE_TOPIC.client, Aim::None),
    less(ONE_TOPIC.p99, Aim::Under(10.0)),
];

pub(super) const fn more(name: &'static str, aim: Aim) -> Case {
    Case {
        name,
        more_is_better: true,
        aim,
    }
}

pub(super) const fn less(name: &'static str, aim: Aim) -> Case {
    Case {
        name,
        more_is_better: false,
        aim,
    }
}
