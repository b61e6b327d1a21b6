//! A job as clients write it, and as they are shown it.

use super::{
    container,
    lenient::{field, items, number, text, text_or, truth_or, whole},
};
use crate::core::{Constraint, Entry, Fetch, Job, Operator, Pair, Trigger};
use serde_json::{Map, Value, json};

/// When a job runs that does not say: once, now.
const NOW: &str = "R1//PT24H";

/// What a job has that does not say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Defaults {
    pub(crate) epsilon: String,
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
    pub(crate) user: String,
}

/// Why a JSON text is no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(super) String);

/// Whether a job waits for others, or has times.
pub(crate) fn parse(json: &[u8], defaults: &Defaults) -> Result<Job, Refusal> {
    let of: Value = serde_json::from_slice(json).map_err(|error| Refusal(error.to_string()))?;
    if !of.is_object() {
        return Err(Refusal("a job is a JSON object".to_owned()));
    }
    let needed = |name: &str| {
        let missing = || Refusal(format!("a job has the field '{name}'"));
        field(&of, name).map(text).ok_or_else(missing)
    };
    let amount = |name: &str, otherwise: f64| match field(&of, name).map_or(0.0, number) {
        0.0 => Ok(otherwise),
        amount if amount < 0.0 => Err(Refusal(format!("'{name}' is less than nothing"))),
        amount => Ok(amount),
    };
    let count = |name: &str| field(&of, name).map_or(0, |count| u64::try_from(whole(count)).unwrap_or(0));
    let time = |name: &str| match text_or(&of, name, "") {
        time if time.is_empty() || crate::core::time_of(&time).is_some() => Ok(time),
        time => Err(Refusal(format!("Invalid format: \"{time}\""))),
    };
    Ok(Job {
        name: needed("name")?,
        command: needed("command")?,
        shell: truth_or(&of, "shell", true),
        arguments: items(&of, "arguments").iter().map(text).collect(),
        epsilon: epsilon(&of, defaults)?,
        executor: text_or(&of, "executor", ""),
        executor_flags: text_or(&of, "executorFlags", ""),
        task_info_data: text_or(&of, "taskInfoData", ""),
        retries: field(&of, "retries").map_or(2, |retries| u32::try_from(whole(retries)).unwrap_or(0)),
        owner: text_or(&of, "owner", ""),
        owner_name: text_or(&of, "ownerName", ""),
        description: text_or(&of, "description", ""),
        success_count: count("successCount"),
        error_count: count("errorCount"),
        errors_since_last_success: count("errorsSinceLastSuccess"),
        last_success: time("lastSuccess")?,
        last_error: time("lastError")?,
        r#async: truth_or(&of, "async", false),
        cpus: amount("cpus", defaults.cpus)?,
        mem: amount("mem", defaults.mem)?,
        disk: amount("disk", defaults.disk)?,
        gpus: amount("gpus", 0.0)?,
        disabled: truth_or(&of, "disabled", false),
        soft_error: truth_or(&of, "softError", false),
        data_processing: truth_or(&of, "dataProcessingJobType", false),
        high_priority: truth_or(&of, "highPriority", false),
        concurrent: truth_or(&of, "concurrent", false),
        run_as_user: text_or(&of, "runAsUser", &defaults.user),
        uris: items(&of, "uris").iter().map(text).collect(),
        fetch: items(&of, "fetch").iter().map(fetch).collect(),
        environment: pairs(&of, "environmentVariables", "name"),
        labels: pairs(&of, "labels", "key"),
        container: field(&of, "container").map(container::parse).transpose()?,
        constraints: constraints(&of),
        trigger: trigger(&of),
    })
}

fn epsilon(of: &Value, defaults: &Defaults) -> Result<String, Refusal> {
    let epsilon = text_or(of, "epsilon", &defaults.epsilon);
    match crate::core::period_ms(&epsilon) {
        Some(_) => Ok(epsilon),
        None => Err(Refusal(format!("Invalid format: \"{epsilon}\""))),
    }
}

fn trigger(of: &Value) -> Trigger {
    if of.get("parents").is_some() {
        return Trigger::Parents(items(of, "parents").iter().map(text).collect());
    }
    Trigger::Schedule {
        schedule: text_or(of, "schedule", NOW),
        zone: text_or(of, "scheduleTimeZone", ""),
    }
}

