//! What AlterConfigs and IncrementalAlterConfigs make of a resource's settings.

mod of_broker;

use super::{
    broker::BrokerConfig,
    definition::{self, Definition, Type, items},
    group_keys::{self, GROUP_KEYS, METRICS_KEYS},
    topic,
};
use std::collections::BTreeMap;

/// What was set on a resource.
pub(crate) type Settings = BTreeMap<String, String>;

/// What is done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Set,
    Delete,
    /// Adds items to a list.
    Append,
    /// Takes items off a list.
    Subtract,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Operation::Set => "SET",
            Operation::Delete => "DELETE",
            Operation::Append => "APPEND",
            Operation::Subtract => "SUBTRACT",
        }
    }
}

/// One change of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) operation: Operation,
    pub(crate) value: Option<String>,
}

/// Why settings cannot be changed, in the words of Kafka.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AlterFault {
    /// The request makes no sense.
    #[error("{0}")]
    Request(String),
    /// A key does not take the value.
    #[error("{0}")]
    Config(String),
}

impl AlterFault {
    /// A class of the original's refuses a value.
    pub(crate) fn of_class(why: &str) -> Self {
        AlterFault::Request(format!(
            "Invalid value org.apache.kafka.common.config.ConfigException: {why} for configuration Invalid dynamic \
             configuration"
        ))
    }

    /// Certificates cannot be read.
    pub(crate) fn of_tls(why: &str) -> Self {
        AlterFault::of_certificates("errors.InvalidConfigurationException", why)
    }

    /// Certificates cannot take the place of those that are in use.
    pub(crate) fn of_keystore(why: &str) -> Self {
        AlterFault::of_certificates("config.ConfigException", why)
    }

    fn of_certificates(class: &str, why: &str) -> Self {
        AlterFault::of_class(&format!(
            "Validation of dynamic config update of SSLFactory failed: org.apache.kafka.common.{class}: {why}"
        ))
    }
}

/// A resource that has settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Topic,
    /// This broker.
    Broker,
    /// Every broker.
    Cluster,
    Group,
    ClientMetrics,
}

impl Scope {
    fn definition(self, name: &str) -> Option<&'static Definition> {
        match self {
            Scope::Topic => topic::definition(name),
            Scope::Broker | Scope::Cluster => super::broker::definition(name),
            Scope::Group => definition::find(GROUP_KEYS, name),
            Scope::ClientMetrics => definition::find(METRICS_KEYS, name),
        }
    }
}

/// `now` after `changes`; whether the result is valid is the matter of [`validate`].
pub(crate) fn apply(
    scope: Scope,
    now: &Settings,
    changes: &[Change],
    broker: &BrokerConfig,
) -> Result<Settings, AlterFault> {
    let mut next = now.clone();
    for (at, change) in changes.iter().enumerate() {
        if changes[..at].iter().any(|other| other.name == change.name) {
            return Err(AlterFault::Request(
                "Error due to duplicate config keys".to_owned(),
            ));
        }
        let value = match (change.operation, &change.value) {
            (Operation::Delete, _) => None,
            (_, None) => {
                return Err(AlterFault::Request(format!(
                    "Null value not supported for : {}",
                    change.name
                )));
            }
            (Operation::Set, Some(value)) => match scope.definition(&change.name) {
                Some(key) if key.kind == Type::Boolean => Some(key.canonical(value)),
                _ => Some(value.clone()),
            },
            (_, Some(value)) => Some(change_list(scope, now, change, value, broker)?),
        };
        match value {
            Some(value) => next.insert(change.name.clone(), value),
            None => next.remove(&change.name),
        };
    }
    Ok(next)
}

fn change_list(
    scope: Scope,
    now: &Settings,
    change: &Change,
    value: &str,
    broker: &BrokerConfig,
) -> Result<String, AlterFault> {
    let name = &change.name;
    let Some(key) = scope.definition(name).filter(|key| key.kind == Type::List) else {
        return Err(AlterFault::Config(format!(
            "Can't {} to key {name} because its type is not LIST.",
            change.operation.name()
        )));
    };
    let now = now.get(name).cloned().unwrap_or_else(|| match scope {
        Scope::Topic => broker.topic_default(key),
        Scope::Broker | Scope::Cluster => broker
            .value(name)
            .map_or(String::new(), |(value, _)| value.to_owned()),
        Scope::Group | Scope::ClientMetrics => key.default.unwrap_or_default().to_owned(),
    });
    let mut list: Vec<&str> = items(&now).collect();
    if change.operation == Operation::Append {
        for item in items(value) {
            if !list.contains(&item) {
                list.push(item);
            }
        }
    } else {
        list.retain(|item| !items(value).any(|other| other == *item));
    }
    Ok(list.join(","))
}

/// Whether a resource may be given all of `set`, which was `now` before.
pub(crate) fn validate(
    scope: Scope,
    now: &Settings,
    set: &Settings,
    broker: &BrokerConfig,
) -> Result<(), AlterFault> {
    match scope {
        Scope::Topic => topic::validate(set).map_err(AlterFault::Config),
        Scope::Group => group_keys::validate(set, broker).map_err(AlterFault::Config),
        Scope::ClientMetrics => validate_metrics(set),
        Scope::Broker | Scope::Cluster => of_broker::validate(scope, now, set, broker),
    }
}

const INTERVAL_MS: std::ops::RangeInclusive<i64> = 100..=3_600_000;

fn validate_metrics(set: &Settings) -> Result<(), AlterFault> {
    for (name, value) in set {
        let key = definition::find(METRICS_KEYS, name)
            .ok_or_else(|| AlterFault::Request(format!("Unknown client metrics configuration: {name}")))?;
        key.validate(value).map_err(AlterFault::Config)?;
        if name == "interval.ms"
            && !value
                .trim()
                .parse()
                .is_ok_and(|ms: i64| INTERVAL_MS.contains(&ms))
        {
            return Err(AlterFault::Request(format!(
                "Invalid value {value} for interval.ms, interval must be between 100 and 3600000 (1 hour)"
            )));
        }
        if let Some(pattern) = items(value).find(|pattern| name == "match" && !is_pattern(pattern)) {
            return Err(AlterFault::Config(format!(
                "Illegal client matching pattern: {pattern}"
            )));
        }
    }
    Ok(())
}

fn is_pattern(pattern: &str) -> bool {
    const PARTS: &[&str] = &[
        "client_id",
        "client_instance_id",
        "client_software_name",
        "client_software_version",
        "client_source_address",
        "client_source_port",
    ];
    let part = pattern
        .split_once('=')
        .filter(|(part, _)| PARTS.contains(&part.trim()));
    part.is_some_and(|(_, expression)| regex::Regex::new(expression.trim()).is_ok())
}
