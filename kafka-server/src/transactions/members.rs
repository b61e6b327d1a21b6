//! Adding partitions and groups to a transaction, and checking that they are in it.

use super::Transactions;
use crate::{
    core::transactions::{Effect, Event, Members, Producer, Transaction, Version},
    error::ApiError,
    wire::ResponseError,
};
use std::sync::Arc;

impl Transactions {
    /// What is known of a transactional id, or why its producer is refused.
    pub(crate) fn existing_transaction(&self, id: &str) -> Result<Arc<Transaction>, ApiError> {
        let now = self.existing(id)?.now();
        now.ok_or_else(|| ResponseError::InvalidProducerIdMapping.into())
    }

    /// What is known of a transactional id, for tools.
    pub(crate) fn describe(&self, id: &str) -> Result<Arc<Transaction>, ApiError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidRequest.into());
        }
        self.get(id)
            .ok_or_else(|| ResponseError::TransactionalIdNotFound.into())
    }

    /// AddPartitionsToTxn, AddOffsetsToTxn: stored before this answers.
    pub(crate) async fn add(
        &self,
        id: &str,
        producer: Producer,
        members: &Members,
        version: Version,
    ) -> Result<(), ApiError> {
        let slot = self.existing(id)?;
        let event = Event::Add {
            producer,
            members,
            version,
        };
        // What is in the transaction already, as for each batch but the first, needs no gate.
        if let Some(Ok(Effect::Nothing)) = slot.now().map(|now| now.step(self.clock.now_ms(), &event, None)) {
            return Ok(());
        }
        self.step(&slot, &event).await.map(|_| ())
    }

    /// Produce from version 12 on (V2) adds its partitions by writing to them. Errors are those a producer expects.
    pub(crate) async fn partition_added(
        &self,
        transactional_id: &str,
        producer_id: i64,
        producer_epoch: i16,
        partitions: &[(String, i32)],
    ) -> Result<(), ApiError> {
        let members = Members::of_partitions(partitions.iter().map(|(topic, at)| (topic.as_str(), *at)));
        let producer = Producer {
            id: producer_id,
            epoch: producer_epoch,
        };
        let added = self.add(transactional_id, producer, &members, Version::V2).await;
        added.map_err(|error| for_produce(error, true))
    }

    /// Produce up to version 11 (V1): whether its partition was added before. `abortable`: the client knows
    /// TRANSACTION_ABORTABLE (from version 11 on).
    pub(crate) fn verify(
        &self,
        transactional_id: &str,
        producer: Producer,
        topic: &str,
        partition: i32,
        abortable: bool,
    ) -> Result<(), ApiError> {
        let found = self.existing_transaction(transactional_id);
        let verified = found.and_then(|now| Ok(now.verify(producer, topic, partition)?));
        verified.map_err(|error| for_produce(error, abortable))
    }

    /// TxnOffsetCommit from version 5 on (V2) adds its group by committing to it.
    pub(crate) async fn group_added(
        &self,
        id: &str,
        producer: Producer,
        group: &str,
    ) -> Result<(), ApiError> {
        let members = Members::of_group(group);
        let added = self.add(id, producer, &members, Version::V2);
        added.await.map_err(|error| for_offsets(error, true))
    }

    /// TxnOffsetCommit up to version 4 (V1): whether its group was added before.
    pub(crate) fn verify_group(
        &self,
        id: &str,
        producer: Producer,
        group: &str,
        abortable: bool,
    ) -> Result<(), ApiError> {
        let found = self.existing_transaction(id);
        let verified = found.and_then(|now| Ok(now.verify_group(producer, group)?));
        verified.map_err(|error| for_offsets(error, abortable))
    }
}

/// The errors of a check as a producer of records expects them.
fn for_produce(error: ApiError, abortable: bool) -> ApiError {
    let underlying = match error.code {
        ResponseError::ConcurrentTransactions => "CONCURRENT_TRANSACTIONS",
        ResponseError::CoordinatorNotAvailable => "COORDINATOR_NOT_AVAILABLE",
        ResponseError::TransactionAbortable if !abortable => {
            let why = "Partition was not added to the transaction";
            return ApiError::new(ResponseError::InvalidTxnState, why);
        }
        _ => return for_offsets(error, abortable),
    };
    let why = "Unable to verify the partition has been added to the transaction. Underlying error: ";
    ApiError::new(ResponseError::NotEnoughReplicas, format!("{why}{underlying}"))
}

/// The errors of a check as every client knows them.
fn for_offsets(error: ApiError, abortable: bool) -> ApiError {
    match error.code {
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch.into(),
        ResponseError::TransactionAbortable if !abortable => ResponseError::InvalidTxnState.into(),
        _ => error,
    }
}

/// A fencing as clients know it: those of older versions only know that their epoch is invalid.
pub(crate) fn fenced(error: ApiError, known: bool) -> ApiError {
    match error.code {
        ResponseError::ProducerFenced if !known => ResponseError::InvalidProducerEpoch.into(),
        _ => error,
    }
}

/// The partition of the internal offsets topic, of so many, that a group belongs to: Java's hash of its name.
pub(crate) fn offsets_partition(group: &str, partitions: i32) -> i32 {
    let hash = group.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    (hash & i32::MAX) % partitions.max(1)
}
