//! DescribeLogDirs (35): the one directory, and how much of it each partition takes.

use super::Context;
use crate::{
    topics::Topic,
    wire::{
        messages::{
            DescribeLogDirsRequest, DescribeLogDirsResponse, TopicName,
            describe_log_dirs_response::{
                DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
            },
        },
        text,
    },
};

/// What Kafka answers where the volume's size is not known.
const UNKNOWN_BYTES: i64 = -1;

pub(crate) async fn handle(cx: Context, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let image = cx.broker.topics.image();
    let mut topics = Vec::new();
    match &request.topics {
        None => {
            for topic in image.iter() {
                topics.push(sizes(topic, None).await);
            }
        }
        Some(asked) => {
            for asked in asked {
                if let Some(topic) = image.get(&asked.topic.0) {
                    topics.push(sizes(topic, Some(&asked.partitions)).await);
                }
            }
        }
    }
    topics.retain(|topic| !topic.partitions.is_empty());
    let directory = cx.broker.log_dir();
    let mut result = DescribeLogDirsResult::default().with_topics(topics);
    if cx.version() >= 4 {
        let (total, usable) = volume(&directory);
        result = result.with_total_bytes(total).with_usable_bytes(usable);
    }
    DescribeLogDirsResponse::default().with_results(vec![result.with_log_dir(text(directory))])
}

async fn sizes(topic: &Topic, indexes: Option<&[i32]>) -> DescribeLogDirsTopic {
    let mut partitions = Vec::new();
    for partition in &topic.partitions {
        if indexes.is_some_and(|indexes| !indexes.contains(&partition.index)) {
            continue;
        }
        // One whose log cannot be opened takes space all the same, but nobody knows how much.
        let bytes = match partition.open().await {
            Ok(opened) => i64::try_from(opened.range().bytes).unwrap_or(i64::MAX),
            Err(_) => 0,
        };
        let line = DescribeLogDirsPartition::default()
            .with_partition_index(partition.index)
            .with_partition_size(bytes);
        partitions.push(line);
    }
    DescribeLogDirsTopic::default()
        .with_name(TopicName(text(&topic.record.name)))
        .with_partitions(partitions)
}

/// Bytes of the volume that holds `directory`, and how many of them can still be used.
fn volume(directory: &str) -> (i64, i64) {
    let Ok(volume) = rustix::fs::statvfs(directory) else {
        return (UNKNOWN_BYTES, UNKNOWN_BYTES);
    };
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(volume.f_frsize)).unwrap_or(i64::MAX);
    (bytes(volume.f_blocks), bytes(volume.f_bavail))
}
