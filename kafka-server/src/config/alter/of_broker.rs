//! Whether a broker may be given settings, in the order in which Kafka looks at them, and in its words.

use super::{AlterFault, Scope, Settings};
use crate::config::{
    broker::BrokerConfig,
    broker_keys,
    definition::items,
    limits::{OVERRIDES, check_overrides, check_per_ip},
    listener_keys::{is_of_one_broker, split},
};

pub(super) fn validate(
    scope: Scope,
    now: &Settings,
    set: &Settings,
    broker: &BrokerConfig,
) -> Result<(), AlterFault> {
    let changed: Vec<&str> = set
        .iter()
        .filter(|(name, value)| now.get(*name) != Some(*value))
        .map(|(name, _)| name.as_str())
        .collect();
    let refuse = |why: &str, of: &dyn Fn(&str) -> bool| {
        let keys: Vec<&str> = changed.iter().copied().filter(|name| of(name)).collect();
        match keys.is_empty() {
            true => Ok(()),
            false => Err(AlterFault::Request(format!("{why}: [{}]", keys.join(", ")))),
        }
    };
    let dynamic = |name: &str| broker_keys::find(name).map(|key| key.dynamic);
    refuse("Cannot update these configs dynamically", &|name| {
        dynamic(name) == Some(false)
    })?;
    refuse(
        "These security configs can be dynamically updated only per-listener using the listener prefix",
        &is_of_a_store,
    )?;
    let valued = || {
        changed
            .iter()
            .filter_map(|name| Some((*name, set.get(*name)?.as_str())))
    };
    for (name, value) in valued() {
        if let Some(key) = broker_keys::find(split(name).1) {
            key.definition.validate(value).map_err(AlterFault::Request)?;
        }
    }
    if scope == Scope::Cluster {
        refuse(
            "Cannot update these configs at default cluster level, broker id must be specified",
            &|name| is_of_one_broker(name) && (split(name).0.is_some() || dynamic(name) == Some(true)),
        )?;
    }
    valued().try_for_each(|(name, value)| check(name, value, set, broker))
}

/// Keys of the stores of certificates: each listener has its own.
fn is_of_a_store(name: &str) -> bool {
    name.starts_with("ssl.keystore.") || name.starts_with("ssl.truststore.") || name == "ssl.key.password"
}

/// What Kafka's classes look at that own a key.
fn check(name: &str, value: &str, set: &Settings, broker: &BrokerConfig) -> Result<(), AlterFault> {
    let request = AlterFault::Request;
    let will_be = |key: &str| match set.get(key) {
        Some(value) => value.clone(),
        None => broker
            .value(key)
            .map_or(String::new(), |(value, _)| value.to_owned()),
    };
    match split(name).1 {
        key @ ("max.connections" | "max.connection.creation.rate") if value.trim() == "0" => {
            Err(AlterFault::of_class(&format!("Invalid {key} 0")))
        }
        _ if name == "max.connections.per.ip" => check_per_ip(value, &will_be(OVERRIDES)).map_err(request),
        _ if name == OVERRIDES => check_overrides(value).map_err(request),
        _ if name == "log.retention.ms" && value.trim() == "0" => Err(request(
            "requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1"
                .to_owned(),
        )),
        _ if name == "cordoned.log.dirs" => check_cordoned(value, &will_be("log.dirs")),
        "log.cleaner.threads" => check_cleaners(value, broker),
        key => check_threads(key, value, broker),
    }
}

fn check_cordoned(cordoned: &str, known: &str) -> Result<(), AlterFault> {
    let missing: Vec<&str> = items(cordoned)
        .filter(|folder| *folder != "*" && !items(known).any(|other| other == *folder))
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(AlterFault::Request(format!(
            "requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing \
             entries : {}",
            missing.join(", ")
        ))),
    }
}

/// Kafka lets pools of threads grow to twice their size and shrink to half of it at once.
fn check_threads(name: &str, value: &str, broker: &BrokerConfig) -> Result<(), AlterFault> {
    const POOLS: &[&str] = &[
        "background.threads",
        "num.io.threads",
        "num.network.threads",
        "num.recovery.threads.per.data.dir",
        "num.replica.fetchers",
    ];
    let (now, wanted): (i64, i64) = (broker.get(name, 0), value.trim().parse().unwrap_or(0));
    let why = match wanted {
        _ if !POOLS.contains(&name) => return Ok(()),
        wanted if wanted > now.saturating_mul(2) => {
            "value should not be greater than double the current value"
        }
        wanted if wanted < now / 2 => "value should be at least half the current value",
        _ => return Ok(()),
    };
    Err(AlterFault::of_class(&format!(
        "Dynamic thread count update validation failed for {name}={value}, {why} {now}"
    )))
}

/// The same rule for the threads that compact, in other words.
fn check_cleaners(value: &str, broker: &BrokerConfig) -> Result<(), AlterFault> {
    let now: i64 = broker.get("log.cleaner.threads", 1);
    let why = match value.trim().parse().unwrap_or(now) {
        wanted if wanted > now.saturating_mul(2) => "increased to more than double",
        wanted if wanted < now / 2 => "reduced to less than half",
        _ => return Ok(()),
    };
    Err(AlterFault::of_class(&format!(
        "Log cleaner threads cannot be {why} the current value {now}"
    )))
}
