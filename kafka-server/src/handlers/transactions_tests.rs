//! Transactions, from frame to frame, in every version. The expected codes are the original's answers.

use super::client_tests::Client;
use crate::wire::{
    ResponseError::{self, *},
    messages::*,
    text,
};
use kafka_protocol::protocol::StrBytes;
use std::time::Duration;

const ID: &str = "t";

fn code(error: ResponseError) -> i16 {
    error.code()
}

fn id(name: &str) -> TransactionalId {
    TransactionalId(text(name))
}

fn topic(name: &str) -> TopicName {
    TopicName(text(name))
}

async fn client() -> Client {
    let client = Client::new().await;
    client.create("orders", 3).await;
    client
}

fn init() -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(Some(id(ID)))
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1)
}

/// A producer that begins: its id and epoch.
async fn begin(client: &Client) -> (ProducerId, i16) {
    let answer = client.ask(5, &init()).await;
    assert_eq!(answer.error_code, 0);
    (answer.producer_id, answer.producer_epoch)
}

fn add(producer: (ProducerId, i16), partitions: &[(&str, i32)]) -> AddPartitionsToTxnRequest {
    use add_partitions_to_txn_request::AddPartitionsToTxnTopic;
    let of = |(name, partition): &(&str, i32)| {
        AddPartitionsToTxnTopic::default()
            .with_name(topic(name))
            .with_partitions(vec![*partition])
    };
    AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(id(ID))
        .with_v3_and_below_producer_id(producer.0)
        .with_v3_and_below_producer_epoch(producer.1)
        .with_v3_and_below_topics(partitions.iter().map(of).collect())
}

fn added(answer: &AddPartitionsToTxnResponse) -> Vec<i16> {
    let topics = answer.results_by_topic_v3_and_below.iter();
    let partitions = topics.flat_map(|topic| &topic.results_by_partition);
    partitions
        .map(|partition| partition.partition_error_code)
        .collect()
}

fn end(producer: (ProducerId, i16), commit: bool) -> EndTxnRequest {
    EndTxnRequest::default()
        .with_transactional_id(id(ID))
        .with_producer_id(producer.0)
        .with_producer_epoch(producer.1)
        .with_committed(commit)
}

#[tokio::test]
async fn producer_ids_in_every_version() {
    let client = client().await;
    for version in 0..=5 {
        let mut plain = init().with_transactional_id(None);
        plain.transaction_timeout_ms = 0;
        let answer = client.ask(version, &plain).await;
        assert_eq!((answer.error_code, answer.producer_epoch), (0, 0));
        assert_eq!(answer.producer_id, ProducerId(i64::from(version)));
    }
    for version in 0..=5 {
        let answer = client.ask(version, &init()).await;
        assert_eq!((answer.error_code, answer.producer_epoch), (0, version));
    }
}

#[tokio::test]
async fn bad_asks_for_producer_ids() {
    let client = client().await;
    let fenced = |request: InitProducerIdRequest| request.with_producer_id(ProducerId(0));
    begin(&client).await;
    for (version, request, expected) in [
        (4, init().with_transactional_id(Some(id(""))), InvalidRequest),
        (
            4,
            init().with_transaction_timeout_ms(0),
            InvalidTransactionTimeout,
        ),
        (
            4,
            init().with_transaction_timeout_ms(900_001),
            InvalidTransactionTimeout,
        ),
        (4, fenced(init()), InvalidRequest),
        (4, init().with_producer_epoch(3), InvalidRequest),
        (4, fenced(init()).with_transactional_id(None), InvalidRequest),
        (4, fenced(init()).with_producer_epoch(9), ProducerFenced),
        (3, fenced(init()).with_producer_epoch(9), InvalidProducerEpoch),
    ] {
        let answer = client.ask(version, &request).await;
        assert_eq!((answer.error_code, answer.producer_epoch), (code(expected), -1));
        assert_eq!(answer.producer_id, ProducerId(-1));
    }
}

