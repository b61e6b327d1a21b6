//! Administration, from frame to frame, in every version.

use super::client_tests::Client;
use crate::wire::{ResponseError, messages::*, text};
use kafka_protocol::protocol::StrBytes;

fn topic(name: &str) -> TopicName {
    TopicName(text(name))
}

fn unknown() -> uuid::Uuid {
    uuid::Uuid::from_u128(5)
}

#[tokio::test]
async fn topics_are_created_in_every_version() {
    let client = Client::new().await;
    let last = client
        .ask_all(2..=7, |version| {
            let new = create_topics_request::CreatableTopic::default()
                .with_name(topic(&format!("t{version}")))
                .with_num_partitions(2)
                .with_replication_factor(1);
            let taken = new.clone().with_name(topic("t2"));
            CreateTopicsRequest::default().with_topics(if version == 2 {
                vec![new]
            } else {
                vec![new, taken]
            })
        })
        .await;
    let (new, taken) = (&last.topics[0], &last.topics[1]);
    assert_eq!(
        (new.error_code, new.num_partitions, new.replication_factor),
        (0, 2, 1)
    );
    assert_eq!(new.configs.as_ref().unwrap().len(), 33);
    assert!(!new.topic_id.is_nil());
    assert_eq!(taken.error_code, ResponseError::TopicAlreadyExists.code());
    assert_eq!(taken.error_message.as_deref(), Some("Topic 't2' already exists."));
}

#[tokio::test]
async fn names_asked_for_twice_are_refused() {
    let client = Client::new().await;
    let twice = create_topics_request::CreatableTopic::default().with_name(topic("t"));
    let request = CreateTopicsRequest::default().with_topics(vec![twice.clone(), twice]);
    let response = client.ask(7, &request).await;
    assert_eq!(response.topics.len(), 1);
    assert_eq!(
        response.topics[0].error_message.as_deref(),
        Some("Duplicate topic name.")
    );
}

#[tokio::test]
async fn metadata_lists_all_some_or_none() {
    let client = Client::new().await;
    client.create("a", 1).await;
    client.create("b", 3).await;
    let all = client
        .ask_all(0..=13, |version| {
            MetadataRequest::default().with_topics((version == 0).then(Vec::new))
        })
        .await;
    assert_eq!(all.topics.len(), 2);
    assert_eq!(all.topics[1].partitions.len(), 3);
    assert_eq!(
        (all.brokers[0].port, all.topics[0].topic_authorized_operations),
        (9092, i32::MIN)
    );
    let none = client
        .ask(9, &MetadataRequest::default().with_topics(Some(Vec::new())))
        .await;
    assert!(none.topics.is_empty());
    let asked = |topic: metadata_request::MetadataRequestTopic| {
        MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(false)
            .with_include_topic_authorized_operations(true)
    };
    let by_name =
        |name: &str| asked(metadata_request::MetadataRequestTopic::default().with_name(Some(topic(name))));
    let by_id = |id| {
        asked(
            metadata_request::MetadataRequestTopic::default()
                .with_name(None)
                .with_topic_id(id),
        )
    };
    let error = |response: MetadataResponse| response.topics[0].error_code;
    assert_eq!(
        client.ask(9, &by_name("a")).await.topics[0].topic_authorized_operations,
        0xdf8
    );
    assert_eq!(
        error(client.ask(13, &by_name("none")).await),
        ResponseError::UnknownTopicOrPartition.code()
    );
    assert_eq!(
        error(client.ask(13, &by_name("a b")).await),
        ResponseError::InvalidTopicException.code()
    );
    assert_eq!(
        error(client.ask(13, &by_id(unknown())).await),
        ResponseError::UnknownTopicId.code()
    );
    assert_eq!(error(client.ask(13, &by_id(all.topics[0].topic_id)).await), 0);
    assert_eq!(
        error(client.ask(11, &by_id(all.topics[0].topic_id)).await),
        ResponseError::InvalidRequest.code()
    );
}

#[tokio::test]
async fn a_topic_is_made_by_its_use_unless_the_client_says_no() {
    let client = Client::new().await;
    let asked = |name: &str| metadata_request::MetadataRequestTopic::default().with_name(Some(topic(name)));
    let request = |name: &str| MetadataRequest::default().with_topics(Some(vec![asked(name)]));
    assert_eq!(
        client.ask(4, &request("made")).await.topics[0].partitions.len(),
        1
    );
    let internal = client.ask(4, &request("__consumer_offsets")).await;
    assert!(internal.topics[0].is_internal);
    assert_eq!(internal.topics[0].partitions.len(), 50);
    let refused = client
        .ask(4, &request("none").with_allow_auto_topic_creation(false))
        .await;
    assert_eq!(
        refused.topics[0].error_code,
        ResponseError::UnknownTopicOrPartition.code()
    );
}

