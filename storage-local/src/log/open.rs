//! Opening a log: what the manifest lists is taken as it is, what came after it is checked byte by byte.

use super::{
    LocalLog, Shared,
    append::Writer,
    index::Index,
    manifest::{self, Manifest},
    scan::{self, Whole},
    segment::Segment,
    view::{Run, View},
};
use crate::work::Syncable;
use parking_lot::{Mutex, RwLock};
use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};
use storage::{Durability, LogOptions, Result, StorageError};
use tokio::sync::watch;

impl LocalLog {
    /// Opens the log in `dir`, which need not exist: it is made by the first append.
    pub(super) fn open(shared: Arc<Shared>, dir: &Path, options: LogOptions) -> Result<Arc<Self>> {
        let recovered = Recovery::new(&shared, Arc::from(dir), &options)?.run()?;
        let Recovered { view, writer, synced } = recovered;
        let synced_wanted = options.durability >= Durability::Synced && synced < view.end;
        let log = Arc::new_cyclic(|this| LocalLog {
            this: this.clone(),
            shared,
            dir: Arc::from(dir),
            changes: Mutex::default(),
            writer: Mutex::new(writer),
            view: RwLock::new(view),
            options: RwLock::new(Arc::new(options)),
            synced: watch::Sender::new(Ok(synced)),
            sync_queued: AtomicBool::new(false),
            checkpoint_queued: AtomicBool::new(false),
        });
        if synced_wanted {
            log.sync_now();
            log.synced.borrow().clone()?;
        }
        Ok(log)
    }
}

struct Recovered {
    view: View,
    writer: Writer,
    /// Offset below which everything is known to be on stable storage.
    synced: u64,
}

/// The recovery of one log.
struct Recovery<'a> {
    shared: &'a Shared,
    dir: Arc<Path>,
    options: &'a LogOptions,
    manifest: Manifest,
    /// Segment files in the directory: base and generation.
    found: BTreeSet<(u64, u32)>,
}

impl<'a> Recovery<'a> {
    fn new(shared: &'a Shared, dir: Arc<Path>, options: &'a LogOptions) -> Result<Self> {
        let names = file_names(&dir)?;
        let found: BTreeSet<(u64, u32)> = names.iter().filter_map(|name| Segment::parse(name)).collect();
        let manifest = if names.iter().any(|name| name == manifest::NAME) {
            Manifest::load(&dir)?
        } else {
            None
        };
        let manifest = manifest.unwrap_or_else(|| {
            let (active, active_generation) = found.first().copied().unwrap_or_default();
            Manifest {
                start: active,
                active,
                active_generation,
                checked_end: active,
                ..Manifest::default()
            }
        });
        let recovery = Recovery {
            shared,
            dir,
            options,
            manifest,
            found,
        };
        recovery.sweep(&names);
        Ok(recovery)
    }

    fn counts(&self, base: u64, generation: u32) -> bool {
        let manifest = &self.manifest;
        match base.cmp(&manifest.active) {
            std::cmp::Ordering::Greater => generation >= manifest.floor,
            std::cmp::Ordering::Equal => generation == manifest.active_generation,
            std::cmp::Ordering::Less => manifest
                .closed
                .iter()
                .any(|closed| (closed.base, closed.generation) == (base, generation)),
        }
    }

    /// Removes what an interrupted change left behind.
    fn sweep(&self, names: &[String]) {
        for name in names {
            let segment = name
                .strip_suffix(".index")
                .map_or_else(|| name.clone(), |stem| format!("{stem}.log"));
            let stale = match Segment::parse(&segment) {
                Some((base, generation)) => !self.counts(base, generation),
                None => name != manifest::NAME,
            };
            if stale {
                tracing::debug!(%name, "removing what an interrupted change left behind");
                let _ = std::fs::remove_file(self.dir.join(name));
            }
        }
    }

