//! What DescribeConfigs tells of a resource: every key with its value, who set it, and what lies under it.

use super::{
    broker::{BrokerConfig, Source},
    broker_keys::{self, BROKER_KEYS},
    definition::{Definition, Type},
    listener_keys::split,
    topic_keys::{TOPIC_KEYS, broker_synonyms},
};
use std::collections::{BTreeMap, BTreeSet};

/// A key of a resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// `None` where there is none, or nobody may see it.
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
    pub(crate) read_only: bool,
    pub(crate) sensitive: bool,
    /// The values that count or would, the one that counts first: `(key, value, who set it)`.
    pub(crate) synonyms: Vec<(String, Option<String>, Source)>,
    /// `None` where nothing is known of the key.
    pub(crate) definition: Option<&'static Definition>,
}

/// Every key of a topic on which `set` was set.
pub(crate) fn topic(set: &BTreeMap<String, String>, broker: &BrokerConfig) -> Vec<Entry> {
    TOPIC_KEYS
        .iter()
        .map(|key| topic_entry(key, set, broker))
        .collect()
}

fn topic_entry(key: &'static Definition, set: &BTreeMap<String, String>, broker: &BrokerConfig) -> Entry {
    let own = set.get(key.name);
    let mut synonyms = Vec::new();
    if let Some(value) = own {
        synonyms.push((key.name.to_owned(), Some(value.clone()), Source::Topic));
    }
    if let Some((first, _)) = broker_synonyms(key.name).first() {
        synonyms.extend(layers(first, broker));
    }
    Entry {
        name: key.name.to_owned(),
        value: Some(own.cloned().unwrap_or_else(|| broker.topic_default(key))),
        source: synonyms.first().map_or(Source::Default, |(_, _, source)| *source),
        read_only: false,
        sensitive: false,
        synonyms,
        definition: Some(key),
    }
}

/// Every key of the broker.
pub(crate) fn broker(config: &BrokerConfig) -> Vec<Entry> {
    let known = BROKER_KEYS.iter().map(|key| {
        let definition = &key.definition;
        let value = config.value(definition.name).map(|(value, _)| value.to_owned());
        let synonyms = layers(definition.name, config);
        Entry {
            name: definition.name.to_owned(),
            value: value.filter(|_| !definition.sensitive()),
            source: synonyms.first().map_or(Source::Default, |(_, _, source)| *source),
            read_only: !key.dynamic,
            sensitive: definition.sensitive(),
            synonyms,
            definition: Some(definition),
        }
    });
    let set: BTreeSet<&String> = config.own.keys().chain(config.cluster.keys()).collect();
    let unknown = set.into_iter().filter(|key| broker_keys::find(key).is_none());
    known
        .chain(unknown.filter_map(|key| of_listener(key, config)))
        .collect()
}

/// A key of one listener, over the same key of all; or one of which nothing is known.
fn of_listener(name: &str, config: &BrokerConfig) -> Option<Entry> {
    let (_, source) = config.set(name).next()?;
    let (Some(_), Some(key)) = (split(name).0, broker_keys::find(split(name).1)) else {
        return Some(opaque(name, source));
    };
    let shown = |value: &str| Some(value.to_owned()).filter(|_| !key.definition.sensitive());
    let own = config
        .set(name)
        .map(|(value, source)| (name.to_owned(), shown(value), source));
    let synonyms: Vec<_> = own.chain(layers(key.definition.name, config)).collect();
    Some(Entry {
        name: name.to_owned(),
        value: synonyms.first().and_then(|(_, value, _)| value.clone()),
        source,
        read_only: true,
        sensitive: key.definition.sensitive(),
        synonyms,
        definition: Some(&key.definition),
    })
}

/// The keys that were set for every broker.
pub(crate) fn cluster(config: &BrokerConfig) -> Vec<Entry> {
    let entry = |(name, value): (&String, &String)| {
        let Some(key) = broker_keys::find(split(name).1) else {
            return opaque(name, Source::DynamicDefault);
        };
        let sensitive = key.definition.sensitive();
        let value = Some(value.clone()).filter(|_| !sensitive);
        Entry {
            name: name.clone(),
            value: value.clone(),
            source: Source::DynamicDefault,
            read_only: !key.dynamic || split(name).0.is_some(),
            sensitive,
            synonyms: vec![(name.clone(), value, Source::DynamicDefault)],
            definition: Some(&key.definition),
        }
    };
    config.cluster.iter().map(entry).collect()
}

/// Every key of `keys` in a resource on which `set` was set, over what `default` says.
pub(crate) fn plain(
    keys: &'static [Definition],
    set: &BTreeMap<String, String>,
    source: Source,
    default: impl Fn(&Definition) -> (Option<String>, Vec<(String, Option<String>, Source)>),
) -> Vec<Entry> {
    let entry = |key: &'static Definition| {
        let own = set.get(key.name);
        let (value, under) = default(key);
        let mut synonyms = Vec::new();
        if let Some(value) = own {
            synonyms.push((key.name.to_owned(), Some(value.clone()), source));
        }
        synonyms.extend(under);
        Entry {
            name: key.name.to_owned(),
            value: own.cloned().or(value),
            source: synonyms.first().map_or(Source::Default, |(_, _, source)| *source),
            read_only: false,
            sensitive: false,
            synonyms,
            definition: Some(key),
        }
    };
    keys.iter().map(entry).collect()
}

/// A key nothing is known of: it may hold a secret.
fn opaque(name: &str, source: Source) -> Entry {
    Entry {
        name: name.to_owned(),
        value: None,
        source,
        read_only: true,
        sensitive: true,
        synonyms: vec![(name.to_owned(), None, source)],
        definition: None,
    }
}

/// The values of a broker's key and of those it falls back to, layer by layer. As Kafka does, what comes before the
/// first value of the key itself is left out.
pub(crate) fn layers(key: &str, config: &BrokerConfig) -> Vec<(String, Option<String>, Source)> {
    let synonyms = synonyms(key);
    let mut found = Vec::new();
    for (layer, source) in [
        (&config.own, Source::DynamicBroker),
        (&config.cluster, Source::DynamicDefault),
        (&config.started, Source::Static),
    ] {
        let set = synonyms
            .iter()
            .filter_map(|name| Some((*name, layer.get(*name)?.as_str(), source)));
        found.extend(set);
    }
    let defaults = synonyms.iter().filter_map(|name| {
        Some((
            *name,
            broker_keys::find(name)?.definition.default?,
            Source::Default,
        ))
    });
    found.extend(defaults);
    let secret = |name: &str| broker_keys::find(name).is_none_or(|key| key.definition.kind == Type::Password);
    found
        .into_iter()
        .skip_while(|(name, _, _)| *name != key)
        .map(|(name, value, source)| {
            (
                name.to_owned(),
                Some(value.to_owned()).filter(|_| !secret(name)),
                source,
            )
        })
        .collect()
}

fn synonyms(key: &str) -> Vec<&str> {
    match key {
        "log.roll.ms" => vec![key, "log.roll.hours"],
        "log.roll.jitter.ms" => vec![key, "log.roll.jitter.hours"],
        "log.flush.interval.ms" => vec![key, "log.flush.scheduler.interval.ms"],
        "log.retention.ms" => vec![key, "log.retention.minutes", "log.retention.hours"],
        _ => vec![key],
    }
}