#[tokio::test]
async fn topics_are_deleted_by_name_and_by_id() {
    let client = Client::new().await;
    client.create("a", 1).await;
    client.create("b", 1).await;
    let names = DeleteTopicsRequest::default().with_topic_names(vec![topic("a"), topic("none")]);
    let response = client.ask(5, &names).await;
    assert_eq!(response.responses[0].error_code, 0);
    assert_eq!(
        response.responses[1].error_code,
        ResponseError::UnknownTopicOrPartition.code()
    );
    let id = client.0.broker.topics.image().get("b").unwrap().record.uuid();
    let by_id = |id| {
        delete_topics_request::DeleteTopicState::default()
            .with_name(None)
            .with_topic_id(id)
    };
    let ids = DeleteTopicsRequest::default().with_topics(vec![by_id(id), by_id(unknown())]);
    let response = client.ask(6, &ids).await;
    assert_eq!(response.responses[0].name, Some(topic("b")));
    assert_eq!(
        response.responses[1].error_code,
        ResponseError::UnknownTopicId.code()
    );
    assert!(client.0.broker.topics.image().iter().next().is_none());
}

/// As the original was asked: whatever names a topic twice leaves it where it is.
#[tokio::test]
async fn topics_asked_for_twice_are_not_deleted() {
    let client = Client::new().await;
    for name in ["a", "b", "c", "d"] {
        client.create(name, 1).await;
    }
    let all = client
        .ask(12, &MetadataRequest::default().with_topics(None))
        .await;
    let id = |name: &str| {
        let found = all.topics.iter().find(|one| one.name == Some(topic(name)));
        found.unwrap().topic_id
    };
    let by_name =
        |name: &str| delete_topics_request::DeleteTopicState::default().with_name(Some(topic(name)));
    let by_id = |id| delete_topics_request::DeleteTopicState::default().with_topic_id(id);
    let asked = vec![
        by_name("a"),
        by_name("a"),
        by_id(id("b")),
        by_id(id("b")),
        by_name("c"),
        by_id(id("c")),
        by_id(unknown()),
        by_id(unknown()),
        by_name("d"),
    ];
    let answer = client
        .ask(6, &DeleteTopicsRequest::default().with_topics(asked))
        .await;
    let told: Vec<_> = answer
        .responses
        .iter()
        .map(|one| {
            (
                one.name.clone(),
                one.topic_id,
                one.error_code,
                one.error_message.as_deref(),
            )
        })
        .collect();
    let refused = ResponseError::InvalidRequest.code();
    let maps = "The provided topic name maps to an ID that was already supplied.";
    assert_eq!(
        told,
        [
            (
                Some(topic("a")),
                uuid::Uuid::nil(),
                refused,
                Some("Duplicate topic name.")
            ),
            (None, id("b"), refused, Some("Duplicate topic id.")),
            (Some(topic("c")), id("c"), refused, Some(maps)),
            (None, unknown(), refused, Some("Duplicate topic id.")),
            (Some(topic("d")), id("d"), 0, None),
        ]
    );
    let left = client
        .ask(12, &MetadataRequest::default().with_topics(None))
        .await;
    assert_eq!(left.topics.len(), 3);
}

#[tokio::test]
async fn a_broker_tells_its_rack() {
    let mut config = crate::config::Config::default();
    config
        .properties
        .insert("broker.rack".to_owned(), "r7".to_owned());
    let client = Client::of(crate::broker::Broker::in_memory(config).await);
    for (version, rack) in [(0, None), (1, Some("r7")), (13, Some("r7"))] {
        let told = client.ask(version, &MetadataRequest::default()).await;
        assert_eq!(told.brokers[0].rack.as_deref(), rack);
    }
    let told = client.ask(1, &DescribeClusterRequest::default()).await;
    assert_eq!(told.brokers[0].rack.as_deref(), Some("r7"));
}

#[tokio::test]
async fn groups_use_only_the_protocols_that_they_may() {
    let mut config = crate::config::Config::default();
    let key = "group.coordinator.rebalance.protocols".to_owned();
    config.properties.insert(key, "classic".to_owned());
    let client = Client::of(crate::broker::Broker::in_memory(config).await);
    let beat = ConsumerGroupHeartbeatRequest::default().with_group_id(GroupId(text("g")));
    let answer = client.ask(1, &beat).await;
    assert_eq!(answer.error_code, ResponseError::UnsupportedVersion.code());
}

