use super::{Opened, Partition, Policy, State, Unpacking};
use crate::{
    core::producers::{EndMarker, Incoming, Producers, Refused, Verdict},
    error::ApiError,
    state::framing,
    wire::{
        ResponseError,
        records::{self, Batch, Checked, Header, Marker, RecordError, Refusal, Rules, Stamp, TimestampType},
    },
};
use bytes::Bytes;
use std::sync::{Arc, atomic::Ordering};
use storage::{Entry, StorageError, Ticket};
use tokio::sync::watch;

/// Bytes appended since the last snapshot of producers that make another one due.
const UNCOVERED_BYTES_MAX: u64 = 64 << 20;

/// The first version of Produce whose transactions are of version 2.
const TRANSACTIONS_V2_FROM: i16 = 12;

/// The place a client's batch was given.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) base_offset: u64,
    /// The append's time where the topic stamps it, else -1.
    pub(crate) log_append_time: i64,
    pub(crate) log_start: u64,
    /// Answers when it is as durable as promised.
    pub(crate) ticket: Ticket,
    /// `flush.messages` asks for a sync before the answer, or the first copy of a duplicate is not durable yet.
    pub(crate) sync: bool,
}

/// Why a client's batch was not appended.
#[derive(Debug)]
pub(crate) struct AppendError {
    pub(crate) error: ApiError,
    /// Records at fault, where single ones are.
    pub(crate) records: Vec<RecordError>,
}

impl<E: Into<ApiError>> From<E> for AppendError {
    fn from(error: E) -> Self {
        AppendError {
            error: error.into(),
            records: Vec::new(),
        }
    }
}

/// The segment being appended to, for rolling by time.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub(super) bytes: u64,
    /// Of its first batch.
    pub(super) first_timestamp_ms: Option<i64>,
}

impl Partition {
    /// Checks what a Produce request of `version` has for this partition.
    pub(crate) async fn check(
        self: &Arc<Self>,
        records: Option<&Bytes>,
        version: i16,
        unpacking: &mut Unpacking<'_>,
    ) -> Result<Checked, AppendError> {
        let now_ms = self.env.clock.now_ms();
        let mut here = unpacking.here();
        let rules = self.rules(&self.policy.load(), version, now_ms);
        let mut checked = records::check(records, &rules, &mut here);
        if unpacking.is_too_much(&here) {
            let (partition, records) = (self.clone(), records.cloned());
            let check = move |budget: &mut _| {
                let rules = partition.rules(&partition.policy.load(), version, now_ms);
                records::check(records.as_ref(), &rules, budget)
            };
            checked = unpacking.elsewhere(check).await?;
        }
        checked.map_err(refused)
    }

    /// Appends a batch that was checked, if `admit` agrees: it is asked while nothing else is appended, so that no
    /// marker comes between its answer and the batch. The order is taken when this returns.
    pub(crate) fn append(
        self: &Arc<Self>,
        opened: &Opened,
        checked: &Checked,
        version: i16,
        admit: impl FnOnce(&Producers) -> Result<(), ApiError>,
    ) -> Result<Appended, AppendError> {
        let policy = self.policy.load();
        let now_ms = self.env.clock.now_ms();
        let header = &checked.batch.header;
        if header.bytes as u64 > policy.segment_bytes {
            return Err(ResponseError::RecordListTooLarge.into());
        }
        let stamp = match policy.log_append_time {
            true => (TimestampType::LogAppendTime, now_ms),
            false => (TimestampType::CreateTime, checked.max_timestamp),
        };
        let incoming = header.has_producer().then(|| Incoming {
            from_start: version >= TRANSACTIONS_V2_FROM && header.attributes.is_transactional(),
            ..incoming(header, stamp.1)
        });
        let mut state = opened.state.lock();
        let end = opened.log.range().end;
        admit(&state.producers)?;
        if let Some(incoming) = &incoming {
            let verdict = state.producers.check(incoming);
            match verdict.map_err(|why| self.not_taken(&why, end))? {
                Verdict::New => {}
                Verdict::Duplicate(taken) => {
                    let range = opened.log.range();
                    return Ok(Appended {
                        base_offset: taken.first_offset,
                        log_append_time: if policy.log_append_time {
                            taken.timestamp_ms
                        } else {
                            -1
                        },
                        log_start: range.start,
                        ticket: Ticket::Durable,
                        sync: range.durable_end <= taken.last_offset,
                    });
                }
            }
        }
        let ticket = self.write(opened, &mut state, &policy, &checked.batch, stamp)?;
        if let Some(incoming) = &incoming {
            let last = end + u64::from(header.last_offset_delta.unsigned_abs());
            state.producers.take(incoming, end, last);
        }
        state.unflushed += i64::from(header.record_count);
        state.bytes_in += header.bytes as u64;
        state.records_in += u64::from(header.record_count.unsigned_abs());
        let sync = policy.flush_messages > 1 && state.unflushed >= policy.flush_messages;
        if sync {
            state.unflushed = 0;
        }
        drop(state);
        self.announce(&ticket, header.bytes);
        Ok(Appended {
            base_offset: end,
            log_append_time: if policy.log_append_time { now_ms } else { -1 },
            log_start: opened.log_start(),
            ticket,
            sync,
        })
    }

