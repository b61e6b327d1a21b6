//! Puts what is left of values in their place, where they are still the same.

use crate::{error::Result, state::rows::Place};
use bytes::Bytes;
use storage::{Batch, Durability, Expect, Kv, Op, StorageError};

/// What is to become of one key.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) op: Op,
    /// What has to be the same still: the value under a key.
    pub(super) expected: (Bytes, Option<Bytes>),
}

impl Change {
    /// Of the value under `key`, which is `before`.
    pub(super) fn of(key: Bytes, before: Bytes, after: Option<Vec<u8>>) -> Self {
        Change {
            op: match after {
                Some(after) => Op::Put(key.clone(), Bytes::from(after)),
                None => Op::Delete(key.clone()),
            },
            expected: (key, Some(before)),
        }
    }

    /// How long the key is that it is about.
    pub(super) fn op_bytes(&self) -> u64 {
        match &self.op {
            Op::Put(key, _) | Op::Delete(key) | Op::DeleteRange(key, _) | Op::Merge(key, _) => {
                key.len() as u64
            }
        }
    }

    fn is_of_partition(&self, of: &Place) -> bool {
        let place = Place::read(&self.expected.0);
        place.is_some_and(|place| place.partition == of.partition)
    }
}

/// Makes those of `changes` that still can be made, all at once; answers the others. A change of what a partition deleted is
/// made only with all other changes of that partition.
pub(super) async fn replace(
    kv: &dyn Kv,
    mut changes: Vec<Change>,
    durability: Durability,
) -> Result<Vec<Change>> {
    let mut refused = Vec::new();
    while !changes.is_empty() {
        let batch = Batch {
            ops: changes.iter().map(|change| change.op.clone()).collect(),
            expect: changes
                .iter()
                .map(|change| Expect::Value(change.expected.0.clone(), change.expected.1.clone()))
                .collect(),
        };
        match kv.commit(batch, durability).await {
            Ok(()) => break,
            Err(StorageError::Expectation { index }) if index < changes.len() => {
                let changed = changes.remove(index);
                if let Some(place) = Place::read(&changed.expected.0) {
                    let with_it = |change: &mut Change| {
                        change.is_of_partition(&place)
                            && Place::read(&change.expected.0).is_some_and(|place| place.is_deletions())
                    };
                    refused.extend(changes.extract_if(.., with_it));
                }
                refused.push(changed);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(refused)
}
