//! The loggers of BROKER_LOGGER: the whole server's, and one for each of its crates. Levels hold until the next start.

use crate::{
    config::{
        alter::{Change, Operation},
        broker::Source,
        describe::Entry,
    },
    error::ApiError,
    wire::ResponseError,
};
use server_kit::{LogLevel, log_levels, set_log_levels};
use std::collections::BTreeMap;

/// The logger whose level counts where no other says.
const ROOT: &str = "root";
/// The others; sorted.
const CRATES: &[&str] = &[
    "cql_server",
    "kafka_server",
    "server_kit",
    "smack",
    "storage",
    "storage_local",
];
/// Levels as Kafka names them; its FATAL is an ERROR here.
const LEVELS: &[&str] = &["DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"];

/// Every logger with its level.
pub(super) fn describe() -> Vec<Entry> {
    let levels = log_levels();
    let entry = |name: &str, level: LogLevel| Entry {
        name: name.to_owned(),
        value: Some(level.name().to_owned()),
        source: Source::Logger,
        read_only: false,
        sensitive: false,
        synonyms: Vec::new(),
        definition: None,
    };
    let mut entries = vec![entry(ROOT, levels.root)];
    entries.extend(CRATES.iter().map(|name| {
        let own = levels.targets.get(*name).copied();
        entry(name, own.unwrap_or(levels.root))
    }));
    entries
}

/// Makes all of `changes`, or none where one is refused.
pub(super) fn alter(changes: &[Change], validate_only: bool) -> Result<(), ApiError> {
    let mut wanted = BTreeMap::new();
    for change in changes {
        wanted.insert(change.name.as_str(), level(change)?);
    }
    if validate_only {
        return Ok(());
    }
    let mut levels = log_levels();
    for (name, level) in wanted {
        match level {
            Some(level) if name == ROOT => levels.root = level,
            Some(level) => drop(levels.targets.insert(name.to_owned(), level)),
            None => drop(levels.targets.remove(name)),
        }
    }
    set_log_levels(levels).map_err(|why| ApiError::new(ResponseError::UnknownServerError, why))
}

/// The level asked for; `None` where the logger shall have none of its own.
fn level(change: &Change) -> Result<Option<LogLevel>, ApiError> {
    let config_error = |why: String| Err(ApiError::new(ResponseError::InvalidConfig, why));
    let request_error = |why: &str| Err(ApiError::new(ResponseError::InvalidRequest, why));
    let (name, level) = (change.name.as_str(), change.value.as_deref().unwrap_or_default());
    let known = name == ROOT || CRATES.binary_search(&name).is_ok();
    match change.operation {
        Operation::Append => request_error("APPEND operation is not allowed for the BROKER_LOGGER resource"),
        Operation::Subtract => {
            request_error("SUBTRACT operation is not allowed for the BROKER_LOGGER resource")
        }
        _ if !known => config_error(format!("Logger {name} does not exist!")),
        Operation::Delete if name == ROOT => {
            request_error("Removing the log level of the root logger is not allowed")
        }
        Operation::Delete => Ok(None),
        Operation::Set if !LEVELS.contains(&level) => config_error(format!(
            "Cannot set the log level of {name} to {level} as it is not a supported log level. \
             Valid log levels are {}",
            LEVELS.join(", ")
        )),
        Operation::Set => Ok(Some(LogLevel::by_name(level).unwrap_or(LogLevel::Error))),
    }
}
