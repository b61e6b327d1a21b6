//! What this broker answers, and what it is told in vain, for the compatibility matrices in docs/.

use crate::{
    config::{broker_keys::BROKER_KEYS, group_keys::GROUP_KEYS, topic_keys::TOPIC_KEYS},
    handlers::TABLE,
    metrics::{STANDARD, Standard, Values},
};

/// One API key that this broker answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compatible {
    /// API key.
    pub key: i16,
    /// The protocol's name.
    pub name: &'static str,
    /// First and last version told to clients.
    pub advertised: (i16, i16),
    /// First and last version decoded and answered.
    pub answered: (i16, i16),
    /// First and last version that the protocol library decodes at all.
    pub decodable: (i16, i16),
}

/// Every API key this broker answers, sorted.
pub fn compatibility() -> Vec<Compatible> {
    let line = |api: &crate::handlers::Api| Compatible {
        key: api.key,
        name: api.name,
        advertised: (api.advertised_min, api.versions.1),
        answered: api.versions,
        decodable: api.decodable,
    };
    TABLE.iter().map(line).collect()
}

/// A configuration key that is taken, checked and shown, and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithoutEffect {
    /// What it is set on.
    pub on: &'static str,
    /// Its name.
    pub key: &'static str,
    /// Why it changes nothing, as its documentation says.
    pub why: &'static str,
}

/// A metric that is told under the name that the original's has in Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardMetric {
    /// That name, whole.
    pub name: String,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    /// Names of its labels.
    pub labels: &'static str,
    /// What it is measured in.
    pub unit: &'static str,
    /// What Kafka calls it.
    pub mbean: &'static str,
    /// Where its values come from here.
    pub source: &'static str,
}

/// Every such metric, sorted by name.
pub fn standard_metrics() -> Vec<StandardMetric> {
    let line = |standard: &Standard| {
        let is_counter = matches!(standard.values, Values::Counter(_));
        StandardMetric {
            name: format!("{}{}", standard.name, if is_counter { "_total" } else { "" }),
            kind: if is_counter { "counter" } else { "gauge" },
            labels: standard.labels,
            unit: standard.unit,
            mbean: standard.mbean,
            source: standard.source,
        }
    };
    STANDARD.iter().map(line).collect()
}

/// Every such key.
pub fn keys_without_effect() -> Vec<WithoutEffect> {
    let broker = BROKER_KEYS.iter().map(|key| ("broker", &key.definition));
    let topic = TOPIC_KEYS.iter().map(|key| ("topic", key));
    let group = GROUP_KEYS.iter().map(|key| ("group", key));
    let all = broker.chain(topic).chain(group);
    let idle = all.filter(|(_, key)| key.documentation.contains("ithout effect"));
    let line = |(on, key): (&'static str, &crate::config::definition::Definition)| WithoutEffect {
        on,
        key: key.name,
        why: key
            .documentation
            .split_once("without effect: ")
            .map_or(key.documentation, |(_, why)| why),
    };
    idle.map(line).collect()
}
