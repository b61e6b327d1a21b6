//! AlterReplicaLogDirs (34): there is one directory, where every replica already is.

use super::Context;
use crate::wire::{
    ResponseError,
    messages::{
        AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse, TopicName,
        alter_replica_log_dirs_request::AlterReplicaLogDirTopic,
        alter_replica_log_dirs_response::{AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult},
    },
};
use indexmap::IndexMap;

pub(crate) async fn handle(cx: Context, request: AlterReplicaLogDirsRequest) -> AlterReplicaLogDirsResponse {
    let image = cx.broker.topics.image();
    let here = cx.broker.log_dir();
    let check = |directory: &str, topic: &AlterReplicaLogDirTopic, index: i32| {
        let exists = image
            .get(&topic.name.0)
            .is_some_and(|topic| topic.partition(index).is_some());
        match (directory == here, exists) {
            (false, _) => ResponseError::LogDirNotFound.code(),
            (true, false) => ResponseError::UnknownTopicOrPartition.code(),
            (true, true) => 0,
        }
    };
    let mut results: IndexMap<TopicName, Vec<AlterReplicaLogDirPartitionResult>> = IndexMap::new();
    for directory in &request.dirs {
        for topic in &directory.topics {
            let result = |index: &i32| {
                AlterReplicaLogDirPartitionResult::default()
                    .with_partition_index(*index)
                    .with_error_code(check(&directory.path, topic, *index))
            };
            let partitions = results.entry(topic.name.clone()).or_default();
            partitions.extend(topic.partitions.iter().map(result));
        }
    }
    let line = |(name, partitions)| {
        AlterReplicaLogDirTopicResult::default()
            .with_topic_name(name)
            .with_partitions(partitions)
    };
    AlterReplicaLogDirsResponse::default().with_results(results.into_iter().map(line).collect())
}
