//! Who leads, whether it is well, and what it counts.

use super::{Answer, Scheduler, json, stats::histogram, text};
use crate::core::Core;
use axum::{extract::State, response::Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The form of the metrics.
const METRICS_VERSION: &str = "3.1.3";

/// This one: there is no other.
pub(super) async fn leader(State(scheduler): State<Arc<Scheduler>>) -> Answer {
    Ok(json(&json!({ "leader": scheduler.address })))
}

pub(super) async fn ping() -> Response {
    text("pong\n".to_owned())
}

/// What the original counts, by its names.
pub(super) async fn metrics(State(scheduler): State<Arc<Scheduler>>) -> Answer {
    Ok(json(&scheduler.handle.look(counted).await?))
}

fn counted(core: &Core) -> Value {
    let (high, normal) = core.waiting();
    let gauge = |value: usize| json!({ "value": value });
    let of_manager = |name: &str| format!("org.apache.mesos.chronos.scheduler.jobs.TaskManager.{name}");
    let mut gauges = Map::new();
    gauges.insert(of_manager("highQueueSize"), gauge(high));
    gauges.insert(of_manager("queueSize"), gauge(normal));
    gauges.insert(of_manager("runningTasks"), gauge(core.runs().len()));
    let (mut counters, mut histograms) = (Map::new(), Map::new());
    for entry in core.jobs() {
        let (name, stats) = (&entry.job().name, &entry.stats);
        let count = |count: u64| json!({ "count": count });
        counters.insert(format!("jobs.run.success.{name}"), count(stats.well));
        counters.insert(format!("jobs.run.failure.{name}"), count(stats.failed));
        counters.insert(format!("jobs.run.skipped.{name}"), count(stats.skipped));
        histograms.insert(format!("jobs.run.time.{name}"), histogram(&stats.histogram()));
    }
    json!({
        "version": METRICS_VERSION,
        "gauges": gauges,
        "counters": counters,
        "histograms": histograms,
        "meters": {},
        "timers": {},
    })
}
