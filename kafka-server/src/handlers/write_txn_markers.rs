//! WriteTxnMarkers (27): ends transactions of single partitions, past their coordinator. What
//! `kafka-transactions abort` sends to get rid of one that hangs.

use super::Context;
use crate::{
    core::transactions::{Marker, Producer},
    creation::CONSUMER_OFFSETS,
    error::ApiError,
    transactions::{self, offsets_partition},
    wire::{
        ResponseError,
        messages::{
            WriteTxnMarkersRequest, WriteTxnMarkersResponse,
            write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic},
            write_txn_markers_response::{
                WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
            },
        },
    },
};

pub(crate) async fn handle(cx: Context, request: WriteTxnMarkersRequest) -> WriteTxnMarkersResponse {
    let mut markers = Vec::with_capacity(request.markers.len());
    for marker in &request.markers {
        let mut topics = Vec::with_capacity(marker.topics.len());
        for topic in &marker.topics {
            topics.push(write(&cx, marker, topic).await);
        }
        markers.push(
            WritableTxnMarkerResult::default()
                .with_producer_id(marker.producer_id)
                .with_topics(topics),
        );
    }
    WriteTxnMarkersResponse::default().with_markers(markers)
}

async fn write(
    cx: &Context,
    request: &WritableTxnMarker,
    topic: &WritableTxnMarkerTopic,
) -> WritableTxnMarkerTopicResult {
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let marker = Marker {
        producer,
        commit: request.transaction_result,
    };
    let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
    for &partition in &topic.partition_indexes {
        let place = (topic.name.as_str(), partition);
        let written = match place {
            (CONSUMER_OFFSETS, partition) => end_offsets(cx, partition, marker).await,
            place => transactions::write_marker(&cx.broker, place, marker, request.coordinator_epoch).await,
        };
        partitions.push(
            WritableTxnMarkerPartitionResult::default()
                .with_partition_index(partition)
                .with_error_code(written.map_or_else(|error| error.wire(), |()| 0)),
        );
    }
    WritableTxnMarkerTopicResult::default()
        .with_name(topic.name.clone())
        .with_partitions(partitions)
}

/// Ends what the producer committed in the groups of one partition: what is pending becomes seen, or is forgotten.
async fn end_offsets(cx: &Context, partition: i32, marker: Marker) -> Result<(), ApiError> {
    let image = cx.broker.topics.image();
    let topic = image.get(CONSUMER_OFFSETS);
    let partitions = topic
        .filter(|topic| topic.partition(partition).is_some())
        .map(|topic| topic.record.partitions)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let Producer { id, epoch } = marker.producer;
    let here = |group: &str| offsets_partition(group, partitions) == partition;
    let groups = &cx.broker.groups;
    groups.complete_transactions(here, id, epoch, marker.commit).await
}