    /// Ends a producer's transaction here. Writing the same end again is harmless: the coordinator does so after a crash.
    pub(crate) async fn append_marker(
        self: &Arc<Self>,
        producer_id: i64,
        producer_epoch: i16,
        commit: bool,
        coordinator_epoch: i32,
    ) -> Result<Ticket, ApiError> {
        let opened = self.open().await?;
        let now_ms = self.env.clock.now_ms();
        let marker = Marker {
            producer_id,
            producer_epoch,
            commit,
            coordinator_epoch,
        };
        let batch = records::end_marker(&marker, now_ms);
        let end_marker = EndMarker {
            producer_id,
            epoch: producer_epoch,
            coordinator_epoch,
            commit,
            timestamp_ms: now_ms,
        };
        let policy = self.policy.load();
        let mut state = opened.state.lock();
        let end = opened.log.range().end;
        state
            .producers
            .check_marker(&end_marker)
            .map_err(|why| self.not_taken(&why, end))?;
        let stamp = (TimestampType::CreateTime, now_ms);
        let ticket = self.write(opened, &mut state, &policy, &batch, stamp)?;
        state.producers.take_marker(&end_marker, end);
        drop(state);
        self.announce(&ticket, usize::MAX / 4);
        Ok(ticket)
    }

    /// Stamps `batch` for the log's end and appends it. The caller takes it into the producers' state.
    fn write(
        self: &Arc<Self>,
        opened: &Opened,
        state: &mut State,
        policy: &Policy,
        batch: &Batch,
        (timestamp_type, max_timestamp): (TimestampType, i64),
    ) -> Result<Ticket, ApiError> {
        if self.removed.load(Ordering::Acquire) {
            return Err(StorageError::Removed.into());
        }
        let base_offset = i64::try_from(opened.log.range().end).unwrap_or(i64::MAX);
        let header = batch.stamped(&Stamp {
            base_offset,
            leader_epoch: self.leader_epoch,
            timestamp_type,
            max_timestamp,
        });
        let meta = framing::meta(&header)
            .ok_or_else(|| ApiError::new(ResponseError::InvalidRecord, "the batch has no place in a log"))?;
        self.roll_by_time(opened, state, policy, &header)?;
        let entry = Entry {
            meta,
            head: Bytes::copy_from_slice(&header.write()),
            body: batch.body(),
        };
        let appended = opened.log.append(std::slice::from_ref(&entry))?;
        state.segment.bytes += header.bytes as u64;
        state.segment.first_timestamp_ms.get_or_insert(max_timestamp);
        state.uncovered_bytes += header.bytes as u64;
        state.unsettled.bytes += header.bytes as u64;
        if state.uncovered_bytes >= UNCOVERED_BYTES_MAX {
            state.uncovered_bytes = 0;
            self.save_producers_soon();
        }
        Ok(appended.ticket)
    }