#[tokio::test]
async fn partitions_are_added_in_every_version() {
    let client = Client::new().await;
    client.create("t", 1).await;
    let last = client
        .ask_all(0..=3, |version| {
            let more = create_partitions_request::CreatePartitionsTopic::default()
                .with_name(topic("t"))
                .with_count(i32::from(version) + 2)
                .with_assignments(None);
            CreatePartitionsRequest::default().with_topics(vec![more])
        })
        .await;
    assert_eq!(last.results[0].error_code, 0);
    assert_eq!(
        client.0.broker.topics.image().get("t").unwrap().partitions.len(),
        5
    );
}

#[tokio::test]
async fn partitions_are_described_page_by_page() {
    let client = Client::new().await;
    client.create("a", 2).await;
    client.create("b", 5).await;
    let mut request = DescribeTopicPartitionsRequest::default()
        .with_response_partition_limit(3)
        .with_cursor(None);
    let mut seen = Vec::new();
    loop {
        let response = client.ask(0, &request).await;
        for topic in &response.topics {
            let name = topic.name.as_ref().unwrap().0.to_string();
            seen.extend(
                topic
                    .partitions
                    .iter()
                    .map(|partition| (name.clone(), partition.partition_index)),
            );
        }
        let Some(next) = response.next_cursor else { break };
        request.cursor = Some(
            describe_topic_partitions_request::Cursor::default()
                .with_topic_name(next.topic_name)
                .with_partition_index(next.partition_index),
        );
    }
    let wanted: Vec<_> = [("a", 0..2), ("b", 0..5)]
        .into_iter()
        .flat_map(|(name, indexes)| indexes.map(move |index| (name.to_owned(), index)))
        .collect();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn log_dirs_have_sizes() {
    let client = Client::new().await;
    client.create("t", 2).await;
    let all = client
        .ask_all(1..=4, |_| DescribeLogDirsRequest::default().with_topics(None))
        .await;
    assert_eq!(all.results[0].topics[0].partitions.len(), 2);
    let here = all.results[0].log_dir.clone();
    let moved = client
        .ask_all(1..=2, |_| {
            let to = |path: StrBytes, name: &str| {
                alter_replica_log_dirs_request::AlterReplicaLogDir::default()
                    .with_path(path)
                    .with_topics(vec![
                        alter_replica_log_dirs_request::AlterReplicaLogDirTopic::default()
                            .with_name(topic(name))
                            .with_partitions(vec![0]),
                    ])
            };
            AlterReplicaLogDirsRequest::default().with_dirs(vec![
                to(here.clone(), "t"),
                to(here.clone(), "none"),
                to(text("/elsewhere"), "other"),
            ])
        })
        .await;
    let codes: Vec<_> = moved
        .results
        .iter()
        .map(|topic| topic.partitions[0].error_code)
        .collect();
    let (unknown, absent) = (
        ResponseError::UnknownTopicOrPartition,
        ResponseError::LogDirNotFound,
    );
    assert_eq!(codes, [0, unknown.code(), absent.code()]);
}

#[tokio::test]
async fn one_broker_is_the_whole_cluster() {
    let client = Client::new().await;
    client.create("t", 1).await;
    let cluster = client
        .ask_all(0..=2, |_| {
            DescribeClusterRequest::default().with_include_cluster_authorized_operations(true)
        })
        .await;
    assert_eq!(
        (cluster.brokers.len(), cluster.controller_id, cluster.error_code),
        (1, BrokerId(1), 0)
    );
    let metadata = describe_quorum_request::TopicData::default()
        .with_topic_name(topic("__cluster_metadata"))
        .with_partitions(vec![describe_quorum_request::PartitionData::default()]);
    let quorum = client
        .ask_all(0..=2, |_| {
            DescribeQuorumRequest::default().with_topics(vec![metadata.clone()])
        })
        .await;
    assert_eq!(quorum.topics[0].partitions[0].current_voters.len(), 1);
    let elected = client
        .ask_all(0..=2, |_| {
            let asked = elect_leaders_request::TopicPartitions::default()
                .with_topic(topic("t"))
                .with_partitions(vec![0, 9]);
            ElectLeadersRequest::default().with_topic_partitions(Some(vec![asked]))
        })
        .await;
    let results = &elected.replica_election_results[0].partition_result;
    assert_eq!(results[0].error_code, ResponseError::ElectionNotNeeded.code());
    assert_eq!(
        results[1].error_message.as_deref(),
        Some("No such partition as t-9")
    );
    client.ask(0, &ListPartitionReassignmentsRequest::default()).await;
    let gone = client
        .ask(0, &UnregisterBrokerRequest::default().with_broker_id(BrokerId(7)))
        .await;
    assert_eq!(
        gone.error_message.as_deref(),
        Some("Broker ID 7 is not currently registered")
    );
    let itself = client
        .ask(0, &UnregisterBrokerRequest::default().with_broker_id(BrokerId(1)))
        .await;
    assert_eq!(itself.error_code, ResponseError::InvalidRequest.code());
}

#[tokio::test]
async fn partitions_are_reassigned_to_where_they_are_only() {
    let client = Client::new().await;
    client.create("t", 1).await;
    let to = |replicas: Option<&[i32]>| {
        let replicas = replicas.map(|ids| ids.iter().map(|id| BrokerId(*id)).collect());
        let partition =
            alter_partition_reassignments_request::ReassignablePartition::default().with_replicas(replicas);
        alter_partition_reassignments_request::ReassignableTopic::default()
            .with_name(topic("t"))
            .with_partitions(vec![partition])
    };
    for (replicas, code) in [
        (Some(&[1][..]), 0),
        (Some(&[1, 2][..]), ResponseError::InvalidReplicaAssignment.code()),
        (None, ResponseError::NoReassignmentInProgress.code()),
    ] {
        let response = client
            .ask_all(0..=1, |_| {
                AlterPartitionReassignmentsRequest::default().with_topics(vec![to(replicas)])
            })
            .await;
        assert_eq!(response.responses[0].partitions[0].error_code, code);
    }
}

#[tokio::test]
async fn features_are_what_they_are() {
    let client = Client::new().await;
    let called = |name: &'static str, version: &'static str| {
        ApiVersionsRequest::default()
            .with_client_software_name(text(name))
            .with_client_software_version(text(version))
    };
    let versions = client
        .ask_all(0..=4, |version| {
            if version < 3 {
                Default::default()
            } else {
                called("a-b", "1.0")
            }
        })
        .await;
    assert_eq!(
        client.ask(3, &called("-", "1")).await.error_code,
        ResponseError::InvalidRequest.code()
    );
    let levels: Vec<_> = versions
        .finalized_features
        .iter()
        .map(|feature| (feature.name.to_string(), feature.max_version_level))
        .collect();
    let level = |name: &str, level| (name.to_owned(), level);
    assert_eq!(
        levels,
        [
            level("group.version", 1),
            level("metadata.version", 27),
            level("transaction.version", 2)
        ]
    );
    let update = |version: i16, name: &'static str, level| {
        let key = update_features_request::FeatureUpdateKey::default()
            .with_feature(text(name))
            .with_max_version_level(level);
        let key = if version == 0 {
            key
        } else {
            key.with_upgrade_type(1)
        };
        UpdateFeaturesRequest::default().with_feature_updates(vec![key])
    };
    let same = client
        .ask_all(0..=2, |version| update(version, "group.version", 1))
        .await;
    assert_eq!(same.error_code, 0);
    let unknown = client.ask_all(0..=2, |version| update(version, "foo", 1)).await;
    assert_eq!(
        unknown.error_message.as_deref(),
        Some(
            "The update failed for all features since the following feature had an error: \
             Invalid update version 1 for feature foo. Local controller 1 does not support this feature."
        )
    );
}

#[tokio::test]
async fn there_is_no_authorizer() {
    let client = Client::new().await;
    let code = ResponseError::SecurityDisabled.code();
    let described = client
        .ask_all(1..=3, |_| {
            DescribeAclsRequest::default().with_pattern_type_filter(3)
        })
        .await;
    assert_eq!(described.error_code, code);
    let creation = create_acls_request::AclCreation::default();
    let created = client
        .ask_all(1..=3, |_| {
            CreateAclsRequest::default().with_creations(vec![creation.clone()])
        })
        .await;
    assert_eq!(created.results[0].error_code, code);
    let filter = delete_acls_request::DeleteAclsFilter::default();
    let deleted = client
        .ask_all(1..=3, |_| {
            DeleteAclsRequest::default().with_filters(vec![filter.clone()])
        })
        .await;
    assert_eq!(deleted.filter_results[0].error_code, code);
}
