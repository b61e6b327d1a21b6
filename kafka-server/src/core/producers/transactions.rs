use std::collections::BTreeMap;

/// A transaction that was aborted, as read_committed consumers need to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub(crate) producer_id: i64,
    /// Its first record.
    pub(crate) first: u64,
    /// Its marker.
    pub(crate) last: u64,
    /// The last stable offset once it ended: no later abort concerns records below it.
    pub(crate) stable: u64,
}

/// Transactions of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Transactions {
    /// Open ones: first offset to producer.
    open: BTreeMap<u64, i64>,
    /// Ended ones whose marker may not be durable yet: first offset to the marker's.
    ended: BTreeMap<u64, u64>,
    /// Ascending by marker.
    aborted: Vec<Aborted>,
}

impl Transactions {
    pub(super) fn begin(&mut self, first: u64, producer_id: i64) {
        self.open.insert(first, producer_id);
    }

    pub(super) fn restore(&mut self, aborted: Aborted) {
        self.aborted.push(aborted);
    }

    pub(super) fn end(&mut self, first: u64, marker: u64, producer_id: i64, commit: bool) {
        self.open.remove(&first);
        self.ended.insert(first, marker);
        if !commit {
            let stable = self.open.keys().next().copied().unwrap_or(marker + 1);
            self.aborted.push(Aborted {
                producer_id,
                first,
                last: marker,
                stable,
            });
        }
    }

    pub(super) fn last_stable(&mut self, durable_end: u64) -> u64 {
        if !self.ended.is_empty() {
            self.ended.retain(|_, marker| *marker >= durable_end);
        }
        let open = self.open.keys().next().copied();
        let ended = self.ended.keys().next().copied();
        [open, ended].into_iter().flatten().fold(durable_end, u64::min)
    }

    pub(super) fn trim(&mut self, start: u64) {
        let gone = self.aborted.partition_point(|aborted| aborted.last < start);
        self.aborted.drain(..gone);
    }

    /// All that were aborted, oldest marker first.
    pub(crate) fn aborted(&self) -> &[Aborted] {
        &self.aborted
    }

    /// The aborted transactions that a reader of `from..to` must know.
    pub(crate) fn aborted_between(&self, from: u64, to: u64) -> Vec<Aborted> {
        let mut found = Vec::new();
        let at = self.aborted.partition_point(|aborted| aborted.last < from);
        for aborted in &self.aborted[at..] {
            if aborted.first < to {
                found.push(*aborted);
            }
            if aborted.stable >= to {
                break;
            }
        }
        found
    }
}
