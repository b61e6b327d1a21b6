//! A connection that sends whatever bytes a test wants, and the few well-formed requests it needs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Nothing that a test waits for takes longer.
const WAIT: Duration = Duration::from_secs(10);

/// What a peer did with what it was sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Reaction {
    /// A frame, without its length.
    Answered(Vec<u8>),
    /// The end of the connection.
    Closed,
    /// Nothing, for as long as was waited.
    Silent,
}

/// Connects with time limits on both directions.
pub fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A frame: its length and a header of version 1 around a body.
pub fn request(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(7_i32.to_be_bytes());
    frame.extend([0, 1, b'x']);
    frame.extend(body);
    framed(&frame)
}

/// A length in front of bytes.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = (bytes.len() as u32).to_be_bytes().to_vec();
    frame.extend(bytes);
    frame
}

/// What comes back next.
pub fn reaction(stream: &mut TcpStream) -> Reaction {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            ) =>
        {
            return Reaction::Silent;
        }
        Err(_) => return Reaction::Closed,
    }
    let length = u32::from_be_bytes(length) as usize;
    let mut frame = vec![0; length.min(64 << 20)];
    match stream.read_exact(&mut frame) {
        Ok(()) => Reaction::Answered(frame),
        Err(_) => Reaction::Closed,
    }
}

/// Sends bytes, ignoring that a peer may already have hung up, and tells what came of it.
pub fn exchange(address: &str, bytes: &[u8]) -> Result<Reaction> {
    let mut stream = connect(address)?;
    let _ = stream.write_all(bytes);
    Ok(reaction(&mut stream))
}

/// The broker answers an ordinary request on a fresh connection.
pub fn is_well(address: &str) -> Result<()> {
    let reaction = exchange(address, &request(18, 0, &[])).context("connecting")?;
    let Reaction::Answered(frame) = reaction else {
        anyhow::bail!("no answer to ApiVersions: {reaction:?}")
    };
    ensure!(
        frame.get(..6) == Some(&[0, 0, 0, 7, 0, 0]),
        "not an answer to ApiVersions: {frame:?}"
    );
    Ok(())
}

/// A Produce request of version 7, acks=all, with these record bytes for partition 0 of a topic.
pub fn produce(topic: &str, records: &[u8]) -> Vec<u8> {
    produce_each(topic, 1, records)
}

/// [`produce`], with the same record bytes for each of the first partitions.
pub fn produce_each(topic: &str, partitions: i32, records: &[u8]) -> Vec<u8> {
    let mut body = vec![255, 255]; // no transactional id
    body.extend((-1_i16).to_be_bytes());
    body.extend(5000_i32.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    body.extend((topic.len() as i16).to_be_bytes());
    body.extend(topic.as_bytes());
    body.extend(partitions.to_be_bytes());
    for partition in 0..partitions {
        body.extend(partition.to_be_bytes());
        body.extend((records.len() as i32).to_be_bytes());
        body.extend(records);
    }
    request(0, 7, &body)
}

/// The error code in the answer to [`produce`].
pub fn produce_error(frame: &[u8], topic: &str) -> Result<i16> {
    let codes = produce_errors(frame, topic)?;
    codes
        .first()
        .copied()
        .context("a Produce answer without a partition")
}

/// The error codes in the answer to [`produce_each`].
pub fn produce_errors(frame: &[u8], topic: &str) -> Result<Vec<i16>> {
    // Correlation id, topics, name; partitions: index, code, offset, time, start of the log.
    let (count_at, line_bytes) = (4 + 4 + 2 + topic.len(), 4 + 2 + 8 + 8 + 8);
    let field = |at: usize, bytes: usize| {
        let field = frame.get(at..at + bytes);
        field.context("a Produce answer that is too short")
    };
    let count = i32::from_be_bytes(field(count_at, 4)?.try_into()?);
    (0..count.max(0) as usize)
        .map(|line| {
            let code = field(count_at + 4 + line * line_bytes + 4, 2)?;
            Ok(i16::from_be_bytes(code.try_into()?))
        })
        .collect()
}

/// Makes a topic, with settings.
pub fn create_topic(address: &str, topic: &str, partitions: i32, settings: &[(&str, &str)]) -> Result<()> {
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.extend(string(topic));
    body.extend(partitions.to_be_bytes());
    body.extend(1_i16.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.extend((settings.len() as i32).to_be_bytes());
    for (key, value) in settings {
        body.extend([string(key), string(value)].concat());
    }
    body.extend(30_000_i32.to_be_bytes());
    body.push(0);
    let reaction = exchange(address, &request(19, 2, &body))?;
    let Reaction::Answered(frame) = reaction else {
        anyhow::bail!("no answer to CreateTopics: {reaction:?}")
    };
    // Correlation id, throttle time, topics, name: then the code.
    let at = 4 + 4 + 4 + 2 + topic.len();
    ensure!(
        frame.get(at..at + 2) == Some(&[0, 0]),
        "topic {topic} was not made: {frame:?}"
    );
    Ok(())
}

/// A string behind its length.
pub fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as i16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// A record batch of format 2 around a payload of records, with a right or wrong checksum.
pub fn batch(attributes: i16, count: i32, records: &[u8], checksum_is_right: bool) -> Vec<u8> {
    let mut checked = Vec::new();
    checked.extend(attributes.to_be_bytes());
    checked.extend((count - 1).to_be_bytes());
    checked.extend(1_700_000_000_000_i64.to_be_bytes());
    checked.extend(1_700_000_000_000_i64.to_be_bytes());
    checked.extend((-1_i64).to_be_bytes());
    checked.extend((-1_i16).to_be_bytes());
    checked.extend((-1_i32).to_be_bytes());
    checked.extend(count.to_be_bytes());
    checked.extend(records);
    let crc = crc32c(&checked) ^ u32::from(!checksum_is_right);
    let mut batch = Vec::new();
    batch.extend(0_i64.to_be_bytes());
    batch.extend(((checked.len() + 4 + 1 + 4) as i32).to_be_bytes());
    batch.extend((-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend(crc.to_be_bytes());
    batch.extend(checked);
    batch
}

/// One record without a key, as it lies in a batch.
pub fn record(value: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 1]; // attributes, timestamp and offset delta, no key
    body.extend(varint(value.len() as i64));
    body.extend(value);
    body.push(0);
    let mut record = varint(body.len() as i64);
    record.extend(body);
    record
}

fn varint(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push((rest as u8 & 0x7f) | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// CRC-32C, bit by bit: tests must not share code with what they test.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}