    fn run(self) -> Result<Recovered> {
        let (mut runs, start) = self.closed()?;
        let tail = self.tail()?;
        let closed = runs.len();
        let mut index = None;
        let mut end = self.manifest.active;
        for (at, recovered) in tail.into_iter().enumerate() {
            if let Some(index) = index.take() {
                let run: &Run = &runs[closed + at - 1];
                self.shared.files.close(&run.segment, index, run.bytes);
            }
            runs.push(recovered.run);
            index = Some(recovered.index);
            end = recovered.end;
        }
        let index = index.unwrap_or_else(|| Index::new(end, self.options.index_interval_bytes));
        let unsynced = runs[closed..runs.len() - 1]
            .iter()
            .map(|run| run.segment.clone())
            .collect();
        let last = &runs[runs.len() - 1];
        let writer = Writer {
            end,
            bytes: last.bytes,
            length: last.bytes,
            created: self.found.contains(&(last.segment.base, last.segment.generation)),
            torn: false,
            generation: self
                .found
                .iter()
                .map(|(_, generation)| *generation)
                .max()
                .unwrap_or(0)
                .max(self.manifest.floor),
            unchecked: last.bytes.saturating_sub(self.manifest.checked_bytes),
            failed: None,
        };
        let mut view = View::new(start.min(end), end, runs, index);
        view.floor = self.manifest.floor;
        view.closed_unsynced = unsynced;
        Ok(Recovered {
            view,
            writer,
            synced: self.manifest.checked_end,
        })
    }

    /// The closed segments of the manifest. The first ones may be gone: on a full disk they are removed before the
    /// manifest can say so.
    fn closed(&self) -> Result<(Vec<Run>, u64)> {
        let mut start = self.manifest.start;
        let mut runs = Vec::new();
        let mut skipped = false;
        for closed in &self.manifest.closed {
            if self.found.contains(&(closed.base, closed.generation)) {
                if std::mem::take(&mut skipped) {
                    start = start.max(closed.base);
                }
                runs.push(Run {
                    segment: Segment::new(self.dir.clone(), closed.base, closed.generation),
                    bytes: closed.bytes,
                    timestamp_max_ms: closed.timestamp_max_ms,
                });
            } else if runs.is_empty() {
                skipped = true;
            } else {
                let what = format!("segment {} of {} is missing", closed.base, self.dir.display());
                return Err(StorageError::Corrupt(what));
            }
        }
        if skipped {
            start = start.max(self.manifest.active);
        }
        Ok((runs, start))
    }

    /// The segments from the manifest's active one on, each checked from the recovery point.
    fn tail(&self) -> Result<Vec<Tail>> {
        let manifest = &self.manifest;
        let mut bases: Vec<(u64, u32)> = vec![(manifest.active, manifest.active_generation)];
        let later = self
            .found
            .iter()
            .filter(|(base, generation)| *base > manifest.active && self.counts(*base, *generation));
        bases.extend(later);
        let mut tail: Vec<Tail> = Vec::new();
        for (base, generation) in bases {
            let expected = tail.last().map_or(base, |last| last.end);
            if base != expected {
                // What lies before ends too early: the bytes between are lost, and so is what followed them.
                tracing::warn!(base, expected, dir = %self.dir.display(), "dropping a segment behind a torn one");
                Segment::new(self.dir.clone(), base, generation).unlink();
                continue;
            }
            tail.push(self.check(base, generation)?);
        }
        Ok(tail)
    }

    fn check(&self, base: u64, generation: u32) -> Result<Tail> {
        let segment = Segment::new(self.dir.clone(), base, generation);
        let interval = self.options.index_interval_bytes;
        let mut tail = Tail {
            run: Run {
                segment: segment.clone(),
                bytes: 0,
                timestamp_max_ms: None,
            },
            index: Index::new(base, interval),
            end: base,
        };
        if !self.found.contains(&(base, generation)) {
            return Ok(tail);
        }
        let file = OpenOptions::new().read(true).write(true).open(segment.path())?;
        let length = file.metadata()?.len();
        let mut from = Whole { bytes: 0, end: base };
        let manifest = &self.manifest;
        let framing = &*self.options.framing;
        if base == manifest.active && manifest.checked_bytes > 0 && manifest.checked_bytes <= length {
            from = Whole {
                bytes: manifest.checked_bytes,
                end: manifest.checked_end,
            };
            let stored = std::fs::read(segment.sidecar()).ok();
            let decoded = stored.and_then(|raw| Index::decode(base, from.bytes, &raw));
            tail.index = match decoded {
                Some(index) => index,
                None => scan::index(&file, framing, tail.index, from.bytes)?,
            };
        }
        let whole = scan::verify(&file, framing, &mut tail.index, from)?;
        if length > whole.bytes {
            tracing::debug!(base, whole = whole.bytes, length, dir = %self.dir.display(), "cutting a torn tail");
            file.set_len(whole.bytes)?;
        }
        self.shared.files.adopt(&segment, file);
        tail.run.bytes = whole.bytes;
        tail.run.timestamp_max_ms = tail.index.timestamp_max_ms();
        tail.end = whole.end;
        Ok(tail)
    }
}

/// A segment behind the recovery point, checked.
struct Tail {
    run: Run,
    index: Index,
    end: u64,
}

fn file_names(dir: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}