#[tokio::test]
async fn partitions_are_added_all_or_none() {
    let client = client().await;
    let producer = begin(&client).await;
    let request = add(producer, &[("orders", 0), ("orders", 9), ("nosuch", 0)]);
    let answer = client.ask(3, &request).await;
    let unknown = code(UnknownTopicOrPartition);
    assert_eq!(added(&answer), [code(OperationNotAttempted), unknown, unknown]);
    for version in 0..=3 {
        let answer = client
            .ask(version, &add(producer, &[("orders", 0), ("orders", 2)]))
            .await;
        assert_eq!(added(&answer), [0, 0]);
        let stale = client
            .ask(version, &add((producer.0, producer.1 - 1), &[("orders", 0)]))
            .await;
        let expected = if version < 2 {
            InvalidProducerEpoch
        } else {
            ProducerFenced
        };
        assert_eq!(added(&stale), [code(expected)]);
    }
    let other = client.ask(3, &add((ProducerId(99), 0), &[("orders", 0)])).await;
    assert_eq!(added(&other), [code(InvalidProducerIdMapping)]);
}

#[tokio::test]
async fn partitions_of_several_transactions_are_added_and_verified() {
    use add_partitions_to_txn_request::AddPartitionsToTxnTransaction;
    let client = client().await;
    let producer = begin(&client).await;
    for version in [4, 5] {
        let ask = |partition, verify_only, epoch| {
            let transaction = AddPartitionsToTxnTransaction::default()
                .with_transactional_id(id(ID))
                .with_producer_id(producer.0)
                .with_producer_epoch(epoch)
                .with_verify_only(verify_only)
                .with_topics(add(producer, &[("orders", partition)]).v3_and_below_topics);
            AddPartitionsToTxnRequest::default().with_transactions(vec![transaction])
        };
        let partition = i32::from(version) - 4;
        for (verify_only, epoch, expected) in [
            (true, producer.1, code(TransactionAbortable)),
            (false, producer.1, 0),
            (true, producer.1, 0),
            (true, producer.1 - 1, code(ProducerFenced)),
        ] {
            let answer = client.ask(version, &ask(partition, verify_only, epoch)).await;
            let result = &answer.results_by_transaction[0];
            assert_eq!(result.transactional_id, id(ID));
            let line = &result.topic_results[0].results_by_partition[0];
            assert_eq!(
                (line.partition_index, line.partition_error_code),
                (partition, expected)
            );
        }
    }
}

#[tokio::test]
async fn ends_in_every_version() {
    let client = client().await;
    let mut producer = begin(&client).await;
    for version in 0..=5 {
        let empty = client.ask(version, &end(producer, true)).await;
        let again = version > 0;
        let expected = if again && version < 5 {
            0
        } else {
            code(InvalidTxnState)
        };
        assert_eq!(empty.error_code, expected, "version {version}");
        assert_eq!(added(&client.ask(3, &add(producer, &[("orders", 0)])).await), [0]);
        let stale = client
            .ask(version, &end((producer.0, producer.1 - 1), true))
            .await;
        let expected = if version < 2 {
            InvalidProducerEpoch
        } else {
            ProducerFenced
        };
        assert_eq!(stale.error_code, code(expected));
        let ended = client.ask(version, &end(producer, true)).await;
        assert_eq!(ended.error_code, 0);
        if version == 5 {
            assert_eq!(
                (ended.producer_id, ended.producer_epoch),
                (producer.0, producer.1 + 1)
            );
            producer.1 += 1;
        }
        // Whatever comes next waits for the markers.
        assert_eq!(added(&client.ask(3, &add(producer, &[("orders", 1)])).await), [0]);
        assert_eq!(client.ask(4, &end(producer, true)).await.error_code, 0);
    }
}

