//! The metrics of the original that are told, sorted by their names.

use super::{Labels, Seen, Standard, Values::*, alone, whole};

/// Kafka's number for a broker that serves clients.
const RUNNING: i64 = 3;
/// The quantiles that the original tells of how long requests take.
const QUANTILES: [(&str, f64); 6] = [
    ("0.50", 0.5),
    ("0.75", 0.75),
    ("0.95", 0.95),
    ("0.98", 0.98),
    ("0.99", 0.99),
    ("0.999", 0.999),
];

/// Sorted by name.
pub(crate) const STANDARD: &[Standard] = &[
    Standard {
        name: "kafka_controller_kafkacontroller_activebrokercount",
        mbean: "kafka.controller:type=KafkaController,name=ActiveBrokerCount",
        labels: "",
        unit: "brokers",
        source: "one broker is the whole cluster",
        values: Gauge(|_| alone(1)),
    },
    Standard {
        name: "kafka_controller_kafkacontroller_activecontrollercount",
        mbean: "kafka.controller:type=KafkaController,name=ActiveControllerCount",
        labels: "",
        unit: "controllers",
        source: "the broker is its own controller",
        values: Gauge(|_| alone(1)),
    },
    Standard {
        name: "kafka_controller_kafkacontroller_fencedbrokercount",
        mbean: "kafka.controller:type=KafkaController,name=FencedBrokerCount",
        labels: "",
        unit: "brokers",
        source: "a broker that was fenced would be gone",
        values: Gauge(|_| alone(0)),
    },
    Standard {
        name: "kafka_controller_kafkacontroller_globalpartitioncount",
        mbean: "kafka.controller:type=KafkaController,name=GlobalPartitionCount",
        labels: "",
        unit: "partitions",
        source: "the topics there are",
        values: Gauge(|seen| alone(seen.partitions())),
    },
    Standard {
        name: "kafka_controller_kafkacontroller_globaltopiccount",
        mbean: "kafka.controller:type=KafkaController,name=GlobalTopicCount",
        labels: "",
        unit: "topics",
        source: "the topics there are",
        values: Gauge(|seen| alone(whole(seen.broker.topics.image().iter().count()))),
    },
    Standard {
        name: "kafka_controller_kafkacontroller_offlinepartitionscount",
        mbean: "kafka.controller:type=KafkaController,name=OfflinePartitionsCount",
        labels: "",
        unit: "partitions",
        source: "the broker leads every partition",
        values: Gauge(|_| alone(0)),
    },
    Standard {
        name: "kafka_controller_kafkacontroller_preferredreplicaimbalancecount",
        mbean: "kafka.controller:type=KafkaController,name=PreferredReplicaImbalanceCount",
        labels: "",
        unit: "partitions",
        source: "the one replica is the preferred one",
        values: Gauge(|_| alone(0)),
    },
    Standard {
        name: "kafka_coordinator_group_groupmetadatamanager_numgroups",
        mbean: "kafka.coordinator.group:type=GroupMetadataManager,name=NumGroups",
        labels: "",
        unit: "groups",
        source: "groups of both protocols, those with nothing but offsets included",
        values: Gauge(|seen| seen.groups(None)),
    },
    Standard {
        name: "kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance",
        mbean: "kafka.coordinator.group:type=GroupMetadataManager,name=NumGroupsCompletingRebalance",
        labels: "",
        unit: "groups",
        source: "groups of both protocols in this state",
        values: Gauge(|seen| seen.groups(Some("CompletingRebalance"))),
    },
    Standard {
        name: "kafka_coordinator_group_groupmetadatamanager_numgroupsdead",
        mbean: "kafka.coordinator.group:type=GroupMetadataManager,name=NumGroupsDead",
        labels: "",
        unit: "groups",
        source: "groups of both protocols in this state",
        values: Gauge(|seen| seen.groups(Some("Dead"))),
    },
    Standard {
        name: "kafka_coordinator_group_groupmetadatamanager_numgroupsempty",
        mbean: "kafka.coordinator.group:type=GroupMetadataManager,name=NumGroupsEmpty",
        labels: "",
        unit: "groups",
        source: "groups of both protocols in this state",
        values: Gauge(|seen| seen.groups(Some("Empty"))),
    },
    Standard {
        name: "kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance",
        mbean: "kafka.coordinator.group:type=GroupMetadataManager,name=NumGroupsPreparingRebalance",
        labels: "",
        unit: "groups",
        source: "groups of both protocols in this state",
        values: Gauge(|seen| seen.groups(Some("PreparingRebalance"))),
    },
    Standard {
        name: "kafka_coordinator_group_groupmetadatamanager_numgroupsstable",
        mbean: "kafka.coordinator.group:type=GroupMetadataManager,name=NumGroupsStable",
        labels: "",
        unit: "groups",
        source: "groups of both protocols in this state",
        values: Gauge(|seen| seen.groups(Some("Stable"))),
    },
    Standard {
        name: "kafka_log_log_logendoffset",
        mbean: "kafka.log:type=Log,name=LogEndOffset",
        labels: "topic, partition",
        unit: "offset",
        source: "partitions that were used since the start",
        values: Gauge(|seen| seen.of_partitions(|log| log.end)),
    },
    Standard {
        name: "kafka_log_log_logstartoffset",
        mbean: "kafka.log:type=Log,name=LogStartOffset",
        labels: "topic, partition",
        unit: "offset",
        source: "partitions that were used since the start",
        values: Gauge(|seen| seen.of_partitions(|log| log.start)),
    },
    Standard {
        name: "kafka_log_log_size",
        mbean: "kafka.log:type=Log,name=Size",
        labels: "topic, partition",
        unit: "bytes",
        source: "partitions that were used since the start",
        values: Gauge(|seen| seen.of_partitions(|log| log.bytes)),
    },
    Standard {
        name: "kafka_network_requestmetrics_errors",
        mbean: "kafka.network:type=RequestMetrics,name=ErrorsPerSec",
        labels: "request, error",
        unit: "errors",
        source: "one for each topic, partition or group of an answer that has one; NONE is not counted",
        values: Counter(errors),
    },
    Standard {
        name: "kafka_network_requestmetrics_requests",
        mbean: "kafka.network:type=RequestMetrics,name=RequestsPerSec",
        labels: "request, version",
        unit: "requests",
        source: "answers, by the version they were given in",
        values: Counter(requests),
    },
    Standard {
        name: "kafka_network_requestmetrics_totaltimems",
        mbean: "kafka.network:type=RequestMetrics,name=TotalTimeMs",
        labels: "request, quantile",
        unit: "ms",
        source: "from a request's last byte to its answer, since the start: the bound of `smack_kafka_request_seconds` that the quantile lies below",
        values: Quantiles(times),
    },
    Standard {
        name: "kafka_server_brokertopicmetrics_bytesin",
        mbean: "kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec",
        labels: "topic",
        unit: "bytes",
        source: "batches taken from producers, as they were sent",
        values: Counter(|seen| seen.of_topics(|topic| topic.bytes_in)),
    },
    Standard {
        name: "kafka_server_brokertopicmetrics_bytesout",
        mbean: "kafka.server:type=BrokerTopicMetrics,name=BytesOutPerSec",
        labels: "topic",
        unit: "bytes",
        source: "batches given to consumers",
        values: Counter(|seen| seen.of_topics(|topic| topic.bytes_out)),
    },
    Standard {
        name: "kafka_server_brokertopicmetrics_failedfetchrequests",
        mbean: "kafka.server:type=BrokerTopicMetrics,name=FailedFetchRequestsPerSec",
        labels: "",
        unit: "errors",
        source: "errors of Fetch, one for each partition; topics are not told apart",
        values: Counter(|seen| seen.failed("Fetch")),
    },
    Standard {
        name: "kafka_server_brokertopicmetrics_failedproducerequests",
        mbean: "kafka.server:type=BrokerTopicMetrics,name=FailedProduceRequestsPerSec",
        labels: "",
        unit: "errors",
        source: "errors of Produce, one for each partition; topics are not told apart",
        values: Counter(|seen| seen.failed("Produce")),
    },
    Standard {
        name: "kafka_server_brokertopicmetrics_messagesin",
        mbean: "kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec",
        labels: "topic",
        unit: "records",
        source: "records taken from producers",
        values: Counter(|seen| seen.of_topics(|topic| topic.records_in)),
    },
    Standard {
        name: "kafka_server_kafkaserver_brokerstate",
        mbean: "kafka.server:type=KafkaServer,name=BrokerState",
        labels: "",
        unit: "3 is RUNNING",
        source: "metrics are told once clients are served",
        values: Gauge(|_| alone(RUNNING)),
    },
    Standard {
        name: "kafka_server_replicamanager_atminisrpartitioncount",
        mbean: "kafka.server:type=ReplicaManager,name=AtMinIsrPartitionCount",
        labels: "",
        unit: "partitions",
        source: "every partition has its one replica, and no more are asked of it",
        values: Gauge(|seen| alone(seen.partitions())),
    },
    Standard {
        name: "kafka_server_replicamanager_leadercount",
        mbean: "kafka.server:type=ReplicaManager,name=LeaderCount",
        labels: "",
        unit: "partitions",
        source: "the broker leads every partition",
        values: Gauge(|seen| alone(seen.partitions())),
    },
    Standard {
        name: "kafka_server_replicamanager_offlinereplicacount",
        mbean: "kafka.server:type=ReplicaManager,name=OfflineReplicaCount",
        labels: "",
        unit: "partitions",
        source: "a broker whose disk fails refuses writes and stays",
        values: Gauge(|_| alone(0)),
    },
    Standard {
        name: "kafka_server_replicamanager_partitioncount",
        mbean: "kafka.server:type=ReplicaManager,name=PartitionCount",
        labels: "",
        unit: "partitions",
        source: "the topics there are",
        values: Gauge(|seen| alone(seen.partitions())),
    },
    Standard {
        name: "kafka_server_replicamanager_reassigningpartitions",
        mbean: "kafka.server:type=ReplicaManager,name=ReassigningPartitions",
        labels: "",
        unit: "partitions",
        source: "there is nowhere to move one to",
        values: Gauge(|_| alone(0)),
    },
    Standard {
        name: "kafka_server_replicamanager_underminisrpartitioncount",
        mbean: "kafka.server:type=ReplicaManager,name=UnderMinIsrPartitionCount",
        labels: "",
        unit: "partitions",
        source: "no more replicas are asked of a partition than it has",
        values: Gauge(|_| alone(0)),
    },
    Standard {
        name: "kafka_server_replicamanager_underreplicatedpartitions",
        mbean: "kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions",
        labels: "",
        unit: "partitions",
        source: "every partition has its one replica",
        values: Gauge(|_| alone(0)),
    },
    Standard {
        name: "kafka_server_socket_server_metrics_connection_count",
        mbean: "kafka.server:type=socket-server-metrics,attribute=connection-count",
        labels: "",
        unit: "connections",
        source: "of all listeners together",
        values: Gauge(|seen| alone(whole(seen.metrics.connections.open()))),
    },
    Standard {
        name: "kafka_server_socket_server_metrics_connection_creation",
        mbean: "kafka.server:type=socket-server-metrics,attribute=connection-creation-total",
        labels: "",
        unit: "connections",
        source: "of all listeners together, those refused included",
        values: Counter(|seen| alone(seen.metrics.traffic.accepted.get())),
    },
];

