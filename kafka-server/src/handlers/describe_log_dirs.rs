//! DescribeLogDirs (35): the one directory, and how much of it each partition takes.

use super::{Context, Room};
use crate::{
    error::ApiError,
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
use std::collections::{BTreeMap, BTreeSet};

/// What Kafka answers where the volume's size is not known.
const UNKNOWN_BYTES: i64 = -1;

pub(crate) async fn handle(cx: Context, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let directory = cx.broker.log_dir();
    let mut result = match topics(&cx, &request).await {
        Ok(topics) => DescribeLogDirsResult::default().with_topics(topics),
        Err(error) => DescribeLogDirsResult::default().with_error_code(error.wire()),
    };
    if cx.version() >= 4 {
        let volume = cx.broker.shard.logs.volume();
        result = result
            .with_total_bytes(bytes(volume.map(|volume| volume.bytes)))
            .with_usable_bytes(bytes(volume.map(|volume| volume.usable_bytes)));
    }
    DescribeLogDirsResponse::default().with_results(vec![result.with_log_dir(text(directory))])
}

/// All topics, or those that `request` names: each once, however often it does.
async fn topics(
    cx: &Context,
    request: &DescribeLogDirsRequest,
) -> Result<Vec<DescribeLogDirsTopic>, ApiError> {
    let image = cx.broker.topics.image();
    let asked = request.topics.as_ref().map(|asked| {
        let mut by_name: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
        for topic in asked {
            by_name
                .entry(&topic.topic.0)
                .or_default()
                .extend(&topic.partitions);
        }
        by_name
    });
    let mut room = Room::new(cx);
    let mut topics = Vec::new();
    match asked {
        None => {
            for topic in image.iter() {
                topics.push(sizes(&mut room, topic, |_| true).await?);
            }
        }
        Some(by_name) => {
            for (name, indexes) in by_name {
                if let Some(topic) = image.get(name) {
                    topics.push(sizes(&mut room, topic, |index| indexes.contains(&index)).await?);
                }
            }
        }
    }
    topics.retain(|topic| !topic.partitions.is_empty());
    Ok(topics)
}

/// How much the partitions of `topic` take that are `asked` for.
async fn sizes(
    room: &mut Room,
    topic: &Topic,
    asked: impl Fn(i32) -> bool,
) -> Result<DescribeLogDirsTopic, ApiError> {
    let mut partitions = Vec::new();
    for partition in &topic.partitions {
        room.next().await?;
        if !asked(partition.index) {
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
        room.add(&line);
        partitions.push(line);
    }
    Ok(DescribeLogDirsTopic::default()
        .with_name(TopicName(text(&topic.record.name)))
        .with_partitions(partitions))
}

fn bytes(known: Option<u64>) -> i64 {
    known.map_or(UNKNOWN_BYTES, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
}
