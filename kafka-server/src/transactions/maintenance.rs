//! What happens to transactions without a client asking: resumed at the start, aborted when late, forgotten when old.

use super::{Slot, complete, decide};
use crate::{broker::Broker, core::transactions::Event, state};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often transactions that last too long are looked for.
const ABORT_INTERVAL: &str = "transaction.abort.timed.out.transaction.cleanup.interval.ms";
/// How often transactional ids that nobody uses are looked for.
const EXPIRE_INTERVAL: &str = "transaction.remove.expired.transaction.cleanup.interval.ms";
/// How long a transactional id may go unused.
const EXPIRATION: &str = "transactional.id.expiration.ms";

/// Runs until `stop`, and ends once every task of the coordinator has.
pub(crate) async fn maintenance(broker: Arc<Broker>, stop: CancellationToken) {
    let transactions = &broker.transactions;
    resume(&broker);
    let every = |key, default| {
        let interval_ms: u64 = broker.dynamic.load().get(key, default);
        tokio::time::interval(Duration::from_millis(interval_ms.max(1)))
    };
    let mut abort = every(ABORT_INTERVAL, 10_000);
    let mut expire = every(EXPIRE_INTERVAL, 3_600_000);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = abort.tick() => abort_timed_out(&broker).await,
            _ = expire.tick() => forget_expired(&broker).await,
        }
    }
    transactions.stop.cancel();
    transactions.tasks.close();
    transactions.tasks.wait().await;
}

/// Completes what was decided before the last stop, or crash.
pub(super) fn resume(broker: &Arc<Broker>) {
    for slot in slots(broker) {
        if slot
            .now()
            .is_some_and(|transaction| transaction.state.is_prepared())
        {
            complete::start(broker, &slot);
        }
    }
}

/// Aborts what is going on for longer than its producer allowed, and fences that producer.
pub(super) async fn abort_timed_out(broker: &Arc<Broker>) {
    for slot in slots(broker) {
        let now_ms = broker.clock.now_ms();
        if !slot
            .now()
            .is_some_and(|transaction| transaction.timed_out(now_ms))
        {
            continue;
        }
        match decide(broker, &slot, &Event::TimeOut).await {
            Ok(_) => tracing::info!(transactional_id = slot.id, "transaction timed out and is aborted"),
            Err(error) => {
                tracing::warn!(transactional_id = slot.id, %error, "timed out, but not aborted yet")
            }
        }
    }
}

/// Forgets transactional ids that nobody used for `transactional.id.expiration.ms`.
pub(super) async fn forget_expired(broker: &Arc<Broker>) {
    let transactions = &broker.transactions;
    let expiration_ms = broker.dynamic.load().get(EXPIRATION, 7 * 24 * 3_600_000);
    for slot in slots(broker) {
        let old = |slot: &Slot| {
            let now_ms = broker.clock.now_ms();
            slot.now()
                .is_some_and(|transaction| transaction.expired(now_ms, expiration_ms))
        };
        if !old(&slot) {
            continue;
        }
        let _gate = slot.gate.lock().await;
        if !old(&slot) {
            continue;
        }
        let removed =
            state::transactions::remove(transactions.kv.as_ref(), &slot.id, transactions.durability);
        match removed.await {
            Ok(()) => {
                slot.remove();
                transactions.slots.write().remove(&slot.id);
            }
            Err(error) => tracing::warn!(transactional_id = slot.id, %error, "expired, but not removed yet"),
        }
    }
}

fn slots(broker: &Broker) -> Vec<Arc<Slot>> {
    broker.transactions.slots.read().values().cloned().collect()
}
