//! The transactions of a broker: the pure core, its store, and the tasks that carry decisions out.
//!
//! Knows: who waits for whom, when a change is stored, when markers are written, what is timed out.
//! Never: the rules of epochs and states (they are `core::transactions`'), or protocol messages.
//!
//! Invariant: a transaction is changed under its slot's gate, and shown only once it is stored.
//! Invariant: a prepared transaction has one task that completes it, from the change or the start of the broker on.

mod complete;
mod maintenance;
mod members;
mod slot;

pub(crate) use complete::write_marker;
pub(crate) use maintenance::maintenance;
pub(crate) use members::{fenced, offsets_partition};

use crate::{
    broker::Broker,
    core::transactions::{Effect, Event, Producer, Transaction, Version},
    error::ApiError,
    producer_ids::ProducerIds,
    state,
    wire::ResponseError,
};
use parking_lot::RwLock;
use server_kit::Clock;
use slot::Slot;
use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};
use storage::{Durability, Kv, StorageError};
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a call waits for the transaction before it to complete, before the client is told to come again.
/// The original's `add.partitions.to.txn.retry.backoff.max.ms`.
const COMPLETION_WAIT: Duration = Duration::from_millis(100);

/// Kafka's default of `transaction.max.timeout.ms`.
const TIMEOUT_MS_MAX: i32 = 900_000;

/// The transactional ids of a broker.
pub(crate) struct Transactions {
    kv: Arc<dyn Kv>,
    clock: Arc<dyn Clock>,
    durability: Durability,
    slots: RwLock<HashMap<String, Arc<Slot>>>,
    /// The tasks that complete transactions, and their end.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Transactions {
    /// Every stored transactional id. Those that are decided are completed by [`maintenance`].
    pub(crate) async fn load(
        kv: Arc<dyn Kv>,
        clock: Arc<dyn Clock>,
        durability: Durability,
    ) -> Result<Self, StorageError> {
        let found = state::transactions::load(kv.as_ref()).await?;
        let slots = found.into_iter().map(|(id, transaction)| {
            let slot = Slot::new(id.clone(), Some(transaction));
            (id, Arc::new(slot))
        });
        Ok(Transactions {
            clock,
            durability,
            slots: RwLock::new(slots.collect()),
            kv,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// What is known of a transactional id.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Transaction>> {
        self.slots.read().get(id)?.now()
    }

    /// Every transactional id, in no order.
    pub(crate) fn list(&self) -> Vec<(String, Arc<Transaction>)> {
        let slots = self.slots.read();
        let known = |slot: &Arc<Slot>| Some((slot.id.clone(), slot.now()?));
        slots.values().filter_map(known).collect()
    }

    fn slot(&self, id: &str) -> Option<Arc<Slot>> {
        self.slots.read().get(id).cloned()
    }

    fn slot_or_new(&self, id: &str) -> Arc<Slot> {
        if let Some(slot) = self.slot(id) {
            return slot;
        }
        let mut slots = self.slots.write();
        let slot = slots
            .entry(id.to_owned())
            .or_insert_with(|| Arc::new(Slot::new(id.to_owned(), None)));
        slot.clone()
    }

    /// Gives a slot up in which nothing came to be, or ids that are refused would add up.
    async fn forget_unused(&self, slot: &Slot) {
        let _gate = slot.gate.lock().await;
        if slot.now().is_none() && !slot.is_removed() {
            slot.remove();
            self.slots.write().remove(&slot.id);
        }
    }

    fn existing(&self, id: &str) -> Result<Arc<Slot>, ApiError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidRequest.into());
        }
        let slot = self.slot(id).filter(|slot| slot.now().is_some());
        slot.ok_or_else(|| ResponseError::InvalidProducerIdMapping.into())
    }

    /// Stores a change and shows it. To be called under the slot's gate.
    async fn store(&self, slot: &Slot, next: Box<Transaction>) -> Result<Arc<Transaction>, ApiError> {
        let stored = state::transactions::save(self.kv.as_ref(), &slot.id, &next, self.durability).await;
        stored.map_err(|error| {
            tracing::warn!(transactional_id = slot.id, %error, "transaction not stored");
            ApiError::new(ResponseError::CoordinatorNotAvailable, error.to_string())
        })?;
        Ok(slot.show(next))
    }

    /// One event that neither takes a producer id nor decides: answers what the transaction is then.
    async fn step(&self, slot: &Slot, event: &Event<'_>) -> Result<Arc<Transaction>, ApiError> {
        let mut patience = pin!(sleep(COMPLETION_WAIT));
        loop {
            let refused = {
                let _gate = slot.gate.lock().await;
                let current = slot.now().ok_or(ResponseError::InvalidProducerIdMapping)?;
                match current.step(self.clock.now_ms(), event, None) {
                    Ok(Effect::Nothing) => return Ok(current),
                    Ok(Effect::Store(next) | Effect::AbortFirst(next)) => {
                        return self.store(slot, next).await;
                    }
                    Err(refused) => refused,
                }
            };
            if refused != ResponseError::ConcurrentTransactions || !slot.settled(patience.as_mut()).await {
                return Err(refused.into());
            }
        }
    }
}

