//! Carries a decision out: markers to every partition, the offsets of every group, then the completed state.

use super::Slot;
use crate::{
    broker::Broker,
    core::transactions::{Effect, Event, Marker, Members, Producer},
    error::ApiError,
    wire::ResponseError,
};
use std::{sync::Arc, time::Duration};
use storage::{StorageError, Ticket};

/// There is one coordinator at a time, fenced by its shard's lease: its epoch tells partitions nothing more.
const COORDINATOR_EPOCH: i32 = 0;

/// The first pause before what failed is tried again; doubled each time up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Starts the task that completes `slot`, which is prepared and has no such task yet.
pub(super) fn start(broker: &Arc<Broker>, slot: &Arc<Slot>) {
    let (broker, slot) = (broker.clone(), slot.clone());
    let tasks = broker.transactions.tasks.clone();
    tasks.spawn(async move {
        let stop = broker.transactions.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = run(&broker, &slot) => {}
        }
    });
}

/// Tries until it succeeds: a decision is never taken back.
async fn run(broker: &Broker, slot: &Slot) {
    let mut pause = RETRY_MIN;
    while let Err(error) = attempt(broker, slot).await {
        tracing::warn!(transactional_id = slot.id, %error, "transaction not completed yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_MAX);
    }
}

async fn attempt(broker: &Broker, slot: &Slot) -> Result<(), ApiError> {
    let Some((prepared, marker)) = slot
        .now()
        .and_then(|now| now.marker().map(|marker| (now, marker)))
    else {
        return Ok(());
    };
    // Nothing changes a prepared transaction but its completion, so no gate is held while markers are written.
    write(broker, &prepared.members, marker).await?;
    let _gate = slot.gate.lock().await;
    let completed = prepared.step(broker.clock.now_ms(), &Event::Complete, None)?;
    if let Effect::Store(next) = completed {
        broker.transactions.store(slot, next).await?;
    }
    Ok(())
}

/// Writes `marker` to all of `members`. May be repeated after a crash: partitions and groups take it as it is.
async fn write(broker: &Broker, members: &Members, marker: Marker) -> Result<(), ApiError> {
    let mut tickets = Vec::new();
    for (topic, partitions) in &members.partitions {
        for partition in partitions {
            match append(broker, (topic, *partition), marker, COORDINATOR_EPOCH).await {
                Ok(ticket) => tickets.push(ticket),
                Err(error) => nothing_to_end(topic, error)?,
            }
        }
    }
    let Producer { id, epoch } = marker.producer;
    for group in &members.groups {
        broker
            .groups
            .complete_transaction(group, id, epoch, marker.commit)
            .await?;
    }
    for ticket in tickets {
        match ticket.wait().await {
            Ok(()) | Err(StorageError::Removed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether a partition that refuses a marker has no more need of it.
fn nothing_to_end(topic: &str, error: ApiError) -> Result<(), ApiError> {
    match error.code {
        // A topic that was deleted meanwhile took its part of the transaction with it.
        ResponseError::UnknownTopicOrPartition => Ok(()),
        // Somebody with a newer epoch was there: what this marker would end, theirs has ended.
        ResponseError::InvalidProducerEpoch | ResponseError::TransactionCoordinatorFenced => {
            tracing::warn!(topic, %error, "marker not written");
            Ok(())
        }
        _ => Err(error),
    }
}

/// Ends a transaction at one partition, whatever its coordinator thinks; answers when that is durable.
pub(crate) async fn write_marker(
    broker: &Broker,
    place: (&str, i32),
    marker: Marker,
    coordinator_epoch: i32,
) -> Result<(), ApiError> {
    let ticket = append(broker, place, marker, coordinator_epoch).await?;
    Ok(ticket.wait().await?)
}

async fn append(
    broker: &Broker,
    (topic, partition): (&str, i32),
    marker: Marker,
    coordinator_epoch: i32,
) -> Result<Ticket, ApiError> {
    let image = broker.topics.image();
    let found = image.get(topic).and_then(|topic| topic.partition(partition));
    let Producer { id, epoch } = marker.producer;
    let found = found.ok_or(ResponseError::UnknownTopicOrPartition)?;
    found
        .append_marker(id, epoch, marker.commit, coordinator_epoch)
        .await
}
