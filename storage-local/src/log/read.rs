//! Reading: whole entries, found by the index, left in the file where they are many bytes.

use super::{
    LocalLog,
    index::{Boundary, Index},
    scan::Heads,
    segment::{Segment, is_gone},
};
use bytes::Bytes;
use std::{fs::File, os::unix::fs::FileExt, sync::Arc};
use storage::{Framing, ReadLimit, ReadSlices, Result, Slice, StorageError, Timestamped};

/// Below this, bytes are read into memory with one call; from here on, the kernel sends them from the file.
const MEMORY_BYTES_MAX: u64 = 16 << 10;
/// What is read at once to look for the end of the last entry that fits.
const WINDOW_BYTES_MAX: u64 = 64 << 10;

/// How often a read starts over because a file it was about to open was trimmed or rewritten away.
const RETRIES_MAX: usize = 3;

/// One segment, as it was when the view was looked at.
struct Spot {
    segment: Arc<Segment>,
    bytes: u64,
    end: u64,
    /// The entry looked for starts here or later.
    floor: u64,
    /// It starts exactly here.
    exact: bool,
    /// The last boundary within the limit that is known without looking at bytes.
    boundary: Option<Boundary>,
    /// The segment is closed: what is known of it comes from its own index.
    closed: bool,
}

impl LocalLog {
    pub(super) fn read_now(&self, from: u64, limit: ReadLimit) -> Result<ReadSlices> {
        for _ in 0..RETRIES_MAX {
            match self.read_once(from, limit) {
                Err(error) if is_gone(&error) => {}
                result => return result,
            }
        }
        self.read_once(from, limit)
    }

    fn read_once(&self, from: u64, limit: ReadLimit) -> Result<ReadSlices> {
        let mut answer = ReadSlices::default();
        let mut at = from;
        let options = self.options();
        loop {
            let wanted = (limit.bytes_max - answer.bytes) as u64;
            let Some(spot) = self.spot(at, wanted, limit.before, answer.slices.is_empty())? else {
                return Ok(answer);
            };
            if spot.bytes == 0 {
                at = spot.end;
                continue;
            }
            let spot = self.refine(spot, at, wanted, limit.before, &options)?;
            let must = limit.at_least_one && answer.slices.is_empty();
            let reader = Reader {
                file: self.shared.files.get(&spot.segment)?,
                framing: &*options.framing,
                spot: &spot,
                limit: ReadLimit {
                    bytes_max: wanted as usize,
                    at_least_one: must,
                    ..limit
                },
            };
            let whole = reader.read(at, &mut answer)?;
            if !whole || answer.bytes >= limit.bytes_max || spot.end >= limit.before {
                return Ok(answer);
            }
            at = spot.end;
        }
    }

    /// The segment that holds `from`, and what the view knows about where; `None` where there is nothing to read.
    fn spot(&self, from: u64, wanted: u64, before: u64, first: bool) -> Result<Option<Spot>> {
        let view = self.view.read();
        view.check()?;
        if first && (from < view.start || from > view.end) {
            return Err(view.out_of_range(from));
        }
        if from >= view.end || from >= before {
            return Ok(None);
        }
        let at = view.run_of(from);
        let run = &view.runs[at];
        let mut spot = Spot {
            segment: run.segment.clone(),
            bytes: run.bytes,
            end: view.run_end(at),
            floor: 0,
            exact: false,
            boundary: None,
            closed: at + 1 < view.runs.len(),
        };
        if !spot.closed {
            let known = view.mark_at(from);
            spot.place(&view.index, known, from);
            let until = spot.floor.saturating_add(wanted);
            spot.bound(&view.index, until, before);
            if let Some(mark) = view.mark_within(spot.floor, until, before)
                && spot.boundary.is_none_or(|known| known.position < mark.position)
            {
                spot.boundary = Some(mark);
            }
        }
        Ok(Some(spot))
    }

    /// Adds what the index of a closed segment, and earlier reads, know.
    fn refine(
        &self,
        mut spot: Spot,
        from: u64,
        wanted: u64,
        before: u64,
        options: &storage::LogOptions,
    ) -> Result<Spot> {
        if spot.closed {
            let index = self.shared.files.index(
                &spot.segment,
                spot.bytes,
                &*options.framing,
                options.index_interval_bytes,
            )?;
            spot.place(&index, None, from);
            spot.bound(&index, spot.floor.saturating_add(wanted), before);
        }
        Ok(spot)
    }

    pub(super) fn first_at_now(&self, timestamp_ms: i64) -> Result<Option<Timestamped>> {
        let options = self.options();
        let mut at = 0;
        loop {
            let (run, position, start) = {
                let view = self.view.read();
                view.check()?;
                let Some(found) = (at..view.runs.len()).find(|at| {
                    view.runs[*at].timestamp_max_ms >= Some(timestamp_ms) && view.run_end(*at) > view.start
                }) else {
                    return Ok(None);
                };
                at = found + 1;
                let last = at == view.runs.len();
                let position = last.then(|| view.index.at_time(timestamp_ms));
                (view.runs[found].clone(), position, view.start)
            };
            let position = match position {
                Some(position) => position,
                None => {
                    let interval = options.index_interval_bytes;
                    let index =
                        self.shared
                            .files
                            .index(&run.segment, run.bytes, &*options.framing, interval)?;
                    index.at_time(timestamp_ms)
                }
            };
            let file = self.shared.files.get(&run.segment)?;
            let mut heads = Heads::new(&file, &*options.framing, position, run.bytes);
            while let Some((_, meta)) = heads.next()? {
                if meta.timestamp_max_ms >= timestamp_ms && meta.last >= start {
                    return Ok(Some(Timestamped {
                        first: meta.first,
                        timestamp_max_ms: meta.timestamp_max_ms,
                    }));
                }
            }
        }
    }
}

