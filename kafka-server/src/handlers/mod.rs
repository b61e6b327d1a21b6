//! One file per API key, and THE TABLE of them.
//!
//! Knows: what each request means, which core or state answers it.
//! Never: key encodings, byte layouts, sockets.
//!
//! To add an API key: write its file with an `async fn handle(cx, request)`, and add its line to the table.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod alter_partition_reassignments;
mod alter_replica_log_dirs;
mod api_versions;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_acls;
mod create_partitions;
mod create_topics;
mod delete_acls;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_acls;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod describe_transactions;
mod elect_leaders;
mod end_txn;
pub(crate) mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod list_transactions;
mod loggers;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod operations;
mod produce;
mod resources;
mod room;
mod sync_group;
mod txn_offset_commit;
mod unregister_broker;
mod update_features;
mod write_txn_markers;

pub(crate) use room::LARGE_ANSWERS_MAX;

use crate::{
    broker::Broker,
    error::Close,
    wire::{self, RequestHeader, header},
};
use bytes::Bytes;
use kafka_protocol::protocol::HeaderVersion;
use room::Room;
use std::{
    future::Future,
    net::SocketAddr,
    ops::Deref,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use storage::Slice;

/// What all requests of one connection share.
pub(crate) struct Session {
    /// The broker that answers.
    pub(crate) broker: Arc<Broker>,
    /// Who asks.
    pub(crate) peer: SocketAddr,
    /// Name of the listener the requests come in by, which decides the addresses they are told.
    pub(crate) listener: Arc<str>,
    /// The last request whose place in the order is taken though its answer is not there yet.
    ordered: AtomicU64,
}

impl Session {
    pub(crate) fn new(broker: Arc<Broker>, peer: SocketAddr, listener: Arc<str>) -> Arc<Self> {
        Arc::new(Session {
            broker,
            peer,
            listener,
            ordered: AtomicU64::new(0),
        })
    }

    /// Whether request `number` said [`Context::order_taken`].
    pub(crate) fn is_ordered(&self, number: u64) -> bool {
        self.ordered.load(Ordering::Acquire) >= number
    }
}

/// What a handler sees besides the request itself: its session (`cx.broker`, `cx.peer`, `cx.listener`) and header.
#[derive(Clone)]
pub(crate) struct Context {
    session: Arc<Session>,
    /// Position of the request among those of its connection, from 1.
    number: u64,
    /// Header of the request.
    pub(crate) header: RequestHeader,
}

impl Deref for Context {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Context {
    /// The version of the request.
    pub(crate) fn version(&self) -> i16 {
        self.header.api_version
    }

    /// What the client calls itself; empty where it does not.
    pub(crate) fn client_id(&self) -> Arc<str> {
        self.header.client_id.as_deref().unwrap_or_default().into()
    }

    /// The client's host as group tools print it.
    pub(crate) fn client_host(&self) -> Arc<str> {
        format!("/{}", self.peer.ip()).into()
    }

    /// Said by a handler, in its own future, once its place in the order is taken: the connection may go on reading
    /// before the answer is there. Handlers that never say so are answered before the next request is looked at.
    pub(crate) fn order_taken(&self) {
        self.session.ordered.fetch_max(self.number, Ordering::Release);
    }
}

/// What goes back to the client.
pub(crate) enum Reply {
    /// Nothing (produce with acks=0).
    Nothing,
    /// A whole frame, in parts.
    Frame(Vec<Slice>),
}

impl Reply {
    /// Bytes that it takes on the wire.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Reply::Nothing => 0,
            Reply::Frame(slices) => slices.iter().map(Slice::len).sum(),
        }
    }
}

/// A request being answered.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Reply, Close>> + Send>>;

/// One line of THE TABLE.
pub(crate) struct Api {
    /// API key.
    pub(crate) key: i16,
    /// The protocol's name.
    pub(crate) name: &'static str,
    /// Versions decoded and answered.
    pub(crate) versions: (i16, i16),
    /// Versions that the protocol library decodes at all.
    pub(crate) decodable: (i16, i16),
    /// The least version told to clients; below `versions.0` only where the original does the same.
    pub(crate) advertised_min: i16,
    /// The first version whose header has tagged fields.
    flexible: fn(i16) -> bool,
    call: fn(Context, Bytes) -> Answer,
}

const PRODUCE: i16 = 0;
/// The API whose answer waits until there is something to read.
const FETCH: i16 = 1;

