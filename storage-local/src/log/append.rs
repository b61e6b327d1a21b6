//! Appending: bytes first, then the index, then the view that readers see.

use super::{LocalLog, index::Index, segment::Segment};
use std::{
    fs::File,
    io::{self, IoSlice},
    sync::{Arc, atomic::Ordering},
};
use storage::{Appended, Durability, Entry, LogOptions, Result, StorageError, Ticket};

/// Parts of entries that one system call takes.
const PARTS_MAX: usize = 1024;
/// Where positions and offsets within a segment still fit the index.
const SEGMENT_BYTES_MAX: u64 = 1 << 31;
/// How far a pre-written segment is zeroed ahead: as much as it holds, within these bounds.
const AHEAD_BYTES_MIN: u64 = 64 << 10;
const AHEAD_BYTES_MAX: u64 = 4 << 20;
/// Bytes appended after which a recovery point is persisted in the background.
const CHECKPOINT_BYTES: u64 = 64 << 20;

/// What only the one who writes knows.
#[derive(Debug)]
pub(super) struct Writer {
    /// Next offset to be written.
    pub(super) end: u64,
    /// Published bytes of the active segment.
    pub(super) bytes: u64,
    /// Length of its file, zeroes ahead included.
    pub(super) length: u64,
    /// Its file exists.
    pub(super) created: bool,
    /// A write failed and what it left behind could not be cut off yet.
    pub(super) torn: bool,
    /// Generation of the next file.
    pub(super) generation: u32,
    /// Bytes appended since a checkpoint was asked for.
    pub(super) unchecked: u64,
    /// Why nothing can be done any more.
    pub(super) failed: Option<StorageError>,
}

impl Writer {
    pub(super) fn check(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }
}

impl LocalLog {
    pub(super) fn append_now(&self, entries: &[Entry]) -> Result<Appended> {
        let options = self.options();
        let mut writer = self.writer.lock();
        writer.check()?;
        let end = self.admit(&writer, entries)?;
        let bytes: u64 = entries.iter().map(|entry| u64::from(entry.meta.bytes)).sum();
        if bytes > 0 {
            let limit = options.chunk_bytes_max.min(SEGMENT_BYTES_MAX);
            let base = self.view.read().last().segment.base;
            if writer.bytes > 0 && (writer.bytes + bytes > limit || end - base > u64::from(u32::MAX)) {
                self.roll_now(&mut writer)?;
            }
            self.write(&mut writer, &options, entries, bytes)?;
            self.view
                .write()
                .publish(entries.iter().map(|entry| &entry.meta), writer.bytes);
            writer.bytes += bytes;
            writer.end = end;
            writer.unchecked += bytes;
            if writer.unchecked >= CHECKPOINT_BYTES {
                writer.unchecked = 0;
                self.request_checkpoint();
            }
        }
        let ticket = match options.durability {
            Durability::Memory | Durability::Written => Ticket::Durable,
            Durability::Synced | Durability::Remote => {
                let durable_end = self.synced.subscribe();
                self.request_sync();
                Ticket::Pending { end, durable_end }
            }
        };
        Ok(Appended { end, ticket })
    }

    /// The end after `entries`, if they ascend and a sync has not failed before them.
    fn admit(&self, writer: &Writer, entries: &[Entry]) -> Result<u64> {
        if let Err(error) = &*self.synced.borrow() {
            return Err(error.clone());
        }
        entries.iter().try_fold(writer.end, |end, entry| {
            if entry.meta.first < end || entry.meta.last < entry.meta.first {
                return Err(self.view.read().out_of_range(entry.meta.first));
            }
            Ok(entry.meta.last + 1)
        })
    }

    /// Writes `entries` behind the published bytes. Where that fails, nothing of them is left.
    fn write(&self, writer: &mut Writer, options: &LogOptions, entries: &[Entry], bytes: u64) -> Result<()> {
        let segment = self.view.read().last().segment.clone();
        let file = if writer.created {
            self.shared.files.get(&segment)?
        } else {
            self.create(writer, &segment, options)?
        };
        if writer.torn {
            cut(&file, writer)?;
        }
        let written = match options.durability {
            Durability::Memory | Durability::Written => Ok(()),
            Durability::Synced | Durability::Remote => prepare(&file, writer, bytes, options.chunk_bytes_max),
        }
        .and_then(|()| write_parts(&file, entries, writer.bytes));
        if written.is_err() {
            writer.torn = true;
            let _ = cut(&file, writer);
            self.shared.spares.clear();
        }
        writer.length = writer.length.max(writer.bytes + bytes);
        Ok(written?)
    }

