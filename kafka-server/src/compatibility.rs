//! What this broker answers, and what it is told in vain, for the compatibility matrices in docs/.

use crate::{
    config::{
        broker_keys::BROKER_KEYS,
        definition::{Check, Definition},
        group_keys::GROUP_KEYS,
        topic_keys::TOPIC_KEYS,
    },
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

/// A configuration key, as people read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationKey {
    /// What it is set on: `broker`, `topic` or `group`.
    pub on: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Type of its value.
    pub kind: &'static str,
    /// Its value where nobody says, if it then has one.
    pub default: Option<&'static str>,
    /// Which values of its type it takes; empty: every one.
    pub values: String,
    /// Whether it can be changed while the broker runs.
    pub dynamic: bool,
    /// What it does.
    pub documentation: &'static str,
}

/// Every configuration key there is, those of the broker first, each kind sorted by name.
pub fn configuration_keys() -> Vec<ConfigurationKey> {
    let broker = BROKER_KEYS
        .iter()
        .map(|key| ("broker", &key.definition, key.dynamic));
    let topic = TOPIC_KEYS.iter().map(|key| ("topic", key, true));
    let group = GROUP_KEYS.iter().map(|key| ("group", key, true));
    let line = |(on, key, dynamic): (&'static str, &Definition, bool)| ConfigurationKey {
        on,
        name: key.name,
        kind: key.kind.name(),
        default: key.default,
        values: values(key.check),
        dynamic,
        documentation: key.documentation,
    };
    broker.chain(topic).chain(group).map(line).collect()
}

fn values(check: Check) -> String {
    match check {
        Check::Any => String::new(),
        Check::AtLeast(min) => format!("{min} and more"),
        Check::Between(min, max) => format!("{min} to {max}"),
        Check::BetweenOr(min, max, or) => format!("{min} to {max}, or {or}"),
        Check::OneOf(words) => words.replace('|', ", "),
        Check::Replicas => "`*`, or partition:broker, ...".to_owned(),
        Check::OffsetReset => "earliest, latest, by_duration:PnDTnHnMnS".to_owned(),
    }
}

/// Every key that changes nothing.
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
