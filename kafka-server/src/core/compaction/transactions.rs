use super::BatchFacts;
use crate::core::producers::Aborted;
use std::collections::{HashMap, HashSet};

/// Follows the transactions of a log from its start, to tell what of them is needless.
#[derive(Debug, Default)]
pub(crate) struct CleanedTransactions {
    /// Aborted ones that are still ahead, the next one last.
    ahead: Vec<Aborted>,
    /// Aborted ones under way, and whether a batch of theirs was met.
    aborted: HashMap<i64, bool>,
    /// Committed ones of which a batch was met.
    committed: HashSet<i64>,
}

impl CleanedTransactions {
    pub(crate) fn new(mut aborted: Vec<Aborted>) -> Self {
        aborted.sort_by_key(|aborted| std::cmp::Reverse(aborted.first));
        CleanedTransactions {
            ahead: aborted,
            ..CleanedTransactions::default()
        }
    }

    /// Whether `batch` holds records of an aborted transaction, or the marker of one of which no batch is left.
    pub(crate) fn is_needless(&mut self, batch: &BatchFacts) -> bool {
        while let Some(next) = self.ahead.pop_if(|next| next.first <= batch.last) {
            self.aborted.entry(next.producer_id).or_insert(false);
        }
        let Some((producer_id, _)) = batch.producer.filter(|_| batch.transactional) else {
            return false;
        };
        match batch.commits {
            Some(true) => !self.committed.remove(&producer_id),
            Some(false) => self.aborted.remove(&producer_id) != Some(true),
            None => match self.aborted.get_mut(&producer_id) {
                Some(met) => {
                    *met = true;
                    true
                }
                None => {
                    self.committed.insert(producer_id);
                    false
                }
            },
        }
    }
}
