//! Which errors were answered, by API and code: counted where an answer is made, so that an answer without one costs
//! nothing but the look at its codes.

use crate::{
    handlers::TABLE,
    wire::{ResponseError, messages::*},
};
use std::sync::atomic::{AtomicU64, Ordering};

/// Codes from -1 (UNKNOWN_SERVER_ERROR) on that are told apart; what is beyond counts as the last one.
const CODES: usize = 160;

/// Errors answered, by API.
#[derive(Debug)]
pub(crate) struct ErrorCounts(Vec<[AtomicU64; CODES]>);

impl Default for ErrorCounts {
    fn default() -> Self {
        let none = || std::array::from_fn(|_| AtomicU64::new(0));
        ErrorCounts(TABLE.iter().map(|_| none()).collect())
    }
}

impl ErrorCounts {
    /// Counts an answer's codes.
    pub(crate) fn count(&self, key: i16, answer: &impl ErrorCodes) {
        answer.error_codes(&mut |code| self.add(key, code));
    }

    /// Counts `code`, unless it says that nothing is wrong.
    pub(crate) fn add(&self, key: i16, code: i16) {
        if code == 0 {
            return;
        }
        let at = TABLE.partition_point(|line| line.key < key);
        let code = usize::try_from(code.saturating_add(1))
            .unwrap_or(0)
            .min(CODES - 1);
        if let Some(codes) = self.0.get(at) {
            codes[code].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// `(API, error, count)` of all that were answered.
    pub(super) fn told(&self) -> impl Iterator<Item = (&'static str, String, u64)> {
        TABLE.iter().zip(&self.0).flat_map(|(api, codes)| {
            codes.iter().zip(-1i16..).filter_map(|(count, code)| {
                let count = count.load(Ordering::Relaxed);
                (count > 0).then(|| (api.name, error_name(code), count))
            })
        })
    }
}

/// The name of a code as Kafka writes it.
fn error_name(code: i16) -> String {
    let Some(error) = ResponseError::try_from_code(code) else {
        return code.to_string();
    };
    let mut name = String::new();
    for c in format!("{error:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// An answer that has error codes.
pub(crate) trait ErrorCodes {
    /// Calls `count` with each of them, 0 included.
    fn error_codes(&self, count: &mut impl FnMut(i16));
}

/// Every `error_code` at the end of a path of lists.
macro_rules! at {
    ($item:expr, $count:ident) => {
        $count($item.error_code)
    };
    ($item:expr, $count:ident $list:ident $($rest:ident)*) => {
        for one in &$item.$list {
            at!(one, $count $($rest)*);
        }
    };
}

/// Where the codes of each response are: in itself `[]`, or in the items of its lists.
macro_rules! codes {
    ($($response:ident $([$($list:ident)*])+;)*) => {
        $(impl ErrorCodes for $response {
            fn error_codes(&self, count: &mut impl FnMut(i16)) {
                $(at!(self, count $($list)*);)+
            }
        })*
    };
}

codes! {
    AddOffsetsToTxnResponse [];
    AlterConfigsResponse [responses];
    AlterPartitionReassignmentsResponse [] [responses partitions];
    AlterReplicaLogDirsResponse [results partitions];
    ApiVersionsResponse [];
    ConsumerGroupDescribeResponse [groups];
    ConsumerGroupHeartbeatResponse [];
    CreateAclsResponse [results];
    CreatePartitionsResponse [results];
    CreateTopicsResponse [topics];
    DeleteAclsResponse [filter_results];
    DeleteGroupsResponse [results];
    DeleteRecordsResponse [topics partitions];
    DeleteTopicsResponse [responses];
    DescribeAclsResponse [];
    DescribeClusterResponse [];
    DescribeConfigsResponse [results];
    DescribeGroupsResponse [groups];
    DescribeLogDirsResponse [] [results];
    DescribeProducersResponse [topics partitions];
    DescribeQuorumResponse [] [topics partitions];
    DescribeTopicPartitionsResponse [topics] [topics partitions];
    DescribeTransactionsResponse [transaction_states];
    ElectLeadersResponse [] [replica_election_results partition_result];
    EndTxnResponse [];
    FindCoordinatorResponse [] [coordinators];
    HeartbeatResponse [];
    IncrementalAlterConfigsResponse [responses];
    InitProducerIdResponse [];
    JoinGroupResponse [];
    LeaveGroupResponse [] [members];
    ListConfigResourcesResponse [];
    ListGroupsResponse [];
    ListOffsetsResponse [topics partitions];
    ListPartitionReassignmentsResponse [];
    ListTransactionsResponse [];
    MetadataResponse [] [topics] [topics partitions];
    OffsetCommitResponse [topics partitions];
    OffsetDeleteResponse [] [topics partitions];
    OffsetFetchResponse [] [topics partitions] [groups] [groups topics partitions];
    OffsetForLeaderEpochResponse [topics partitions];
    ProduceResponse [responses partition_responses];
    SyncGroupResponse [];
    TxnOffsetCommitResponse [topics partitions];
    UnregisterBrokerResponse [];
    UpdateFeaturesResponse [] [results];
    WriteTxnMarkersResponse [markers topics partitions];
}

impl ErrorCodes for AddPartitionsToTxnResponse {
    fn error_codes(&self, count: &mut impl FnMut(i16)) {
        count(self.error_code);
        let transactions = self.results_by_transaction.iter();
        let topics = transactions.flat_map(|one| &one.topic_results);
        for topic in topics.chain(&self.results_by_topic_v3_and_below) {
            for partition in &topic.results_by_partition {
                count(partition.partition_error_code);
            }
        }
    }
}

impl<S> ErrorCodes for crate::wire::fetch::Fetched<S> {
    fn error_codes(&self, count: &mut impl FnMut(i16)) {
        count(self.error_code);
        for partition in self.topics.iter().flat_map(|topic| &topic.partitions) {
            count(partition.error_code);
        }
    }
}

#[cfg(test)]
mod tests;
