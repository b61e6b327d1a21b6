use super::{Cluster, commands::refused, shown};
use crate::{
    core::master::HEARTBEAT_INTERVAL,
    wire::{Encoding, Refusal, told},
};
use axum::response::Response;
use mesos_proto::v1::master::{Event, event};
use std::sync::Arc;

/// An answer that lasts: the state now, and every change from then on.
pub(super) async fn watch(cluster: &Arc<Cluster>, encoding: Encoding) -> Result<Response, Refusal> {
    let watched = cluster.master.watch(shown::state).await;
    let (state, events) = watched.map_err(refused)?;
    let subscribed = Event {
        subscribed: Some(event::Subscribed {
            get_state: Some(state),
            heartbeat_interval_seconds: Some(HEARTBEAT_INTERVAL.as_secs_f64()),
        }),
        ..of(event::Type::Subscribed)
    };
    let first = vec![subscribed, of(event::Type::Heartbeat)];
    Ok(told(first, events, of(event::Type::Heartbeat), encoding))
}

fn of(kind: event::Type) -> Event {
    Event {
        r#type: Some(kind as i32),
        ..Event::default()
    }
}