/// InitProducerId with a transactional id.
pub(crate) async fn init(
    broker: &Arc<Broker>,
    id: &str,
    timeout_ms: i32,
    expected: Option<Producer>,
) -> Result<Producer, ApiError> {
    if id.is_empty() {
        return Err(ResponseError::InvalidRequest.into());
    }
    let timeout_ms_max = broker
        .dynamic
        .load()
        .get("transaction.max.timeout.ms", TIMEOUT_MS_MAX);
    if timeout_ms <= 0 || timeout_ms > timeout_ms_max {
        return Err(ResponseError::InvalidTransactionTimeout.into());
    }
    let event = Event::Init { expected, timeout_ms };
    loop {
        let slot = broker.transactions.slot_or_new(id);
        match change(broker, &slot, &event).await {
            Ok(Some(transaction)) => return Ok(transaction.producer()),
            // A slot that went while it was waited for is no longer the id's own.
            Ok(None) => {}
            Err(refused) => {
                broker.transactions.forget_unused(&slot).await;
                return Err(refused);
            }
        }
    }
}

/// EndTxn. Answered once the decision is stored: with the id and the epoch to go on with.
pub(crate) async fn end(
    broker: &Arc<Broker>,
    id: &str,
    producer: Producer,
    commit: bool,
    version: Version,
) -> Result<Producer, ApiError> {
    let slot = broker.transactions.existing(id)?;
    let event = Event::End {
        producer,
        commit,
        version,
    };
    match change(broker, &slot, &event).await? {
        Some(decided) if decided.state.is_prepared() => Ok(decided.completed(decided.updated_ms).producer()),
        Some(decided) => Ok(decided.producer()),
        None => Err(ResponseError::InvalidProducerIdMapping.into()),
    }
}

/// One event that may take a producer id or decide. `None`: the slot was removed meanwhile.
async fn change(
    broker: &Arc<Broker>,
    slot: &Arc<Slot>,
    event: &Event<'_>,
) -> Result<Option<Arc<Transaction>>, ApiError> {
    let mut patience = pin!(sleep(COMPLETION_WAIT));
    loop {
        let refused = match decide(broker, slot, event).await {
            Err(error) if error.code == ResponseError::ConcurrentTransactions => error,
            answer => return answer,
        };
        if !slot.settled(patience.as_mut()).await {
            return Err(refused);
        }
    }
}

/// One attempt at [`change`].
async fn decide(
    broker: &Arc<Broker>,
    slot: &Arc<Slot>,
    event: &Event<'_>,
) -> Result<Option<Arc<Transaction>>, ApiError> {
    let transactions = &broker.transactions;
    let _gate = slot.gate.lock().await;
    if slot.is_removed() {
        return Ok(None);
    }
    let current = match (slot.now(), event) {
        (Some(current), _) => current,
        (None, Event::Init { timeout_ms, .. }) => Arc::new(Transaction::new(
            fresh_id(&broker.producer_ids).await?,
            *timeout_ms,
        )),
        (None, _) => return Ok(None),
    };
    let fresh = if current.epoch_exhausted() && event.may_take_producer_id() {
        Some(fresh_id(&broker.producer_ids).await?)
    } else {
        None
    };
    let effect = current.step(transactions.clock.now_ms(), event, fresh)?;
    let (next, answered) = match effect {
        Effect::Nothing => return Ok(Some(current)),
        Effect::Store(next) => (next, true),
        Effect::AbortFirst(next) => (next, false),
    };
    let shown = transactions.store(slot, next).await?;
    if shown.state.is_prepared() {
        complete::start(broker, slot);
    }
    if answered {
        Ok(Some(shown))
    } else {
        Err(ResponseError::ConcurrentTransactions.into())
    }
}

async fn fresh_id(ids: &ProducerIds) -> Result<i64, ApiError> {
    let unavailable =
        |error: StorageError| ApiError::new(ResponseError::CoordinatorNotAvailable, error.to_string());
    ids.next().await.map_err(unavailable)
}

#[cfg(test)]
mod tests;