    /// The file of a new segment: where appends wait for syncs, one that was used and zeroed before if there is one.
    fn create(&self, writer: &mut Writer, segment: &Arc<Segment>, options: &LogOptions) -> Result<Arc<File>> {
        let spare = if options.durability >= Durability::Synced {
            self.shared.spares.take(segment, options.chunk_bytes_max)
        } else {
            None
        };
        let file = match spare {
            Some((file, length)) => {
                writer.length = length;
                self.shared.files.adopt(segment, file)
            }
            None => self.shared.files.create(segment)?,
        };
        self.view.write().names_created += 1;
        writer.created = true;
        Ok(file)
    }

    /// Closes the active segment, so that the next append creates another file.
    pub(super) fn roll_now(&self, writer: &mut Writer) -> Result<()> {
        if writer.bytes == 0 {
            return Ok(());
        }
        let closed = self.view.read().last().segment.clone();
        if writer.torn || writer.length > writer.bytes {
            cut(&*self.shared.files.get(&closed)?, writer)?;
        }
        let next = Segment::new(self.dir.clone(), writer.end, writer.generation);
        let index = Index::new(writer.end, self.options().index_interval_bytes);
        let index = self.view.write().roll(next, index);
        self.shared.files.close(&closed, index, writer.bytes);
        writer.bytes = 0;
        writer.length = 0;
        writer.created = false;
        writer.unchecked = 0;
        self.request_checkpoint();
        Ok(())
    }

    /// Asks for a recovery point in the background. If the chores are many, the next append asks again.
    fn request_checkpoint(&self) {
        if self.checkpoint_queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let queued = self.this.upgrade().is_some_and(|this| {
            self.shared.threads.chores.offer(move || {
                this.checkpoint_queued.store(false, Ordering::Release);
                let _changes = this.changes.lock();
                if let Err(error) = this.checkpoint_now() {
                    tracing::warn!(%error, dir = %this.dir.display(), "no recovery point was persisted");
                }
            })
        });
        if !queued {
            self.checkpoint_queued.store(false, Ordering::Release);
        }
    }
}

/// Cuts off whatever lies behind the published bytes.
fn cut(file: &File, writer: &mut Writer) -> io::Result<()> {
    file.set_len(writer.bytes)?;
    writer.length = writer.bytes;
    writer.torn = false;
    Ok(())
}

/// Writes zeroes ahead, so that `fdatasync` of what is written over them has no metadata to bring along.
fn prepare(file: &Arc<File>, writer: &mut Writer, bytes: u64, chunk_bytes_max: u64) -> io::Result<()> {
    let needed = writer.bytes + bytes;
    if needed <= writer.length {
        return Ok(());
    }
    let ahead = needed.clamp(AHEAD_BYTES_MIN, AHEAD_BYTES_MAX);
    let target = (needed + ahead).min(chunk_bytes_max.max(needed));
    zero(file, writer.length, target - writer.length)?;
    writer.length = target;
    Ok(())
}

/// Writes `bytes` zeroes at `position`.
pub(super) fn zero(file: &File, mut position: u64, bytes: u64) -> io::Result<()> {
    static ZEROES: [u8; 64 << 10] = [0; 64 << 10];
    let end = position + bytes;
    while position < end {
        let step = (end - position).min(ZEROES.len() as u64) as usize;
        std::os::unix::fs::FileExt::write_all_at(file, &ZEROES[..step], position)?;
        position += step as u64;
    }
    Ok(())
}

/// Writes the parts of `entries` from `position` on, without copying them together.
pub(super) fn write_parts(file: &File, entries: &[Entry], mut position: u64) -> io::Result<()> {
    let parts: Vec<&[u8]> = entries
        .iter()
        .flat_map(|entry| [entry.head.as_ref(), entry.body.as_ref()])
        .filter(|part| !part.is_empty())
        .collect();
    for group in parts.chunks(PARTS_MAX) {
        let mut slices: Vec<IoSlice<'_>> = group.iter().map(|part| IoSlice::new(part)).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            match rustix::io::pwritev(file, rest, position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    position += written as u64;
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
