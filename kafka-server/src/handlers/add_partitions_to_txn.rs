//! AddPartitionsToTxn (24): partitions a transaction is about to write to; from version 4 on for several
//! transactions at once, or only to check that they were added.

use super::Context;
use crate::{
    core::transactions::{Members, Producer, Version},
    transactions::fenced,
    wire::{
        ResponseError,
        messages::{
            AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, TransactionalId,
            add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction},
            add_partitions_to_txn_response::{
                AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
            },
        },
    },
};

/// The first version that carries several transactions.
const BATCHED_SINCE: i16 = 4;
/// The first version whose clients know PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

pub(crate) async fn handle(cx: Context, request: AddPartitionsToTxnRequest) -> AddPartitionsToTxnResponse {
    if cx.version() < BATCHED_SINCE {
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(request.v3_and_below_transactional_id)
            .with_producer_id(request.v3_and_below_producer_id)
            .with_producer_epoch(request.v3_and_below_producer_epoch)
            .with_topics(request.v3_and_below_topics);
        let results = add(&cx, &transaction).await;
        return AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results);
    }
    let mut results = Vec::with_capacity(request.transactions.len());
    for transaction in &request.transactions {
        let topics = if transaction.verify_only {
            verify(&cx, transaction)
        } else {
            add(&cx, transaction).await
        };
        results.push(
            AddPartitionsToTxnResult::default()
                .with_transactional_id(transaction.transactional_id.clone())
                .with_topic_results(topics),
        );
    }
    AddPartitionsToTxnResponse::default().with_results_by_transaction(results)
}

/// Adds all of them, or none where one is unknown.
async fn add(
    cx: &Context,
    transaction: &AddPartitionsToTxnTransaction,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let image = cx.broker.topics.image();
    let known = |topic: &str, partition: i32| {
        let count = image.get(topic).map_or(0, |topic| topic.record.partitions);
        (0..count).contains(&partition)
    };
    let all = || pairs(&transaction.topics);
    if !all().all(|(topic, partition)| known(topic, partition)) {
        return results(&transaction.topics, |topic, partition| {
            if known(topic, partition) {
                ResponseError::OperationNotAttempted.code()
            } else {
                ResponseError::UnknownTopicOrPartition.code()
            }
        });
    }
    let members = Members::of_partitions(all());
    let (id, producer) = asker(transaction);
    let added = cx
        .broker
        .transactions
        .add(id, producer, &members, Version::V1)
        .await;
    let code = match added {
        Ok(()) => 0,
        Err(error) => fenced(error, cx.version() >= FENCED_SINCE).wire(),
    };
    results(&transaction.topics, |_, _| code)
}

fn verify(cx: &Context, transaction: &AddPartitionsToTxnTransaction) -> Vec<AddPartitionsToTxnTopicResult> {
    let (id, producer) = asker(transaction);
    let found = cx.broker.transactions.existing_transaction(id);
    results(&transaction.topics, |topic, partition| {
        let verified = found.as_ref().map_err(Clone::clone);
        match verified.and_then(|found| Ok(found.verify(producer, topic, partition)?)) {
            Ok(()) => 0,
            Err(error) => error.wire(),
        }
    })
}

fn asker(transaction: &AddPartitionsToTxnTransaction) -> (&TransactionalId, Producer) {
    let producer = Producer {
        id: transaction.producer_id.0,
        epoch: transaction.producer_epoch,
    };
    (&transaction.transactional_id, producer)
}

fn pairs(topics: &[AddPartitionsToTxnTopic]) -> impl Iterator<Item = (&str, i32)> {
    topics.iter().flat_map(|topic| {
        let name = topic.name.as_str();
        topic.partitions.iter().map(move |partition| (name, *partition))
    })
}

fn results(
    topics: &[AddPartitionsToTxnTopic],
    code: impl Fn(&str, i32) -> i16,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let of_topic = |topic: &AddPartitionsToTxnTopic| {
        let of_partition = |partition: &i32| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*partition)
                .with_partition_error_code(code(&topic.name, *partition))
        };
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(topic.partitions.iter().map(of_partition).collect())
    };
    topics.iter().map(of_topic).collect()
}
