//! Makes and removes topics: for whoever asks, for a client that uses one that is not there, and the brokers' own.

use crate::{
    broker::Broker,
    config::topic,
    core::topics::{self, Fault, REQUEST_PARTITIONS_MAX, Wanted},
    error::ApiError,
    state::topics::TopicRecord,
    topics::{Image, Topic},
    wire::ResponseError,
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// The topic whose name tells clients where committed offsets are. They are in the store, not in its log.
pub(crate) const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// The topic whose name tells clients where transactions are. They are in the store, not in its log.
pub(crate) const TRANSACTION_STATE: &str = "__transaction_state";

impl Broker {
    /// Makes what is `wanted`, or only says whether it could. Answers in the order asked.
    pub(crate) async fn create_topics(
        &self,
        wanted: &[Wanted],
        validate_only: bool,
    ) -> Vec<Result<TopicRecord, ApiError>> {
        let image = self.topics.image();
        let checked: Vec<_> = wanted.iter().map(|topic| self.check(topic, &image)).collect();
        let asked: usize = checked
            .iter()
            .flatten()
            .map(|record| record.partitions as usize)
            .sum();
        if asked > REQUEST_PARTITIONS_MAX {
            return wanted
                .iter()
                .map(|_| Err(Fault::TooManyPartitions.into()))
                .collect();
        }
        if validate_only {
            return checked.into_iter().map(|record| Ok(record?)).collect();
        }
        let records = checked.iter().flatten().cloned().collect();
        let made = match self.topics.create(records).await {
            Ok(made) => made,
            Err(error) => {
                let failed =
                    |record: Result<_, Fault>| Err(record.err().map_or(error.clone().into(), ApiError::from));
                return checked.into_iter().map(failed).collect();
            }
        };
        let answer = |record: Result<TopicRecord, Fault>| {
            let record = record?;
            // Somebody may have been faster since the check.
            if made.contains(&record.id) {
                Ok(record)
            } else {
                Err(Fault::Exists(record.name).into())
            }
        };
        checked.into_iter().map(answer).collect()
    }

    fn check(&self, wanted: &Wanted, image: &Image) -> Result<TopicRecord, Fault> {
        let name = &wanted.name;
        topics::check_name(name)?;
        if image.get(name).is_some() {
            return Err(Fault::Exists(name.clone()));
        }
        if name.contains(['.', '_'])
            && let Some(other) = image
                .iter()
                .find(|other| topics::collide(name, &other.record.name))
        {
            return Err(Fault::Collision {
                name: name.clone(),
                other: other.record.name.clone(),
            });
        }
        let config = wanted.settings()?;
        topic::validate(&config).map_err(Fault::Config)?;
        let default = self
            .dynamic
            .load()
            .get("num.partitions", self.config.num_partitions);
        Ok(TopicRecord {
            name: name.clone(),
            id: self.random.uuid().into_bytes(),
            partitions: wanted.partition_count(self.config.node_id, default)?,
            config,
            made_under: BTreeMap::new(),
        })
    }

    /// Makes the brokers' own topic `name` where it is not there yet.
    pub(crate) async fn ensure_internal_topic(&self, name: &str) -> Result<(), ApiError> {
        if self.topics.image().get(name).is_some() {
            return Ok(());
        }
        match self
            .create_topics(&[self.internal_topic(name)], false)
            .await
            .pop()
        {
            Some(Err(error)) if error.code != ResponseError::TopicAlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// What the brokers' own topic `name` is made with, also where a client was the one to ask for it first.
    pub(crate) fn internal_topic(&self, name: &str) -> Wanted {
        let config = self.dynamic.load();
        let (partitions, keys): (i32, &[(&str, &str)]) = match name {
            CONSUMER_OFFSETS => (
                config.get("offsets.topic.num.partitions", 50),
                &[
                    ("cleanup.policy", "compact"),
                    ("compression.type", "producer"),
                    ("segment.bytes", "104857600"),
                ],
            ),
            TRANSACTION_STATE => (
                config.get("transaction.state.log.num.partitions", 50),
                &[
                    ("cleanup.policy", "compact"),
                    ("compression.type", "uncompressed"),
                    ("min.insync.replicas", "1"),
                    ("segment.bytes", "104857600"),
                    ("unclean.leader.election.enable", "false"),
                ],
            ),
            _ => (-1, &[]),
        };
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), Some((*value).to_owned()));
        Wanted {
            partitions,
            config: keys.iter().map(owned).collect::<BTreeMap<_, _>>(),
            ..Wanted::by_default(name)
        }
    }

    /// Forgets topics by their ids. Their logs are removed in the background, and after a crash at the next start.
    pub(crate) async fn delete_topics(&self, ids: &[Uuid]) -> Result<(), ApiError> {
        if ids.is_empty() {
            return Ok(());
        }
        let gone = self.topics.remove(ids).await?;
        let names = gone.iter().map(|topic| topic.record.name.clone()).collect();
        self.groups.topics_deleted(names).await;
        tokio::spawn(remove_logs(gone));
        Ok(())
    }

    /// Removes the logs of topics that were deleted, and that a crash kept from being removed.
    pub(crate) async fn sweep_deleted(&self) -> storage::Result<()> {
        // In this order: whatever is made meanwhile is not among the logs that were listed.
        let logs = self.shard.logs.list().await?;
        let image = self.topics.image();
        for log in logs {
            let known = log
                .split_once('-')
                .and_then(|(id, _)| uuid::Uuid::try_parse(id).ok())
                .is_none_or(|id| image.by_id(&id).is_some());
            if !known {
                tracing::info!(log, "removing a deleted topic's log");
                self.shard.logs.remove(&log).await?;
                crate::state::producers::remove(self.shard.kv.as_ref(), &log).await?;
            }
        }
        Ok(())
    }
}

/// What is to be tidied once after a start.
pub(crate) async fn maintenance(broker: Arc<Broker>) {
    if let Err(error) = broker.sweep_deleted().await {
        tracing::warn!(%error, "logs of deleted topics not removed");
    }
}

async fn remove_logs(topics: Vec<Arc<Topic>>) {
    for partition in topics.iter().flat_map(|topic| &topic.partitions) {
        if let Err(error) = partition.remove().await {
            tracing::warn!(partition = partition.name, %error, "log not removed");
        }
    }
}

#[cfg(test)]
mod tests;
