//! How long runs took.

use super::{Answer, Scheduler, json};
use crate::core::{Core, Histogram, Past, Refused, short_time};
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is shown where nothing is known.
const NONE: &str = "N/A";

/// Jobs by one number of their histograms, in seconds: those that take longest first.
pub(super) async fn of_all(
    State(scheduler): State<Arc<Scheduler>>,
    Path(percentile): Path<String>,
) -> Answer {
    let all = move |core: &Core| {
        let times = core.jobs().filter_map(|entry| {
            let time = *entry.stats.histogram().values.get(percentile.as_str())?;
            Some((entry.job().name.clone(), time))
        });
        let mut times: Vec<(String, f64)> = times.collect();
        times.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        times
    };
    let times = scheduler.handle.look(all).await?;
    let shown = times
        .into_iter()
        .map(|(name, time)| json!({ "jobNameLabel": name, "time": time / 1000.0 }));
    Ok(json(&shown.collect()))
}

/// The histogram of a job, and how its last runs ended.
pub(super) async fn of_job(State(scheduler): State<Arc<Scheduler>>, Path(name): Path<String>) -> Answer {
    let missing = Refused::Requirement(format!("Job '{name}' not found"));
    let look = move |core: &Core| {
        let entry = core.job(&name)?;
        let history = entry.stats.history().map(|past| shown(past, &name));
        Some(json!({
            "histogram": histogram(&entry.stats.histogram()),
            "taskStatHistory": history.collect::<Vec<_>>(),
        }))
    };
    let shown = scheduler.handle.look(look).await?;
    Ok(json(&shown.ok_or(missing)?))
}

pub(super) fn histogram(histogram: &Histogram) -> Value {
    let mut shown = json!(histogram.values);
    shown["count"] = json!(histogram.count);
    shown
}

fn shown(past: &Past, job: &str) -> Value {
    let time = |at: Option<i64>| at.map_or_else(|| NONE.to_owned(), short_time);
    let mut shown = json!({
        "taskId": past.task,
        "jobName": job,
        "slaveId": past.agent,
        "startTime": time(past.started_at),
        "endTime": time(past.ended_at),
        "status": match past.well {
            None => "Running",
            Some(true) => "Success",
            Some(false) => "Fail",
        },
    });
    if let (Some(started), Some(ended)) = (past.started_at, past.ended_at) {
        shown["duration"] = json!(duration((ended - started).max(0) / 1000));
    }
    if let Some(elements) = past.elements {
        shown["numElementsProcessed"] = json!(elements);
    }
    shown
}

/// `1d2h3m4s`, without what is nothing, but for the seconds.
fn duration(seconds: i64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
    ];
    let told: String = parts
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect();
    format!("{told}{}s", seconds % 60)
}