#[tokio::test]
async fn offsets_in_every_version() {
    use txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic};
    let client = client().await;
    let producer = begin(&client).await;
    let offsets = |epoch, name: &str, group: &str| {
        let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(5);
        let line = TxnOffsetCommitRequestTopic::default()
            .with_name(topic(name))
            .with_partitions(vec![partition]);
        TxnOffsetCommitRequest::default()
            .with_transactional_id(id(ID))
            .with_group_id(GroupId(text(group)))
            .with_producer_id(producer.0)
            .with_producer_epoch(epoch)
            .with_topics(vec![line])
    };
    let told = async |version, request: TxnOffsetCommitRequest| {
        let answer = client.ask(version, &request).await;
        answer.topics[0].partitions[0].error_code
    };
    for version in 0..=5 {
        let group = format!("group-{version}");
        let asked = |epoch| offsets(epoch, "orders", &group);
        let unknown = match version {
            0..=3 => code(InvalidTxnState),
            4 => code(TransactionAbortable),
            _ => 0,
        };
        assert_eq!(
            told(version, asked(producer.1)).await,
            unknown,
            "version {version}"
        );
        let add = AddOffsetsToTxnRequest::default()
            .with_transactional_id(id(ID))
            .with_producer_id(producer.0)
            .with_producer_epoch(producer.1)
            .with_group_id(GroupId(text(&group)));
        assert_eq!(client.ask(version.min(4), &add).await.error_code, 0);
        assert_eq!(told(version, asked(producer.1)).await, 0);
        assert_eq!(
            told(version, asked(producer.1 - 1)).await,
            code(InvalidProducerEpoch)
        );
        let nowhere = told(version, offsets(producer.1, "nosuch", &group)).await;
        assert_eq!(nowhere, code(UnknownTopicOrPartition));
        assert_eq!(
            told(version, offsets(producer.1, "orders", "")).await,
            code(InvalidGroupId)
        );
    }
}

#[tokio::test]
async fn tools_see_transactions() {
    let client = client().await;
    let describe = DescribeTransactionsRequest::default().with_transactional_ids(vec![id(ID), id("")]);
    let answer = client.ask(0, &describe).await;
    let codes: Vec<_> = answer
        .transaction_states
        .iter()
        .map(|state| state.error_code)
        .collect();
    assert_eq!(codes, [code(TransactionalIdNotFound), code(InvalidRequest)]);
    let producer = begin(&client).await;
    client.ask(3, &add(producer, &[("orders", 2)])).await;
    let answer = client.ask(0, &describe).await;
    let state = &answer.transaction_states[0];
    assert_eq!((state.error_code, state.transaction_timeout_ms), (0, 60_000));
    assert_eq!(
        (&*state.transaction_state, state.topics[0].partitions.as_slice()),
        ("Ongoing", &[2][..])
    );

    let ids = async |version, request: ListTransactionsRequest| {
        let answer = client.ask(version, &request).await;
        (
            answer.error_code,
            answer.transaction_states.len(),
            answer.unknown_state_filters,
        )
    };
    let all = || ListTransactionsRequest::default().with_duration_filter(-1);
    let states = |names: &[&str]| all().with_state_filters(names.iter().map(|name| text(*name)).collect());
    let like = |pattern: &str| all().with_transactional_id_pattern(Some(text(pattern)));
    let none: Vec<StrBytes> = Vec::new();
    for version in 0..=2 {
        assert_eq!(ids(version, states(&["Ongoing"])).await, (0, 1, none.clone()));
        assert_eq!(
            ids(version, states(&["Empty", "Dead"])).await,
            (0, 0, none.clone())
        );
        assert_eq!(
            ids(version, states(&["ongoing"])).await,
            (0, 0, vec![text("ongoing")])
        );
        let of = |producer| all().with_producer_id_filters(vec![ProducerId(producer)]);
        assert_eq!(ids(version, of(producer.0.0)).await.1, 1);
        assert_eq!(ids(version, of(99)).await.1, 0);
    }
    assert_eq!(ids(1, all().with_duration_filter(1_000)).await.1, 0);
    assert_eq!(ids(2, like("t.*")).await.1, 1);
    assert_eq!(ids(2, like("x?")).await.1, 0);
    assert_eq!(ids(2, like("")).await.1, 1);
    assert_eq!(ids(2, like("(")).await, (code(InvalidRegularExpression), 0, none));
}

