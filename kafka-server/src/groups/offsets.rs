//! Offsets: commit, fetch, delete, and those of transactions.

use super::Groups;
use crate::{
    core::groups::{
        Now,
        classic::Committer,
        group::Group,
        offsets::{Change, Committed, Pending, Place},
    },
    error::ApiError,
    wire::ResponseError,
};
use std::{collections::HashSet, sync::Arc};

/// One offset to commit.
#[derive(Debug, Clone)]
pub(crate) struct CommitPartition {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: Arc<str>,
}

/// Offsets of one topic to commit.
#[derive(Debug, Clone)]
pub(crate) struct CommitTopic {
    pub(crate) name: Arc<str>,
    pub(crate) partitions: Vec<CommitPartition>,
}

/// Who commits what. Topics and partitions are known to be there.
#[derive(Debug, Clone)]
pub(crate) struct CommitRequest {
    pub(crate) member_id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
    /// -1 outside of a group's generations.
    pub(crate) generation: i32,
    /// Retention that an old client asks for; none in new ones.
    pub(crate) retention_ms: Option<i64>,
    pub(crate) topics: Vec<CommitTopic>,
    /// What is answered for a group that is not there, to a member that claims to be in it.
    pub(crate) missing: ResponseError,
    /// Version of the request: old ones do not know newer errors.
    pub(crate) version: i16,
}

/// What became of one partition: its index, and the error if there was one.
pub(crate) type PartitionResult = (i32, Result<(), ResponseError>);

/// Which partitions of which topics to read; `None`: all that are committed.
pub(crate) type FetchTopics = Option<Vec<(Arc<str>, Vec<i32>)>>;

/// One offset as it is read. `Ok(None)`: none is committed.
pub(crate) type FetchedPartition = (i32, Result<Option<Committed>, ResponseError>);

/// Offsets of one topic as they are read.
pub(crate) type FetchedTopic = (Arc<str>, Vec<FetchedPartition>);

/// The transaction that offsets are part of.
#[derive(Debug, Clone, Copy)]
struct Transaction {
    producer_id: i64,
    producer_epoch: i16,
}

impl Groups {
    /// OffsetCommit: answers for each topic and partition, in their order.
    pub(crate) async fn commit(
        &self,
        group: &str,
        request: CommitRequest,
    ) -> Result<Vec<Vec<PartitionResult>>, ApiError> {
        self.commit_as(group, request, None).await
    }

    /// Keeps offsets until the transaction of `producer_id` ends.
    pub(crate) async fn commit_in_transaction(
        &self,
        group: &str,
        producer_id: i64,
        producer_epoch: i16,
        request: CommitRequest,
    ) -> Result<Vec<Vec<PartitionResult>>, ApiError> {
        let transaction = Transaction {
            producer_id,
            producer_epoch,
        };
        self.commit_as(group, request, Some(transaction)).await
    }

    async fn commit_as(
        &self,
        group: &str,
        request: CommitRequest,
        transaction: Option<Transaction>,
    ) -> Result<Vec<Vec<PartitionResult>>, ApiError> {
        let create = request.generation < 0;
        let metadata_max = self.settings().offset_metadata_max;
        let missing = request.missing;
        self.act(group, create, missing, move |step| {
            let who = Committer {
                member_id: &request.member_id,
                instance_id: request.instance_id.as_deref(),
                generation: request.generation,
                transactional: transaction.is_some(),
            };
            step.slot
                .group
                .validate_commit(step.now, &who, request.version < 9)?;
            let mut results = Vec::with_capacity(request.topics.len());
            for topic in &request.topics {
                let mut line = Vec::with_capacity(topic.partitions.len());
                for partition in &topic.partitions {
                    if partition.metadata.encode_utf16().count() > metadata_max {
                        line.push((partition.partition, Err(ResponseError::OffsetMetadataTooLarge)));
                        continue;
                    }
                    let place = (topic.name.clone(), partition.partition);
                    let committed = committed(step.now, request.retention_ms, partition);
                    step.outcome.changes.push(match transaction {
                        None => Change::Commit(place, committed),
                        Some(Transaction {
                            producer_id,
                            producer_epoch,
                        }) => Change::Hold(
                            producer_id,
                            place,
                            Pending {
                                producer_epoch,
                                committed,
                            },
                        ),
                    });
                    line.push((partition.partition, Ok(())));
                }
                results.push(line);
            }
            Ok(results)
        })
        .await
    }

    /// Ends what [`Groups::commit_in_transaction`] began. Done again it finds nothing to do.
    pub(crate) async fn complete_transaction(
        &self,
        group: &str,
        producer_id: i64,
        producer_epoch: i16,
        commit: bool,
    ) -> Result<(), ApiError> {
        let ended = self.act(group, false, ResponseError::GroupIdNotFound, move |step| {
            let held: Vec<(Place, Pending)> = step
                .slot
                .group
                .offsets
                .held(producer_id)
                .filter(|(_, pending)| pending.producer_epoch <= producer_epoch)
                .map(|(place, pending)| (place.clone(), pending.clone()))
                .collect();
            for (place, pending) in held {
                if commit {
                    step.outcome
                        .changes
                        .push(Change::Commit(place.clone(), pending.committed));
                }
                step.outcome.changes.push(Change::Release(producer_id, place));
            }
            Ok(())
        });
        match ended.await {
            Err(error) if error.code == ResponseError::GroupIdNotFound => Ok(()),
            ended => ended,
        }
    }

