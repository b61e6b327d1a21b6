//! OffsetFetch (9): how far a group has read; many groups from version 8 on.

use super::{Context, Room, owned};
use crate::{
    core::groups::offsets::Committed,
    error::ApiError,
    groups::{FetchTopics, FetchedPartition, FetchedTopic},
    wire::{
        ResponseError,
        messages::{
            GroupId, OffsetFetchRequest, OffsetFetchResponse, TopicName,
            offset_fetch_request::OffsetFetchRequestGroup,
            offset_fetch_response::{
                OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
                OffsetFetchResponseTopic, OffsetFetchResponseTopics,
            },
        },
        text,
    },
};

/// What a partition takes of an answer, without its metadata.
const PARTITION_BYTES: usize = 24;

pub(crate) async fn handle(cx: Context, request: OffsetFetchRequest) -> OffsetFetchResponse {
    let mut room = Room::new(&cx);
    if cx.version() >= 8 {
        let mut groups = Vec::with_capacity(request.groups.len());
        for group in request.groups {
            groups.push(fetch_group(&cx, group, request.require_stable, &mut room).await);
        }
        return OffsetFetchResponse::default().with_groups(groups);
    }
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter();
        topics
            .map(|topic| (owned(&topic.name), topic.partition_indexes))
            .collect::<Vec<_>>()
    });
    let asked = topics.clone();
    match cx
        .broker
        .groups
        .fetch(&request.group_id, None, topics, request.require_stable)
        .await
    {
        Ok(topics) => {
            let topics = room_for(topics, &mut room).await;
            OffsetFetchResponse::default().with_topics(topics.into_iter().map(topic).collect())
        }
        Err(error) => refuse(cx.version(), &error, asked),
    }
}

/// `topics`, without what the answer has no room for.
async fn room_for(mut topics: Vec<FetchedTopic>, room: &mut Room) -> Vec<FetchedTopic> {
    for (_, partitions) in &mut topics {
        for (_, found) in partitions {
            if let Err(error) = room.next().await {
                *found = Err(error.code);
            }
            let metadata = found.as_ref().ok().and_then(Option::as_ref);
            room.add_bytes(PARTITION_BYTES + metadata.map_or(0, |committed| committed.metadata.len()));
        }
    }
    topics
}

async fn fetch_group(
    cx: &Context,
    group: OffsetFetchRequestGroup,
    stable: bool,
    room: &mut Room,
) -> OffsetFetchResponseGroup {
    let topics = group.topics.map(|topics| {
        let topics = topics.into_iter();
        topics
            .map(|topic| (owned(&topic.name), topic.partition_indexes))
            .collect::<Vec<_>>()
    });
    let member_id = group.member_id.as_ref().filter(|_| cx.version() >= 9);
    let member = match (member_id, group.member_epoch) {
        (None, ..0) => None,
        (id, epoch) => Some((id.map(|id| owned(id)).unwrap_or_default(), epoch)),
    };
    let answer = OffsetFetchResponseGroup::default().with_group_id(GroupId(group.group_id.0.clone()));
    match cx
        .broker
        .groups
        .fetch(&group.group_id, member, topics, stable)
        .await
    {
        Ok(topics) => {
            let topics = room_for(topics, room).await;
            answer.with_topics(topics.into_iter().map(topic_of_group).collect())
        }
        Err(error) => answer.with_error_code(error.wire()),
    }
}

fn topic_of_group((name, partitions): FetchedTopic) -> OffsetFetchResponseTopics {
    let partition = |(index, found): FetchedPartition| {
        let (offset, leader_epoch, metadata, code) = fields(found);
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(leader_epoch)
            .with_metadata(Some(text(metadata)))
            .with_error_code(code)
    };
    OffsetFetchResponseTopics::default()
        .with_name(TopicName(text(&*name)))
        .with_partitions(partitions.into_iter().map(partition).collect())
}

fn topic((name, partitions): FetchedTopic) -> OffsetFetchResponseTopic {
    let partition = |(index, found): FetchedPartition| {
        let (offset, leader_epoch, metadata, code) = fields(found);
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(leader_epoch)
            .with_metadata(Some(text(metadata)))
            .with_error_code(code)
    };
    OffsetFetchResponseTopic::default()
        .with_name(TopicName(text(&*name)))
        .with_partitions(partitions.into_iter().map(partition).collect())
}

/// Offset, leader epoch, metadata and error of a partition.
fn fields(found: Result<Option<Committed>, ResponseError>) -> (i64, i32, String, i16) {
    match found {
        Ok(Some(committed)) => (
            committed.offset,
            committed.leader_epoch,
            committed.metadata.to_string(),
            0,
        ),
        Ok(None) => (-1, -1, String::new(), 0),
        Err(code) => (-1, -1, String::new(), code.code()),
    }
}

/// The error of a whole group where the layout has only one group: beside the topics, or in each partition (version 1).
fn refuse(version: i16, error: &ApiError, topics: FetchTopics) -> OffsetFetchResponse {
    if version >= 2 {
        return OffsetFetchResponse::default().with_error_code(error.wire());
    }
    let topics = topics.unwrap_or_default().into_iter();
    let line = |(name, partitions): (_, Vec<i32>)| {
        topic((
            name,
            partitions
                .into_iter()
                .map(|index| (index, Err(error.code)))
                .collect(),
        ))
    };
    OffsetFetchResponse::default().with_topics(topics.map(line).collect())
}