impl Spot {
    fn place(&mut self, index: &Index, known: Option<Boundary>, from: u64) {
        let floor = known.unwrap_or_else(|| index.at_offset(from));
        self.floor = floor.position;
        self.exact = floor.offset >= from;
    }

    fn bound(&mut self, index: &Index, until: u64, before: u64) {
        self.boundary = index
            .at_position(until, before)
            .filter(|boundary| boundary.position > self.floor);
    }
}

/// Reads one segment.
struct Reader<'a> {
    file: Arc<File>,
    framing: &'a dyn Framing,
    spot: &'a Spot,
    limit: ReadLimit,
}

impl Reader<'_> {
    /// Adds the entries from `from` on to `answer`; `true`: all there are in this segment.
    fn read(&self, from: u64, answer: &mut ReadSlices) -> Result<bool> {
        let Some(at) = self.start(from)? else {
            return Ok(true);
        };
        let rest = self.spot.bytes - at;
        let wanted = self.limit.bytes_max as u64;
        if rest <= wanted && self.spot.end <= self.limit.before {
            self.take(at, rest, answer)?;
            return Ok(true);
        }
        // A known boundary is good enough if it does not leave most of the limit unused.
        let known = self
            .spot
            .boundary
            .map_or(0, |boundary| boundary.position.saturating_sub(at));
        if known > 0 && known <= wanted && known >= wanted.min(rest) / 2 {
            self.take(at, known, answer)?;
        } else if wanted.min(rest) <= WINDOW_BYTES_MAX {
            self.window(at, answer)?;
        } else {
            let bytes = self.fitting(Heads::new(&self.file, self.framing, at, self.spot.bytes))?;
            self.take(at, bytes, answer)?;
        }
        Ok(false)
    }

    /// Where the first entry lies that ends at or after `from`.
    fn start(&self, from: u64) -> Result<Option<u64>> {
        if self.spot.exact {
            return Ok((self.spot.floor < self.spot.bytes).then_some(self.spot.floor));
        }
        let mut heads = Heads::new(&self.file, self.framing, self.spot.floor, self.spot.bytes);
        while let Some((position, meta)) = heads.next()? {
            if meta.last >= from {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Bytes of the entries that fit, told from their heads.
    fn fitting(&self, mut heads: Heads<'_>) -> Result<u64> {
        let mut bytes = 0;
        while let Some((_, meta)) = heads.next()? {
            let fits = bytes + u64::from(meta.bytes) <= self.limit.bytes_max as u64;
            if meta.first >= self.limit.before || !(fits || bytes == 0 && self.limit.at_least_one) {
                break;
            }
            bytes += u64::from(meta.bytes);
        }
        Ok(bytes)
    }

    /// Reads as much as may fit, and cuts it behind the last whole entry.
    fn window(&self, at: u64, answer: &mut ReadSlices) -> Result<()> {
        let rest = self.spot.bytes - at;
        let head_bytes = self.framing.head_bytes();
        let length = (self.limit.bytes_max.max(head_bytes) as u64).min(rest) as usize;
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, at)?;
        let mut bytes = 0;
        while bytes + head_bytes <= length {
            let meta = self
                .framing
                .measure(&buffer[bytes..bytes + head_bytes])
                .filter(|meta| meta.bytes > 0)
                .ok_or_else(|| {
                    StorageError::Corrupt(format!("no entry at byte {} of a segment", at + bytes as u64))
                })?;
            let end = bytes + meta.bytes as usize;
            if meta.first >= self.limit.before {
                break;
            }
            if end > self.limit.bytes_max || end > length {
                if bytes == 0 && self.limit.at_least_one {
                    return self.take(at, u64::from(meta.bytes), answer);
                }
                break;
            }
            bytes = end;
        }
        buffer.truncate(bytes);
        push(answer, Slice::Memory(Bytes::from(buffer)));
        Ok(())
    }

    /// Adds `bytes` of whole entries at `at`.
    fn take(&self, at: u64, bytes: u64, answer: &mut ReadSlices) -> Result<()> {
        let slice = Slice::File {
            file: self.file.clone(),
            position: at,
            bytes: bytes as usize,
        };
        let slice = if bytes < MEMORY_BYTES_MAX {
            Slice::Memory(slice.load()?)
        } else {
            slice
        };
        push(answer, slice);
        Ok(())
    }
}

fn push(answer: &mut ReadSlices, slice: Slice) {
    if !slice.is_empty() {
        answer.bytes += slice.len();
        answer.slices.push(slice);
    }
}