#[tokio::test]
async fn markers_past_the_coordinator() {
    use write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
    let client = client().await;
    let producer = begin(&client).await;
    let told = async |name: &str, epoch, coordinator_epoch| {
        let places = WritableTxnMarkerTopic::default()
            .with_name(topic(name))
            .with_partition_indexes(vec![1]);
        let marker = WritableTxnMarker::default()
            .with_producer_id(producer.0)
            .with_producer_epoch(epoch)
            .with_coordinator_epoch(coordinator_epoch)
            .with_topics(vec![places]);
        let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
        let answer = client.ask(1, &request).await;
        answer.markers[0].topics[0].partitions[0].error_code
    };
    assert_eq!(told("orders", 1, 0).await, 0);
    assert_eq!(told("orders", 0, 0).await, code(InvalidProducerEpoch));
    assert_eq!(told("orders", 1, -5).await, code(TransactionCoordinatorFenced));
    assert_eq!(told("nosuch", 1, 0).await, code(UnknownTopicOrPartition));
}

#[tokio::test]
async fn a_marker_at_the_topic_of_offsets_ends_what_is_pending_there() {
    use write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
    let client = client().await;
    let broker = &client.0.broker;
    let producer = begin(&client).await;
    let mark = async |partition, commit| {
        let places = WritableTxnMarkerTopic::default()
            .with_name(topic("__consumer_offsets"))
            .with_partition_indexes(vec![partition]);
        let marker = WritableTxnMarker::default()
            .with_producer_id(producer.0)
            .with_producer_epoch(producer.1)
            .with_transaction_result(commit)
            .with_topics(vec![places]);
        let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
        client.ask(1, &request).await.markers[0].topics[0].partitions[0].error_code
    };
    assert_eq!(mark(0, true).await, code(UnknownTopicOrPartition));
    broker.ensure_internal_topic("__consumer_offsets").await.unwrap();
    let offset = async |group: &str| {
        let asked = Some(vec![("orders".into(), vec![0])]);
        let mut found = broker.groups.fetch(group, None, asked, true).await.unwrap();
        let found = found.remove(0).1.remove(0).1;
        found.map(|committed| committed.map(|committed| committed.offset))
    };
    for (group, commit) in [("kept", Some(5)), ("dropped", None)] {
        hold(&client, producer, group).await;
        assert_eq!(offset(group).await, Err(UnstableOffsetCommit));
        let partition = crate::transactions::offsets_partition(group, 50);
        let elsewhere = (partition + 1) % 50;
        assert_eq!(mark(elsewhere, true).await, 0);
        assert_eq!(offset(group).await, Err(UnstableOffsetCommit));
        assert_eq!(mark(partition, commit.is_some()).await, 0);
        assert_eq!(offset(group).await, Ok(commit));
    }
}

/// Commits offset 5 of `orders` in `group`, as part of a transaction that goes on.
async fn hold(client: &Client, producer: (ProducerId, i16), group: &str) {
    use txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic};
    let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(5);
    let line = TxnOffsetCommitRequestTopic::default()
        .with_name(topic("orders"))
        .with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(id(ID))
        .with_group_id(GroupId(text(group)))
        .with_producer_id(producer.0)
        .with_producer_epoch(producer.1)
        .with_topics(vec![line]);
    let answer = client.ask(5, &request).await;
    assert_eq!(answer.topics[0].partitions[0].error_code, 0);
}

#[tokio::test]
async fn nothing_waits_for_long() {
    let client = client().await;
    let producer = begin(&client).await;
    client.ask(3, &add(producer, &[("orders", 0)])).await;
    // A new producer aborts what the old one left, and is told so once: it need not ask again.
    let next = tokio::time::timeout(Duration::from_secs(5), begin(&client))
        .await
        .unwrap();
    assert_eq!(next, (producer.0, producer.1 + 2));
}