impl Api {
    /// Whether an answer under way may be dropped once nobody is left to be told: it reads, and waits for more to read.
    pub(crate) fn only_waits(&self) -> bool {
        self.key == FETCH
    }
}

/// A line whose handler returns the response message.
macro_rules! api {
    ($key:literal $name:ident $request:ident $min:literal ..= $max:literal => $module:ident) => {
        api!($key $name $request $min ..= $max, advertised $min => $module)
    };
    ($key:literal $name:ident $request:ident $min:literal ..= $max:literal, advertised $advertised:literal => $module:ident) => {
        Api {
            key: $key,
            name: stringify!($name),
            versions: ($min, $max),
            decodable: wire::message_versions::<wire::messages::$request>(),
            advertised_min: $advertised,
            flexible: |version| wire::messages::$request::header_version(version) >= 2,
            call: |cx, body| {
                Box::pin(async move {
                    let request: wire::messages::$request = wire::decode(body, cx.version())?;
                    let (correlation_id, version) = (cx.header.correlation_id, cx.version());
                    let session = cx.session.clone();
                    let response = $module::handle(cx, request).await;
                    session.broker.errors.count($key, &response);
                    let frame = wire::encode(correlation_id, version, &response)?;
                    Ok(Reply::Frame(vec![Slice::Memory(frame)]))
                })
            },
        }
    };
}

/// A line whose handler makes the reply itself: where the answer may be none, or is bytes of a log.
macro_rules! raw_api {
    ($key:literal $name:ident $request:ident $min:literal ..= $max:literal, advertised $advertised:literal => $module:ident) => {
        Api {
            key: $key,
            name: stringify!($name),
            versions: ($min, $max),
            decodable: wire::message_versions::<wire::messages::$request>(),
            advertised_min: $advertised,
            flexible: |version| wire::messages::$request::header_version(version) >= 2,
            call: |cx, body| Box::pin($module::answer(cx, body)),
        }
    };
}

