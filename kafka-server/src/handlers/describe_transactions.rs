//! DescribeTransactions (65): where transactional ids stand.

use super::{Context, Room};
use crate::{
    core::transactions::Transaction,
    transactions::offsets_partition,
    wire::{
        messages::{
            DescribeTransactionsRequest, DescribeTransactionsResponse, ProducerId, TopicName,
            describe_transactions_response::{TopicData, TransactionState},
        },
        text,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The internal topic of committed offsets.
const OFFSETS_TOPIC: &str = "__consumer_offsets";

pub(crate) async fn handle(
    cx: Context,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let partitions = cx.broker.dynamic.load().get("offsets.topic.num.partitions", 50);
    let mut room = Room::new(&cx);
    let mut states = Vec::with_capacity(request.transactional_ids.len());
    for id in request.transactional_ids {
        let found = room
            .next()
            .await
            .and_then(|()| cx.broker.transactions.describe(&id));
        let state = match found {
            Ok(transaction) => described(&transaction, partitions),
            Err(error) => TransactionState::default().with_error_code(error.wire()),
        };
        let state = state.with_transactional_id(id);
        room.add(&state);
        states.push(state);
    }
    DescribeTransactionsResponse::default().with_transaction_states(states)
}

fn described(transaction: &Transaction, offsets_partitions: i32) -> TransactionState {
    let mut topics: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for (topic, partitions) in &transaction.members.partitions {
        topics.entry(topic).or_default().extend(partitions);
    }
    // Clients know a group in a transaction by the partition of the internal topic that would hold its offsets.
    for group in &transaction.members.groups {
        let partitions = topics.entry(OFFSETS_TOPIC).or_default();
        partitions.insert(offsets_partition(group, offsets_partitions));
    }
    let topic = |(name, partitions): (&str, BTreeSet<i32>)| {
        TopicData::default()
            .with_topic(TopicName(text(name)))
            .with_partitions(partitions.into_iter().collect())
    };
    TransactionState::default()
        .with_transaction_state(text(transaction.state.name()))
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(transaction.start_ms)
        .with_producer_id(ProducerId(transaction.producer_id))
        .with_producer_epoch(transaction.epoch)
        .with_topics(topics.into_iter().map(topic).collect())
}
