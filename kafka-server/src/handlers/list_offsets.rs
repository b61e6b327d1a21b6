//! ListOffsets (2): where a partition begins and ends, and which offset a time has.

use super::Context;
use crate::{
    error::ApiError,
    partition::{Opened, Partition, Unpacking, open_all},
    topics::{Image, Topic},
    wire::{
        ResponseError,
        messages::{
            ListOffsetsRequest, ListOffsetsResponse,
            list_offsets_request::ListOffsetsPartition,
            list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        },
    },
};
use std::{collections::HashSet, sync::Arc};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
/// "None" among offsets, timestamps and epochs.
const NONE: i64 = -1;

pub(crate) async fn handle(cx: Context, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let image = cx.broker.topics.image();
    let committed = request.isolation_level == 1;
    // Older versions have no room for an epoch, and a field that has no room fails the whole answer.
    let with_epoch = cx.version() >= 4;
    open_all(wanted(&image, &request)).await;
    let mut seen = HashSet::new();
    let mut unpacking = Unpacking::new(&cx.broker.unpacking);
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let known = image.get(&topic.name);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in topic.partitions {
            let found = match seen.insert((topic.name.clone(), wanted.partition_index)) {
                true => find(&cx, known, &wanted, committed, &mut unpacking).await,
                false => Err(ResponseError::InvalidRequest.into()),
            };
            let response =
                ListOffsetsPartitionResponse::default().with_partition_index(wanted.partition_index);
            partitions.push(match found {
                Ok(Some(found)) => response
                    .with_timestamp(found.timestamp)
                    .with_offset(i64::try_from(found.offset).unwrap_or(i64::MAX))
                    .with_leader_epoch(found.epoch.filter(|_| with_epoch).unwrap_or(-1)),
                Ok(None) => nothing(response),
                Err(error) => nothing(response).with_error_code(error.wire()),
            });
        }
        topics.push(
            ListOffsetsTopicResponse::default()
                .with_name(topic.name)
                .with_partitions(partitions),
        );
    }
    ListOffsetsResponse::default().with_topics(topics)
}

/// The partitions that the request names, as far as there are such.
fn wanted<'a>(
    image: &'a Image,
    request: &'a ListOffsetsRequest,
) -> impl Iterator<Item = Arc<Partition>> + Send + 'a {
    request.topics.iter().flat_map(|topic| {
        let known = image.get(&topic.name);
        let wanted = topic.partitions.iter();
        wanted.filter_map(move |wanted| known?.partition(wanted.partition_index).cloned())
    })
}

fn nothing(response: ListOffsetsPartitionResponse) -> ListOffsetsPartitionResponse {
    response
        .with_timestamp(NONE)
        .with_offset(NONE)
        .with_leader_epoch(-1)
}

/// An offset with its timestamp, and the epoch it is of.
struct Found {
    timestamp: i64,
    offset: u64,
    epoch: Option<i32>,
}

async fn find(
    cx: &Context,
    topic: Option<&Arc<Topic>>,
    wanted: &ListOffsetsPartition,
    committed: bool,
    unpacking: &mut Unpacking<'_>,
) -> Result<Option<Found>, ApiError> {
    if !is_supported(wanted.timestamp, cx.version()) {
        return Err(ResponseError::UnsupportedVersion.into());
    }
    let partition = topic.and_then(|topic| topic.partition(wanted.partition_index));
    let partition = partition.ok_or(ResponseError::UnknownTopicOrPartition)?;
    partition.check_leader_epoch(wanted.current_leader_epoch)?;
    let opened = partition.open().await?;
    let visible = match committed {
        true => opened.last_stable_offset(),
        false => opened.high_watermark(),
    };
    let (timestamp, offset) = match wanted.timestamp {
        LATEST => {
            return Ok(Some(Found {
                timestamp: NONE,
                offset: visible,
                epoch: Some(partition.leader_epoch),
            }));
        }
        EARLIEST | EARLIEST_LOCAL => (NONE, opened.log_start()),
        LATEST_TIERED => return Ok(None),
        sought => {
            let found = match sought {
                MAX_TIMESTAMP => latest_record(opened, unpacking).await?,
                timestamp => opened.first_at(timestamp, unpacking).await?,
            };
            match found.filter(|(_, offset)| *offset < visible) {
                Some(found) => found,
                None => return Ok(None),
            }
        }
    };
    Ok(Some(Found {
        timestamp,
        offset,
        epoch: opened.epoch_at(offset),
    }))
}

/// The first of the records with the greatest timestamp there is.
async fn latest_record(
    opened: &Opened,
    unpacking: &mut Unpacking<'_>,
) -> Result<Option<(i64, u64)>, ApiError> {
    let chunks = opened.log.chunks();
    match chunks.iter().filter_map(|chunk| chunk.timestamp_max_ms).max() {
        Some(latest) => opened.first_at(latest, unpacking).await,
        None => Ok(None),
    }
}

fn is_supported(timestamp: i64, version: i16) -> bool {
    match timestamp {
        LATEST | EARLIEST | 0.. => true,
        MAX_TIMESTAMP => version >= 7,
        EARLIEST_LOCAL => version >= 8,
        LATEST_TIERED => version >= 9,
        _ => false,
    }
}