    /// [`Groups::complete_transaction`] in every group that is `among` those asked for.
    pub(crate) async fn complete_transactions(
        &self,
        among: impl Fn(&str) -> bool,
        producer_id: i64,
        producer_epoch: i16,
        commit: bool,
    ) -> Result<(), ApiError> {
        for group in self.ids().into_iter().filter(|group| among(group)) {
            self.complete_transaction(&group, producer_id, producer_epoch, commit)
                .await?;
        }
        Ok(())
    }

    /// OffsetFetch of one group. A group that is not there has committed nothing.
    pub(crate) async fn fetch(
        &self,
        group: &str,
        member: Option<(Arc<str>, i32)>,
        topics: FetchTopics,
        require_stable: bool,
    ) -> Result<Vec<FetchedTopic>, ApiError> {
        let member = member.as_ref().map(|(id, epoch)| (&**id, *epoch));
        let found = self.look(group, |group| {
            group.validate_fetch(member)?;
            Ok::<_, ApiError>(match &topics {
                Some(topics) => read(group, topics, require_stable),
                None => read(group, &all_of(group), require_stable),
            })
        });
        match found.await {
            Some(found) => found,
            None => {
                let nothing =
                    |partitions: Vec<i32>| partitions.into_iter().map(|index| (index, Ok(None))).collect();
                let topics = topics.unwrap_or_default().into_iter();
                Ok(topics
                    .map(|(name, partitions)| (name, nothing(partitions)))
                    .collect())
            }
        }
    }

    /// OffsetDelete: answers for each topic and partition, in their order.
    pub(crate) async fn delete_offsets(
        &self,
        group: &str,
        topics: Vec<(Arc<str>, Vec<i32>)>,
    ) -> Result<Vec<Vec<PartitionResult>>, ApiError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId.into());
        }
        self.act(group, false, ResponseError::GroupIdNotFound, move |step| {
            let group = &step.slot.group;
            group.validate_offset_delete()?;
            let mut results = Vec::with_capacity(topics.len());
            for (name, partitions) in topics {
                let answer = match group.is_subscribed_to(&name) {
                    true => Err(ResponseError::GroupSubscribedToTopic),
                    false => Ok(()),
                };
                for partition in partitions.iter().filter(|_| answer.is_ok()) {
                    step.outcome.changes.extend(forget(group, &name, *partition));
                }
                results.push(partitions.into_iter().map(|index| (index, answer)).collect());
            }
            Ok(results)
        })
        .await
    }

    /// Forgets every offset of deleted topics.
    pub(crate) async fn topics_deleted(&self, names: HashSet<String>) {
        if names.is_empty() {
            return;
        }
        let names = Arc::new(names);
        for id in self.ids() {
            let names = names.clone();
            let done = self.act(&id, false, ResponseError::GroupIdNotFound, move |step| {
                let offsets = &step.slot.group.offsets;
                let of_them = |(topic, _): &Place| names.contains(&**topic);
                let committed = offsets.places().into_iter().filter(of_them).map(Change::Remove);
                let held = offsets.all_held().into_iter().filter(|(_, place)| of_them(place));
                let held = held.map(|(producer_id, place)| Change::Release(producer_id, place));
                let changes: Vec<Change> = committed.chain(held).collect();
                step.outcome.changes.extend(changes);
                Ok(())
            });
            if let Err(error) = done.await {
                tracing::debug!(group = %id, %error, "offsets of deleted topics are left");
            }
        }
    }
}

fn committed(now: Now, retention_ms: Option<i64>, partition: &CommitPartition) -> Committed {
    Committed {
        offset: partition.offset,
        leader_epoch: partition.leader_epoch,
        metadata: partition.metadata.clone(),
        committed_at_ms: now.wall_ms,
        expires_at_ms: retention_ms.map(|retention| now.wall_ms.saturating_add(retention)),
    }
}

/// Whatever is committed or held of a partition.
fn forget(group: &Group, topic: &Arc<str>, partition: i32) -> Vec<Change> {
    let committed = group
        .offsets
        .get(topic, partition)
        .map(|_| Change::Remove((topic.clone(), partition)));
    let held = group
        .offsets
        .all_held()
        .into_iter()
        .filter(|(_, (name, index))| name == topic && *index == partition);
    committed
        .into_iter()
        .chain(held.map(|(producer_id, place)| Change::Release(producer_id, place)))
        .collect()
}

fn all_of(group: &Group) -> Vec<(Arc<str>, Vec<i32>)> {
    let topics = group.offsets.topics();
    topics
        .map(|(name, partitions)| (name.clone(), partitions.keys().copied().collect()))
        .collect()
}

fn read(group: &Group, topics: &[(Arc<str>, Vec<i32>)], require_stable: bool) -> Vec<FetchedTopic> {
    let partition = |name: &Arc<str>, index: i32| -> FetchedPartition {
        if require_stable && group.offsets.is_unstable(name, index) {
            return (index, Err(ResponseError::UnstableOffsetCommit));
        }
        (index, Ok(group.offsets.get(name, index).cloned()))
    };
    let topic = |(name, partitions): &(Arc<str>, Vec<i32>)| {
        (
            name.clone(),
            partitions.iter().map(|index| partition(name, *index)).collect(),
        )
    };
    topics.iter().map(topic).collect()
}