fn requests(seen: &Seen<'_>) -> Vec<(Labels, u64)> {
    let lines = |(api, counted): (&'static str, &'_ super::ApiMetrics)| {
        let line = |(version, count): (usize, u64)| {
            let labels = [request(api), vec![("version", version.to_string())]].concat();
            (labels, count)
        };
        counted.versions().map(line).collect::<Vec<_>>()
    };
    seen.asked().flat_map(lines).collect()
}

fn errors(seen: &Seen<'_>) -> Vec<(Labels, u64)> {
    let line = |(api, error, count): (&str, String, u64)| {
        let labels = [request(api), vec![("error", error)]].concat();
        (labels, count)
    };
    seen.broker.errors.told().map(line).collect()
}

fn times(seen: &Seen<'_>) -> Vec<(Labels, f64)> {
    let lines = |(api, counted): (&'static str, &super::ApiMetrics)| {
        let times = QUANTILES.map(|(name, quantile)| {
            let labels = [request(api), vec![("quantile", name.to_owned())]].concat();
            (labels, counted.latency.quantile(quantile).as_secs_f64() * 1e3)
        });
        times.into_iter()
    };
    seen.asked().flat_map(lines).collect()
}

fn request(api: &str) -> Labels {
    vec![("request", api.to_owned())]
}
