//! The answer to a Fetch, written so that records are never copied: what the log hands out is put between the fields
//! as it is, whatever it is made of.

use super::StrBytes;
use crate::error::Close;
use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

/// The first version whose layout has compact lengths and tagged fields.
const FLEXIBLE: i16 = 12;
/// The first version that names topics by id.
const TOPIC_IDS: i16 = 13;

/// A Fetch response; `S` is what records come in.
#[derive(Debug, Clone)]
pub(crate) struct Fetched<S> {
    pub(crate) error_code: i16,
    pub(crate) session_id: i32,
    pub(crate) topics: Vec<FetchedTopic<S>>,
    /// Where the leaders are that partitions name as theirs (version 16 on).
    pub(crate) endpoints: Vec<Endpoint>,
}

/// One topic of it.
#[derive(Debug, Clone)]
pub(crate) struct FetchedTopic<S> {
    /// Written below version 13.
    pub(crate) name: StrBytes,
    /// Written from version 13 on.
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<FetchedPartition<S>>,
}

/// One partition of a topic.
#[derive(Debug, Clone)]
pub(crate) struct FetchedPartition<S> {
    pub(crate) index: i32,
    pub(crate) error_code: i16,
    pub(crate) high_watermark: i64,
    pub(crate) last_stable_offset: i64,
    pub(crate) log_start_offset: i64,
    /// Producer id and first offset of each aborted transaction in reach; `None` where nobody asked.
    pub(crate) aborted: Option<Vec<(i64, i64)>>,
    pub(crate) preferred_read_replica: i32,
    /// Where the client's log departs from ours: epoch and end offset.
    pub(crate) diverging_epoch: Option<(i32, i64)>,
    /// Whom to ask instead: leader and its epoch.
    pub(crate) current_leader: Option<(i32, i32)>,
    /// Whole batches, in order.
    pub(crate) records: Vec<S>,
    /// Their length together.
    pub(crate) records_bytes: usize,
}

impl<S> FetchedPartition<S> {
    /// A partition with nothing in it but its error.
    pub(crate) fn failed(index: i32, error_code: i16) -> Self {
        FetchedPartition {
            index,
            error_code,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            aborted: None,
            preferred_read_replica: -1,
            diverging_epoch: None,
            current_leader: None,
            records: Vec::new(),
            records_bytes: 0,
        }
    }
}

/// A broker's address.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) node_id: i32,
    pub(crate) host: StrBytes,
    pub(crate) port: i32,
    pub(crate) rack: Option<StrBytes>,
}

/// The whole frame in parts: `memory` makes one of bytes written here, records are passed on.
pub(crate) fn encode<S>(
    correlation_id: i32,
    version: i16,
    response: Fetched<S>,
    memory: impl Fn(Bytes) -> S,
) -> Result<Vec<S>, Close> {
    let mut out = Writer {
        bytes: BytesMut::with_capacity(256),
        version,
        flexible: version >= FLEXIBLE,
        gaps: Vec::new(),
    };
    out.bytes.put_i32(0);
    out.bytes.put_i32(correlation_id);
    out.tags();
    out.bytes.put_i32(0); // throttle time: there are no quotas
    if version >= 7 {
        out.bytes.put_i16(response.error_code);
        out.bytes.put_i32(response.session_id);
    }
    out.count(response.topics.len())?;
    for topic in response.topics {
        out.topic(topic)?;
    }
    out.endpoints(&response.endpoints)?;
    out.finish(memory)
}

/// The fields as they are written, and where records go between them.
struct Writer<S> {
    bytes: BytesMut,
    version: i16,
    flexible: bool,
    /// Position in `bytes`, and what is put there.
    gaps: Vec<(usize, Vec<S>, usize)>,
}

impl<S> Writer<S> {
    fn topic(&mut self, topic: FetchedTopic<S>) -> Result<(), Close> {
        if self.version >= TOPIC_IDS {
            self.bytes.put_slice(topic.id.as_bytes());
        } else {
            self.string(&topic.name)?;
        }
        self.count(topic.partitions.len())?;
        for partition in topic.partitions {
            self.partition(partition)?;
        }
        self.tags();
        Ok(())
    }

