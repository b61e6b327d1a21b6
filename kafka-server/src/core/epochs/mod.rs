//! Where in a partition's log each leader began to write.
//!
//! Knows: epochs of leaders and the offsets they began at. Never: batches, storage, who the leader is.

/// The leaders of one log, as far back as it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Epochs {
    /// Epoch and first offset, both ascending.
    begun: Vec<(i32, u64)>,
}

impl Epochs {
    /// Every epoch and where it began, oldest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (i32, u64)> {
        self.begun.iter().copied()
    }

    /// From `start`, the log's end, on it is `epoch` that writes. An epoch that wrote nothing leaves no trace.
    pub(crate) fn begin(&mut self, epoch: i32, start: u64) {
        if self.begun.last().is_some_and(|(last, _)| *last >= epoch) {
            return;
        }
        self.begun.retain(|(_, other)| *other < start);
        self.begun.push((epoch, start));
    }

    /// The latest epoch up to `epoch`, and where the log that ends at `log_end` has the first record after it.
    /// `None`: `epoch` is later than any. One earlier than any ended where the log begins.
    pub(crate) fn end_of(&self, epoch: i32, log_end: u64) -> Option<(i32, u64)> {
        let after = self.begun.partition_point(|(begun, _)| *begun <= epoch);
        let up_to = after.checked_sub(1).map(|at| self.begun[at].0);
        match self.begun.get(after) {
            Some((_, end)) => Some((up_to.unwrap_or(epoch), *end)),
            None => up_to.filter(|last| *last == epoch).map(|last| (last, log_end)),
        }
    }

    /// The epoch that wrote at `offset`, or will.
    pub(crate) fn at(&self, offset: u64) -> Option<i32> {
        let after = self.begun.partition_point(|(_, start)| *start <= offset);
        after.checked_sub(1).map(|at| self.begun[at].0)
    }

    /// Forgets what lies below the log's `start`.
    pub(crate) fn trim(&mut self, start: u64) {
        let after = self.begun.partition_point(|(_, begun)| *begun <= start);
        if let Some(last) = after.checked_sub(1) {
            self.begun[last].1 = start;
            self.begun.drain(..last);
        }
    }
}

#[cfg(test)]
mod tests;
