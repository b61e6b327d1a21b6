//! DescribeQuorum (55): one broker is its own quorum, and has nothing to replicate.

use super::Context;
use crate::wire::{
    ResponseError,
    messages::{
        BrokerId, DescribeQuorumRequest, DescribeQuorumResponse, describe_quorum_request,
        describe_quorum_response::{Listener, Node, PartitionData, ReplicaState, TopicData},
    },
    text,
};

const METADATA_TOPIC: &str = "__cluster_metadata";
/// The metadata is not kept in a log: it ends where it starts.
const LOG_END: i64 = 0;

pub(crate) async fn handle(cx: Context, request: DescribeQuorumRequest) -> DescribeQuorumResponse {
    let topic = |topic: &describe_quorum_request::TopicData| {
        let partition = |asked: &describe_quorum_request::PartitionData| match (
            &*topic.topic_name.0,
            asked.partition_index,
        ) {
            (METADATA_TOPIC, 0) => metadata(&cx),
            (_, index) => PartitionData::default()
                .with_partition_index(index)
                .with_error_code(ResponseError::UnknownTopicOrPartition.code())
                .with_error_message(None),
        };
        TopicData::default()
            .with_topic_name(topic.topic_name.clone())
            .with_partitions(topic.partitions.iter().map(partition).collect())
    };
    let response = DescribeQuorumResponse::default()
        .with_error_message(None)
        .with_topics(request.topics.iter().map(topic).collect());
    if cx.version() < 2 {
        return response;
    }
    let (host, port) = cx.broker.address(&cx.listener);
    let listener = Listener::default()
        .with_name(text(&*cx.listener))
        .with_host(text(host))
        .with_port(port);
    let me = Node::default()
        .with_node_id(BrokerId(cx.broker.config.node_id))
        .with_listeners(vec![listener]);
    response.with_nodes(vec![me])
}

fn metadata(cx: &Context) -> PartitionData {
    let me = BrokerId(cx.broker.config.node_id);
    let now_ms = cx.broker.clock.now_ms();
    // Each owner of the store is a new leader of the quorum, too.
    let epoch = i32::try_from(cx.broker.shard.lease.epoch()).unwrap_or(i32::MAX);
    let voter = ReplicaState::default()
        .with_replica_id(me)
        .with_log_end_offset(LOG_END);
    let voter = match cx.version() {
        0 => voter,
        _ => voter
            .with_last_fetch_timestamp(now_ms)
            .with_last_caught_up_timestamp(now_ms),
    };
    PartitionData::default()
        .with_partition_index(0)
        .with_error_message(None)
        .with_leader_id(me)
        .with_leader_epoch(epoch)
        .with_high_watermark(LOG_END)
        .with_current_voters(vec![voter])
}