    /// Starts a new segment where the batch's time is `segment.ms` after the segment's first.
    fn roll_by_time(
        &self,
        opened: &Opened,
        state: &mut State,
        policy: &Policy,
        header: &Header,
    ) -> Result<(), ApiError> {
        let segment = &mut state.segment;
        let full = segment.bytes + header.bytes as u64 > policy.segment_bytes;
        let old = segment.first_timestamp_ms.is_some_and(|first| {
            let age_max = policy.segment_ms.saturating_sub(self.jitter_ms(policy));
            header.max_timestamp.saturating_sub(first) > age_max
        });
        if old && !full && segment.bytes > 0 {
            opened.log.roll()?;
        }
        if old || full {
            *segment = Segment::default();
        }
        Ok(())
    }

    /// This partition's share of `segment.jitter.ms`, so that not all roll at once.
    pub(super) fn jitter_ms(&self, policy: &Policy) -> i64 {
        if policy.segment_jitter_ms <= 0 {
            return 0;
        }
        let mixed = (self.topic_id.as_u128() as u64 ^ self.index.unsigned_abs() as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        i64::try_from(mixed % policy.segment_jitter_ms.unsigned_abs()).unwrap_or(0)
    }

    /// Lets those know who wait for bytes, once they may see them.
    fn announce(self: &Arc<Self>, ticket: &Ticket, bytes: usize) {
        match ticket {
            Ticket::Durable => self.waiters.wake(i64::try_from(bytes).unwrap_or(i64::MAX)),
            Ticket::Pending { durable_end, .. } => {
                if !self.waking.swap(true, Ordering::AcqRel) {
                    tokio::spawn(wake_when_durable(self.clone(), durable_end.clone()));
                }
            }
        }
    }

    fn rules<'a>(&'a self, policy: &Policy, version: i16, now_ms: i64) -> Rules<'a> {
        Rules {
            partition: &self.name,
            version,
            batch_bytes_max: policy.batch_bytes_max,
            key_required: policy.compact,
            timestamp_type: match policy.log_append_time {
                true => TimestampType::LogAppendTime,
                false => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: policy.timestamp_before_max_ms,
            timestamp_after_max_ms: policy.timestamp_after_max_ms,
            compression: policy.compression,
            now_ms,
        }
    }

    fn not_taken(&self, why: &Refused, offset: u64) -> ApiError {
        tracing::debug!(partition = self.name, offset, %why, "batch refused");
        why.into()
    }
}

/// Wakes those who wait for `partition` whenever more of it becomes durable, until all is.
async fn wake_when_durable(
    partition: Arc<Partition>,
    mut durable_end: watch::Receiver<storage::Result<u64>>,
) {
    loop {
        partition.waiters.wake_all();
        let Some(opened) = partition.opened() else { return };
        let range = opened.range();
        if range.durable_end >= range.end {
            partition.waking.store(false, Ordering::Release);
            let range = opened.range();
            // An append between the two lines saw this task running and left the wake to it.
            if range.durable_end >= range.end || partition.waking.swap(true, Ordering::AcqRel) {
                partition.waiters.wake_all();
                return;
            }
        }
        if durable_end.changed().await.is_err() || durable_end.borrow_and_update().is_err() {
            partition.waking.store(false, Ordering::Release);
            partition.waiters.wake_all();
            return;
        }
    }
}

/// What the producers' state needs of a batch.
pub(super) fn incoming(header: &Header, timestamp_ms: i64) -> Incoming {
    Incoming {
        producer_id: header.producer_id,
        epoch: header.producer_epoch,
        first_sequence: header.base_sequence,
        last_sequence: header.last_sequence(),
        timestamp_ms,
        transactional: header.attributes.is_transactional(),
        from_start: false,
    }
}

fn refused(refusal: Refusal) -> AppendError {
    let error = ApiError::from(&refusal);
    match refusal {
        Refusal::Records { errors, .. } => AppendError {
            error,
            records: errors,
        },
        _ => error.into(),
    }
}