fn fetch(of: &Value) -> Fetch {
    Fetch {
        uri: text_or(of, "uri", ""),
        executable: truth_or(of, "executable", false),
        cache: truth_or(of, "cache", false),
        extract: truth_or(of, "extract", false),
    }
}

/// Names and values, where names stand under `key`.
pub(super) fn pairs(of: &Value, name: &str, key: &str) -> Vec<Pair> {
    let pair = |of: &Value| Pair {
        name: text_or(of, key, ""),
        value: text_or(of, "value", ""),
    };
    items(of, name).iter().map(pair).collect()
}

/// As in the original, an operator that nobody knows asks for nothing.
fn constraints(of: &Value) -> Vec<Constraint> {
    let constraint = |one: &Value| {
        Some(Constraint {
            attribute: text(one.get(0)?),
            operator: Operator::of(one.get(1)?.as_str()?)?,
            value: text(one.get(2)?),
        })
    };
    items(of, "constraints").iter().filter_map(constraint).collect()
}

/// A job as it is now. `both`: what is brought is told by both of its names, of which a client gave one.
pub(crate) fn shown(entry: &Entry, both: bool) -> Value {
    let job = entry.job();
    let mut fetch = job.fetch.clone();
    let mut uris = job.uris.clone();
    if both && fetch.is_empty() {
        fetch = uris.iter().map(|uri| plain(uri)).collect();
    } else if both {
        uris = fetch.iter().map(|one| one.uri.clone()).collect();
    }
    let pairs = |pairs: &[Pair], key: &str| -> Vec<Value> {
        let pair = |pair: &Pair| json!({ key: pair.name, "value": pair.value });
        pairs.iter().map(pair).collect()
    };
    let constraint = |one: &Constraint| json!([one.attribute, one.operator.name(), one.value]);
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("name", json!(job.name));
    put("command", json!(job.command));
    put("shell", json!(job.shell));
    put("epsilon", json!(job.epsilon));
    put("executor", json!(job.executor));
    put("executorFlags", json!(job.executor_flags));
    put("taskInfoData", json!(job.task_info_data));
    put("retries", json!(job.retries));
    put("owner", json!(job.owner));
    put("ownerName", json!(job.owner_name));
    put("description", json!(job.description));
    put("async", json!(job.r#async));
    put("successCount", json!(job.success_count));
    put("errorCount", json!(job.error_count));
    put("lastSuccess", json!(job.last_success));
    put("lastError", json!(job.last_error));
    put("cpus", json!(job.cpus));
    put("disk", json!(job.disk));
    put("mem", json!(job.mem));
    put("gpus", json!(job.gpus));
    put("disabled", json!(job.disabled));
    put("softError", json!(job.soft_error));
    put("dataProcessingJobType", json!(job.data_processing));
    put("errorsSinceLastSuccess", json!(job.errors_since_last_success));
    put("fetch", fetch.iter().map(shown_fetch).collect());
    put("uris", json!(uris));
    put("environmentVariables", pairs(&job.environment, "name").into());
    put("labels", pairs(&job.labels, "key").into());
    put("arguments", json!(job.arguments));
    put("highPriority", json!(job.high_priority));
    put("runAsUser", json!(job.run_as_user));
    put("concurrent", json!(job.concurrent));
    if let Some(container) = &job.container {
        put("container", container::shown(container));
    }
    put("constraints", job.constraints.iter().map(constraint).collect());
    match &job.trigger {
        Trigger::Parents(parents) => {
            put("parents", json!(parents));
        }
        Trigger::Schedule { zone, .. } => {
            put("schedule", json!(entry.shown_schedule()));
            put("scheduleTimeZone", json!(zone));
        }
    }
    Value::Object(shown)
}

fn plain(uri: &str) -> Fetch {
    Fetch {
        uri: uri.to_owned(),
        executable: false,
        cache: false,
        extract: false,
    }
}

fn shown_fetch(fetch: &Fetch) -> Value {
    json!({
        "uri": fetch.uri,
        "executable": fetch.executable,
        "cache": fetch.cache,
        "extract": fetch.extract,
    })
}
