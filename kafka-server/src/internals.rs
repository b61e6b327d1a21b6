//! A way in for fuzz targets and micro-benchmarks, which are crates of their own. Behind the feature `internals`;
//! nothing here is an interface to build on.

use crate::{
    config::{
        BrokerConfig, Config,
        alter::{self, Change, Operation, Scope, Settings},
    },
    core::groups::consumer,
    state::framing::BatchFraming,
    wire::{
        self, RequestHeader,
        compression::Compression,
        consumer_protocol,
        records::{self, BatchBuilder, Batches, Budget, NewRecord, Records, Rules, TimestampType},
    },
};
use bytes::Bytes;
use storage::Framing;

/// What a client may send in one batch, and what a payload may grow to here.
const BYTES_MAX: usize = 1 << 20;

/// Reads a frame (without its length) as a connection does: header, then the request. Whether it is well-formed.
pub fn decode_frame(mut frame: Bytes) -> bool {
    let Ok(header) = RequestHeader::read(&mut frame) else {
        return false;
    };
    wire::decodes(&header, &frame)
}

/// Checks the `records` of one partition as Produce does, with every rule there is where `deep`.
pub fn check_records(records: &Bytes, deep: bool) -> bool {
    let rules = Rules {
        partition: "topic-0",
        version: 13,
        batch_bytes_max: BYTES_MAX,
        key_required: deep,
        timestamp_type: TimestampType::CreateTime,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: i64::MAX,
        compression: deep.then_some((Compression::Lz4, None)),
        now_ms: 0,
    };
    records::check(Some(records), &rules, &mut Budget::new(BYTES_MAX)).is_ok()
}

/// Reads every record of every batch of `bytes`, headers too; how many there are before the first that is wrong.
pub fn read_records(bytes: Bytes) -> usize {
    let mut count = 0;
    for batch in Batches::new(bytes).map_while(Result::ok) {
        let Ok(payload) = batch.payload(BYTES_MAX) else {
            break;
        };
        for record in Records::new(&payload, batch.header.record_count).map_while(Result::ok) {
            count += 1 + record.headers().count();
        }
    }
    count
}

/// Decompresses `data` by the codec of that number.
pub fn decompress(codec: i16, data: &[u8]) -> usize {
    let codec = Compression::of(codec).unwrap_or_default();
    codec.decompress(data, BYTES_MAX).map_or(0, |data| data.len())
}

/// Reads what a consumer says of itself when it joins a classic group, and what its leader assigns.
pub fn read_consumer_protocol(data: &[u8]) -> usize {
    let subscribed = consumer_protocol::read_subscription(data).map_or(0, |said| said.topics.len());
    let topics = consumer_protocol::subscribed_topics(data).map_or(0, |topics| topics.len());
    let assigned = consumer_protocol::read_assignment(data).map_or(0, |assigned| assigned.len());
    subscribed + topics + assigned
}

/// Changes the key `name` of everything that has settings, in every way there is. Whether any of it is taken.
pub fn alter_settings(name: &str, value: &str) -> bool {
    let broker = BrokerConfig::default();
    let scopes = [
        Scope::Topic,
        Scope::Broker,
        Scope::Cluster,
        Scope::Group,
        Scope::ClientMetrics,
    ];
    let operations = [Operation::Set, Operation::Append, Operation::Subtract];
    let mut taken = false;
    for scope in scopes {
        for operation in operations {
            let (name, value) = (name.to_owned(), Some(value.to_owned()));
            let change = Change {
                name,
                operation,
                value,
            };
            let Ok(next) = alter::apply(scope, &Settings::new(), &[change], &broker) else {
                continue;
            };
            taken |= alter::validate(scope, &Settings::new(), &next, &broker).is_ok();
        }
    }
    taken
}

/// Starts with a `server.properties`, then asks for `listeners` while the broker runs. Whether both are taken.
pub fn set_listeners(properties: &str, listeners: &str) -> bool {
    let mut config = Config::default();
    if config.apply(crate::parse_properties(properties)).is_err() {
        return false;
    }
    let started = BrokerConfig {
        started: config.properties.clone(),
        ..BrokerConfig::default()
    };
    let mut next = started.clone();
    next.own.insert("listeners".to_owned(), listeners.to_owned());
    let inter_broker = config.inter_broker_listener();
    let now = &config.listeners;
    let wanted = crate::config::listeners::wanted(now, now, &next);
    let wanted = wanted
        .and_then(|wanted| crate::config::listeners::check(now, &wanted, &inter_broker, (&started, &next)));
    wanted.is_ok()
}

/// Reads the regular expression by which a member subscribes, and looks for it in `name`.
pub fn subscribe_by_expression(expression: &str, name: &str) -> bool {
    consumer::subscription::compile(expression).is_ok_and(|expression| expression.is_match(name))
}

/// Measures and verifies `bytes` as the log does in recovery.
pub fn frame_entry(bytes: &[u8]) -> bool {
    let measured = BatchFraming.measure(&bytes[..bytes.len().min(BatchFraming.head_bytes())]);
    measured.is_some() && BatchFraming.verify(bytes)
}

/// The checksum of batches.
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// A batch of `count` records with values of `value_bytes`, as a producer sends it, compressed by codec number `codec`.
pub fn sample_batch(count: usize, value_bytes: usize, codec: i16) -> Bytes {
    let mut builder = BatchBuilder::new(0, 0);
    let value: Vec<u8> = (0..value_bytes).map(|at| (at * 31 % 251) as u8).collect();
    for offset in 0..i64::try_from(count).unwrap_or(i64::MAX) {
        let record = NewRecord {
            offset,
            timestamp: offset,
            key: Some(b"key"),
            value: Some(&value),
        };
        builder.push(&record, std::iter::empty());
    }
    let codec = Compression::of(codec).unwrap_or_default();
    builder
        .finish(codec, None, None)
        .map_or_else(|_| Bytes::new(), |batch| batch.bytes)
}

/// A Produce request of version 9 with `records` for one partition, without the frame's length.
pub fn sample_produce(records: &Bytes) -> Bytes {
    // Header: key 0, version 9, correlation id 1, client id "c", no tags; no transactional id, acks all, 1 s.
    let mut frame = b"\0\0\0\x09\0\0\0\x01\0\x01c\0\0\xff\xff\0\0\x03\xe8".to_vec();
    frame.extend_from_slice(b"\x02\x02t\x02\0\0\0\0"); // one topic "t", one partition 0
    let mut length = records.len() + 1;
    while length >= 0x80 {
        frame.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    frame.push(length as u8);
    frame.extend_from_slice(records);
    frame.extend_from_slice(b"\0\0\0"); // no tags of partition, topic and request
    Bytes::from(frame)
}

#[cfg(test)]
mod tests;
