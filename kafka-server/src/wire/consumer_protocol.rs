//! What consumers say and are told inside the opaque metadata and assignments of classic groups.

use bytes::{Buf, BufMut, Bytes};

/// Partitions by topic name.
pub(crate) type NamedPartitions = Vec<(String, Vec<i32>)>;

/// What a consumer says when it joins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) version: i16,
    pub(crate) topics: Vec<String>,
    /// What it still has (version 1 and later).
    pub(crate) owned: NamedPartitions,
    /// Where it is (version 3 and later).
    pub(crate) rack_id: Option<String>,
}

/// Reads what a consumer says; `None` where `metadata` is not of the consumer protocol.
pub(crate) fn read_subscription(metadata: &[u8]) -> Option<Subscription> {
    let mut rest = metadata;
    let mut subscription = Subscription {
        version: take_i16(&mut rest)?,
        ..Subscription::default()
    };
    // Lists grow as their elements arrive: a count is only a claim.
    for _ in 0..take_count(&mut rest)? {
        subscription.topics.push(take_string(&mut rest)?);
    }
    if subscription.version >= 1 {
        pass_bytes(&mut rest)?;
        subscription.owned = take_partitions(&mut rest)?;
    }
    if subscription.version >= 3 {
        take_i32(&mut rest)?; // its generation
        subscription.rack_id = match take_i16(&mut rest)? {
            -1 => None,
            length => Some(take_text(&mut rest, usize::try_from(length).ok()?)?),
        };
    }
    Some(subscription)
}

/// Topics a consumer subscribes to; `None` where `metadata` is not of the consumer protocol.
pub(crate) fn subscribed_topics(metadata: &[u8]) -> Option<Vec<String>> {
    let mut rest = metadata;
    take_i16(&mut rest)?;
    let mut topics = Vec::new();
    for _ in 0..take_count(&mut rest)? {
        topics.push(take_string(&mut rest)?);
    }
    Some(topics)
}

/// Reads what a consumer is assigned.
pub(crate) fn read_assignment(assignment: &[u8]) -> Option<NamedPartitions> {
    let mut rest = assignment;
    take_i16(&mut rest)?;
    take_partitions(&mut rest)
}

/// Writes what a consumer is assigned, in the version it speaks.
pub(crate) fn write_assignment(version: i16, partitions: &NamedPartitions) -> Bytes {
    let count = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
    let mut bytes = Vec::new();
    bytes.put_i16(version);
    bytes.put_i32(count(partitions.len()));
    for (topic, indexes) in partitions {
        bytes.put_i16(i16::try_from(topic.len()).unwrap_or(i16::MAX));
        bytes.put_slice(topic.as_bytes());
        bytes.put_i32(count(indexes.len()));
        indexes.iter().for_each(|index| bytes.put_i32(*index));
    }
    bytes.put_i32(-1); // no user data
    Bytes::from(bytes)
}

fn take_partitions(rest: &mut &[u8]) -> Option<NamedPartitions> {
    let mut partitions = Vec::new();
    for _ in 0..take_count(rest)? {
        let topic = take_string(rest)?;
        let mut indexes = Vec::new();
        for _ in 0..take_count(rest)? {
            indexes.push(take_i32(rest)?);
        }
        partitions.push((topic, indexes));
    }
    Some(partitions)
}

fn pass_bytes(rest: &mut &[u8]) -> Option<()> {
    let length = usize::try_from(take_i32(rest)?.max(0)).ok()?;
    *rest = rest.get(length..)?;
    Some(())
}

fn take_count(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(take_i32(rest)?.max(0)).ok()
}

fn take_string(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_i16(rest)?).ok()?;
    take_text(rest, length)
}

fn take_text(rest: &mut &[u8], length: usize) -> Option<String> {
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

fn take_i16(rest: &mut &[u8]) -> Option<i16> {
    (rest.len() >= 2).then(|| rest.get_i16())
}

fn take_i32(rest: &mut &[u8]) -> Option<i32> {
    (rest.len() >= 4).then(|| rest.get_i32())
}