/// THE TABLE: every API this broker answers, sorted by key. ApiVersions, the compatibility matrix in docs/, the
/// metric labels and the test that each entry has a golden come from it.
pub(crate) static TABLE: &[Api] = &[
    raw_api!(0 Produce ProduceRequest 3..=13, advertised 0 => produce),
    raw_api!(1 Fetch FetchRequest 4..=18, advertised 4 => fetch),
    api!(2 ListOffsets ListOffsetsRequest 1..=10 => list_offsets),
    api!(3 Metadata MetadataRequest 0..=13 => metadata),
    api!(8 OffsetCommit OffsetCommitRequest 2..=9 => offset_commit),
    api!(9 OffsetFetch OffsetFetchRequest 1..=9 => offset_fetch),
    api!(10 FindCoordinator FindCoordinatorRequest 0..=6 => find_coordinator),
    api!(11 JoinGroup JoinGroupRequest 0..=9 => join_group),
    api!(12 Heartbeat HeartbeatRequest 0..=4 => heartbeat),
    api!(13 LeaveGroup LeaveGroupRequest 0..=5 => leave_group),
    api!(14 SyncGroup SyncGroupRequest 0..=5 => sync_group),
    api!(15 DescribeGroups DescribeGroupsRequest 0..=6 => describe_groups),
    api!(16 ListGroups ListGroupsRequest 0..=5 => list_groups),
    api!(18 ApiVersions ApiVersionsRequest 0..=4 => api_versions),
    api!(19 CreateTopics CreateTopicsRequest 2..=7 => create_topics),
    api!(20 DeleteTopics DeleteTopicsRequest 1..=6 => delete_topics),
    api!(21 DeleteRecords DeleteRecordsRequest 0..=2 => delete_records),
    api!(22 InitProducerId InitProducerIdRequest 0..=5 => init_producer_id),
    api!(23 OffsetForLeaderEpoch OffsetForLeaderEpochRequest 2..=4 => offset_for_leader_epoch),
    api!(24 AddPartitionsToTxn AddPartitionsToTxnRequest 0..=5 => add_partitions_to_txn),
    api!(25 AddOffsetsToTxn AddOffsetsToTxnRequest 0..=4 => add_offsets_to_txn),
    api!(26 EndTxn EndTxnRequest 0..=5 => end_txn),
    api!(27 WriteTxnMarkers WriteTxnMarkersRequest 1..=1 => write_txn_markers),
    api!(28 TxnOffsetCommit TxnOffsetCommitRequest 0..=5 => txn_offset_commit),
    api!(29 DescribeAcls DescribeAclsRequest 1..=3 => describe_acls),
    api!(30 CreateAcls CreateAclsRequest 1..=3 => create_acls),
    api!(31 DeleteAcls DeleteAclsRequest 1..=3 => delete_acls),
    api!(32 DescribeConfigs DescribeConfigsRequest 1..=4 => describe_configs),
    api!(33 AlterConfigs AlterConfigsRequest 0..=2 => alter_configs),
    api!(34 AlterReplicaLogDirs AlterReplicaLogDirsRequest 1..=2 => alter_replica_log_dirs),
    api!(35 DescribeLogDirs DescribeLogDirsRequest 1..=4 => describe_log_dirs),
    api!(37 CreatePartitions CreatePartitionsRequest 0..=3 => create_partitions),
    api!(42 DeleteGroups DeleteGroupsRequest 0..=2 => delete_groups),
    api!(43 ElectLeaders ElectLeadersRequest 0..=2 => elect_leaders),
    api!(44 IncrementalAlterConfigs IncrementalAlterConfigsRequest 0..=1 => incremental_alter_configs),
    api!(45 AlterPartitionReassignments AlterPartitionReassignmentsRequest 0..=1 => alter_partition_reassignments),
    api!(46 ListPartitionReassignments ListPartitionReassignmentsRequest 0..=0 => list_partition_reassignments),
    api!(47 OffsetDelete OffsetDeleteRequest 0..=0 => offset_delete),
    api!(55 DescribeQuorum DescribeQuorumRequest 0..=2 => describe_quorum),
    api!(57 UpdateFeatures UpdateFeaturesRequest 0..=2 => update_features),
    api!(60 DescribeCluster DescribeClusterRequest 0..=2 => describe_cluster),
    api!(61 DescribeProducers DescribeProducersRequest 0..=0 => describe_producers),
    api!(64 UnregisterBroker UnregisterBrokerRequest 0..=0 => unregister_broker),
    api!(65 DescribeTransactions DescribeTransactionsRequest 0..=0 => describe_transactions),
    api!(66 ListTransactions ListTransactionsRequest 0..=2 => list_transactions),
    api!(68 ConsumerGroupHeartbeat ConsumerGroupHeartbeatRequest 0..=1 => consumer_group_heartbeat),
    api!(69 ConsumerGroupDescribe ConsumerGroupDescribeRequest 0..=1 => consumer_group_describe),
    api!(74 ListConfigResources ListConfigResourcesRequest 0..=1 => list_config_resources),
    api!(75 DescribeTopicPartitions DescribeTopicPartitionsRequest 0..=0 => describe_topic_partitions),
];

/// A request whose answer was started.
pub(crate) struct Started {
    /// Its line of the table.
    pub(crate) api: &'static Api,
    /// The version that it will be answered in.
    pub(crate) version: i16,
    /// What it will be answered.
    pub(crate) answer: Answer,
}

/// A copy of a request's string for what outlives the request, whose buffer it would pin.
fn owned(value: &str) -> Arc<str> {
    Arc::from(value)
}

/// [`owned`], of what may be absent.
fn owned_option(value: Option<&wire::StrBytes>) -> Option<Arc<str>> {
    value.map(|value| Arc::from(value.as_str()))
}

/// Reads the header of `frame`, the request `number` of its session, finds its API and starts the answer.
pub(crate) fn dispatch(session: &Arc<Session>, number: u64, mut frame: Bytes) -> Result<Started, Close> {
    let header = RequestHeader::read(&mut frame)?;
    let (key, version) = (header.api_key, header.api_version);
    let unknown = Close::Unknown { key, version };
    let Ok(at) = TABLE.binary_search_by_key(&key, |api| api.key) else {
        return Err(unknown);
    };
    let api = &TABLE[at];
    let cx = Context {
        session: session.clone(),
        number,
        header,
    };
    if version < api.versions.0 || version > api.versions.1 {
        // Clients probe with the newest version they know: this one answer is given in the oldest form.
        return if key == api_versions::KEY {
            let answer = api_versions::unsupported(cx);
            let version = 0;
            Ok(Started { api, version, answer })
        } else {
            Err(unknown)
        };
    }
    if (api.flexible)(version) {
        header::skip_tags(&mut frame)?;
    }
    let answer = (api.call)(cx, frame);
    Ok(Started { api, version, answer })
}

#[cfg(test)]
mod admin_tests;
#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod config_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transactions_tests;
