use super::{
    Part,
    interest::{Interest, Reading, TopicKey},
};
use crate::{
    error::ApiError,
    handlers::Context,
    partition::{Found, Opened, Partition, ReadFrom, Waiter},
    topics::Image,
    wire::{ResponseError, fetch::FetchedPartition},
};
use std::sync::Arc;

/// The first version that tells a client with an old leader of the new one.
const LEADERS_FROM: i16 = 16;

/// What one answer may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) bytes_max: usize,
    /// read_committed
    pub(super) committed: bool,
    /// Only partitions with something to tell.
    pub(super) news_only: bool,
}

/// What was found for an answer.
#[derive(Default)]
pub(super) struct Gathered {
    /// By place among what the client reads.
    pub(super) partitions: Vec<(usize, Part)>,
    pub(super) bytes: usize,
    /// There is something that the client must know without delay.
    pub(super) at_once: bool,
    /// The ends of what was visible, added up: another sum means that there is more.
    pub(super) seen: u64,
}

/// Reads every partition of `interest` in turn, as far as `limits` go.
pub(super) async fn gather(cx: &Context, interest: &mut Interest, limits: &Limits) -> Gathered {
    let image = cx.broker.topics.image();
    let mut gathered = Gathered::default();
    let (count, turn) = (interest.partitions.len(), interest.turn);
    for at in (turn..count).chain(0..turn) {
        let Some((key, reading)) = interest.partitions.get_index_mut(at) else {
            continue;
        };
        let index = key.1;
        let left = Limits {
            bytes_max: limits.bytes_max.saturating_sub(gathered.bytes),
            ..*limits
        };
        let first = gathered.bytes == 0;
        match read(&image, key, reading, &left, first).await {
            Ok(Read::Found(found)) => {
                gathered.seen += if limits.committed {
                    found.last_stable
                } else {
                    found.high_watermark
                };
                gathered.bytes += found.bytes;
                let part = found_part(index, found);
                let known = reading.told == Some((part.high_watermark, part.log_start_offset));
                if !limits.news_only || part.records_bytes > 0 || !known {
                    gathered.partitions.push((at, part));
                }
            }
            Ok(Read::Diverging(ends, shared)) => {
                let mut part = found_part(index, ends);
                part.diverging_epoch = Some(shared);
                gathered.at_once = true;
                gathered.partitions.push((at, part));
            }
            Err(error) => {
                gathered.at_once = true;
                let mut part = FetchedPartition::failed(index, error.wire());
                if error.code == ResponseError::FencedLeaderEpoch && cx.version() >= LEADERS_FROM {
                    let epoch = reading.partition.as_ref().map(|known| known.leader_epoch);
                    part.current_leader = epoch.map(|epoch| (cx.broker.config.node_id, epoch));
                }
                // The session goes on meaning the topic that was replaced, until its client forgets it.
                if error.code != ResponseError::InconsistentTopicId {
                    reading.partition = None;
                }
                gathered.partitions.push((at, part));
            }
        }
    }
    gathered
}

/// Has `waiter` woken when any partition of `interest` has more; answers whether one has already, against `seen`.
pub(super) fn watch(interest: &Interest, waiter: &Arc<Waiter>, limits: &Limits, seen: u64) -> bool {
    let mut visible = 0;
    for reading in interest.partitions.values() {
        if let Some(partition) = &reading.partition {
            partition.watch(waiter);
            visible += partition.visible_end(limits.committed).unwrap_or(0);
        }
    }
    visible != seen
}

enum Read {
    Found(Found),
    /// What the client has is not what was written here: the last epoch that both know, and where it ended.
    Diverging(Found, (i32, i64)),
}

async fn read(
    image: &Image,
    key: &(TopicKey, i32),
    reading: &mut Reading,
    limits: &Limits,
    at_least_one: bool,
) -> Result<Read, ApiError> {
    let partition = match &reading.partition {
        Some(known) => known,
        None => reading.partition.insert(find(image, key)?),
    };
    let opened = match (partition.open().await, &key.0) {
        (Ok(opened), _) => opened,
        // Deleted since this session found it; of that name there may be another topic by now.
        (Err(error), TopicKey::Id(_)) if error.code == ResponseError::UnknownTopicOrPartition => {
            return Err(match image.get(&partition.topic) {
                Some(_) => ResponseError::InconsistentTopicId,
                None => ResponseError::UnknownTopicId,
            }
            .into());
        }
        (Err(error), _) => return Err(error),
    };
    partition.check_leader_epoch(reading.leader_epoch)?;
    let offset = u64::try_from(reading.offset).map_err(|_| ResponseError::OffsetOutOfRange)?;
    if let Some(shared) = divergence(opened, reading.last_fetched_epoch, offset)? {
        return Ok(Read::Diverging(opened.ends(), shared));
    }
    let from = ReadFrom {
        offset,
        bytes_max: limits
            .bytes_max
            .min(usize::try_from(reading.bytes_max).unwrap_or(0)),
        at_least_one,
        committed: limits.committed,
    };
    Ok(Read::Found(opened.read(from).await?))
}

fn find(image: &Image, (topic, index): &(TopicKey, i32)) -> Result<Arc<Partition>, ApiError> {
    let topic = match topic {
        TopicKey::Id(id) => image.by_id(id).ok_or(ResponseError::UnknownTopicId)?,
        TopicKey::Name(name) => image.get(name).ok_or(ResponseError::UnknownTopicOrPartition)?,
    };
    let partition = topic.partition(*index);
    Ok(partition.ok_or(ResponseError::UnknownTopicOrPartition)?.clone())
}

/// The last epoch that the client and the log share and where it ended, if the client has read on beyond it.
fn divergence(opened: &Opened, last_fetched_epoch: i32, offset: u64) -> Result<Option<(i32, i64)>, ApiError> {
    if last_fetched_epoch < 0 {
        return Ok(None);
    }
    let shared = opened.end_of_epoch(last_fetched_epoch);
    let (epoch, end) = shared.ok_or(ResponseError::OffsetOutOfRange)?;
    if offset < opened.log_start() {
        return Err(ResponseError::OffsetOutOfRange.into());
    }
    Ok((epoch < last_fetched_epoch || end < offset).then(|| (epoch, signed(end))))
}

fn found_part(index: i32, found: Found) -> Part {
    let aborted = |aborted: Vec<crate::core::producers::Aborted>| {
        aborted
            .iter()
            .map(|one| (one.producer_id, signed(one.first)))
            .collect()
    };
    FetchedPartition {
        index,
        error_code: 0,
        high_watermark: signed(found.high_watermark),
        last_stable_offset: signed(found.last_stable),
        log_start_offset: signed(found.log_start),
        aborted: found.aborted.map(aborted),
        preferred_read_replica: -1,
        diverging_epoch: None,
        current_leader: None,
        records: found.slices,
        records_bytes: found.bytes,
    }
}

fn signed(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}