    fn partition(&mut self, partition: FetchedPartition<S>) -> Result<(), Close> {
        self.bytes.put_i32(partition.index);
        self.bytes.put_i16(partition.error_code);
        self.bytes.put_i64(partition.high_watermark);
        self.bytes.put_i64(partition.last_stable_offset);
        if self.version >= 5 {
            self.bytes.put_i64(partition.log_start_offset);
        }
        match &partition.aborted {
            None if self.flexible => self.bytes.put_u8(0),
            None => self.bytes.put_i32(-1),
            Some(aborted) => {
                self.count(aborted.len())?;
                for (producer_id, first_offset) in aborted {
                    self.bytes.put_i64(*producer_id);
                    self.bytes.put_i64(*first_offset);
                    self.tags();
                }
            }
        }
        if self.version >= 11 {
            self.bytes.put_i32(partition.preferred_read_replica);
        }
        self.count(partition.records_bytes)?;
        if partition.records_bytes > 0 {
            let gap = (self.bytes.len(), partition.records, partition.records_bytes);
            self.gaps.push(gap);
        }
        self.partition_tags(partition.diverging_epoch, partition.current_leader);
        Ok(())
    }

    fn partition_tags(&mut self, diverging: Option<(i32, i64)>, leader: Option<(i32, i32)>) {
        if !self.flexible {
            return;
        }
        let tags = u8::from(diverging.is_some()) + u8::from(leader.is_some());
        self.bytes.put_u8(tags);
        if let Some((epoch, end_offset)) = diverging {
            self.bytes.put_slice(&[0, 4 + 8 + 1]); // tag, length
            self.bytes.put_i32(epoch);
            self.bytes.put_i64(end_offset);
            self.tags();
        }
        if let Some((id, epoch)) = leader {
            self.bytes.put_slice(&[1, 4 + 4 + 1]); // tag, length
            self.bytes.put_i32(id);
            self.bytes.put_i32(epoch);
            self.tags();
        }
    }

    /// The response's own tagged fields.
    fn endpoints(&mut self, endpoints: &[Endpoint]) -> Result<(), Close> {
        if self.version < 16 || endpoints.is_empty() {
            self.tags();
            return Ok(());
        }
        let before = std::mem::take(&mut self.bytes);
        self.count(endpoints.len())?;
        for endpoint in endpoints {
            self.bytes.put_i32(endpoint.node_id);
            self.string(&endpoint.host)?;
            self.bytes.put_i32(endpoint.port);
            match &endpoint.rack {
                Some(rack) => self.string(rack)?,
                None => self.bytes.put_u8(0),
            }
            self.tags();
        }
        let field = std::mem::replace(&mut self.bytes, before);
        self.bytes.put_slice(&[1, 0]); // one field, of tag 0
        put_varint(&mut self.bytes, small(field.len())?);
        self.bytes.put_slice(&field);
        Ok(())
    }

    /// A length or a count.
    fn count(&mut self, count: usize) -> Result<(), Close> {
        let count = small(count)?;
        if self.flexible {
            put_varint(&mut self.bytes, count + 1);
        } else {
            self.bytes.put_u32(count);
        }
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), Close> {
        if self.flexible {
            self.count(text.len())?;
        } else {
            self.bytes
                .put_i16(i16::try_from(text.len()).map_err(|_| too_long())?);
        }
        self.bytes.put_slice(text.as_bytes());
        Ok(())
    }

    /// No tagged fields.
    fn tags(&mut self) {
        if self.flexible {
            self.bytes.put_u8(0);
        }
    }

    fn finish(mut self, memory: impl Fn(Bytes) -> S) -> Result<Vec<S>, Close> {
        let records: usize = self.gaps.iter().map(|(_, _, bytes)| bytes).sum();
        let length = small(self.bytes.len() - 4 + records)?;
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
        let fields = self.bytes.freeze();
        let mut parts = Vec::with_capacity(self.gaps.len() * 2 + 1);
        let mut from = 0;
        for (to, records, _) in self.gaps {
            parts.push(memory(fields.slice(from..to)));
            parts.extend(records);
            from = to;
        }
        parts.push(memory(fields.slice(from..)));
        Ok(parts)
    }
}

fn put_varint(bytes: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        bytes.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.put_u8(value as u8);
}

/// A length that the protocol can say.
fn small(length: usize) -> Result<u32, Close> {
    match u32::try_from(length) {
        Ok(length) if length < i32::MAX.cast_unsigned() => Ok(length),
        _ => Err(too_long()),
    }
}

fn too_long() -> Close {
    Close::Unencodable("a field is longer than its length can say".to_owned())
}

#[cfg(test)]
mod tests;
