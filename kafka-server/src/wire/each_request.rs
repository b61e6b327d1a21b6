//! For tests and fuzzing: calls a generic function for each request of the library.

use super::{RequestHeader, decode, header::skip_tags, messages::*};
use bytes::Bytes;
use kafka_protocol::protocol::{Message, Request};

/// Every request of the library that a broker's client may send.
macro_rules! each_request {
    ($call:ident $(, $argument:expr)*) => {
        $crate::wire::each_request::each_request!(@ $call ($($argument),*)
            ProduceRequest FetchRequest ListOffsetsRequest MetadataRequest OffsetCommitRequest OffsetFetchRequest
            FindCoordinatorRequest JoinGroupRequest HeartbeatRequest LeaveGroupRequest SyncGroupRequest
            DescribeGroupsRequest ListGroupsRequest ApiVersionsRequest CreateTopicsRequest DeleteTopicsRequest
            DeleteRecordsRequest InitProducerIdRequest OffsetForLeaderEpochRequest AddPartitionsToTxnRequest
            AddOffsetsToTxnRequest EndTxnRequest WriteTxnMarkersRequest TxnOffsetCommitRequest DescribeAclsRequest
            CreateAclsRequest DeleteAclsRequest DescribeConfigsRequest AlterConfigsRequest AlterReplicaLogDirsRequest
            DescribeLogDirsRequest CreatePartitionsRequest DeleteGroupsRequest ElectLeadersRequest
            IncrementalAlterConfigsRequest AlterPartitionReassignmentsRequest ListPartitionReassignmentsRequest
            OffsetDeleteRequest DescribeQuorumRequest UpdateFeaturesRequest DescribeClusterRequest
            DescribeProducersRequest UnregisterBrokerRequest DescribeTransactionsRequest ListTransactionsRequest
            ConsumerGroupHeartbeatRequest ConsumerGroupDescribeRequest ListConfigResourcesRequest
            DescribeTopicPartitionsRequest)
    };
    (@ $call:ident $arguments:tt $($request:ident)*) => { $( $crate::wire::each_request::each_request!(# $call $request $arguments); )* };
    (# $call:ident $request:ident ($($argument:expr),*)) => { $call::<$request>($($argument),*) };
}

pub(crate) use each_request;

/// Whether `body` is the request that `header` says it is, by everything that is checked of it.
pub(crate) fn decodes(header: &RequestHeader, body: &Bytes) -> bool {
    let mut decoded = false;
    each_request!(decode_as, header, body, &mut decoded);
    decoded
}

fn decode_as<R: Request + Message>(header: &RequestHeader, body: &Bytes, decoded: &mut bool) {
    let version = header.api_version;
    if R::KEY != header.api_key || version < R::VERSIONS.min || version > R::VERSIONS.max {
        return;
    }
    let mut body = body.clone();
    let tags = match R::header_version(version) {
        2 => skip_tags(&mut body),
        _ => Ok(()),
    };
    *decoded = tags.is_ok() && decode::<R>(body, version).is_ok();
}
