//! The broker's values in layers: set for this broker at run time, for all brokers at run time, at the start, default.

use super::{
    broker_keys,
    definition::{Definition, read},
};
use std::{collections::BTreeMap, str::FromStr};

/// Who set a value. The numbers are those of DescribeConfigs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Topic = 1,
    DynamicBroker = 2,
    DynamicDefault = 3,
    Static = 4,
    Default = 5,
    Logger = 6,
    ClientMetrics = 7,
    Group = 8,
}

/// The values of the broker's keys at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BrokerConfig {
    /// Set for this broker while it ran.
    pub(crate) own: BTreeMap<String, String>,
    /// Set for every broker while they ran.
    pub(crate) cluster: BTreeMap<String, String>,
    /// What it was started with.
    pub(crate) started: BTreeMap<String, String>,
}

impl BrokerConfig {
    /// The value of `key` that counts, and who set it; `None` where nobody did and it has no default.
    pub(crate) fn value(&self, key: &str) -> Option<(&str, Source)> {
        let set = self.set(key).next();
        set.or_else(|| Some((definition(key)?.default?, Source::Default)))
    }

    /// Every value of `key` that somebody set, the one that counts first.
    pub(crate) fn set(&self, key: &str) -> impl Iterator<Item = (&str, Source)> {
        let layers = [
            (&self.own, Source::DynamicBroker),
            (&self.cluster, Source::DynamicDefault),
            (&self.started, Source::Static),
        ];
        let found = layers.map(|(layer, source)| layer.get(key).map(|value| (value.as_str(), source)));
        found.into_iter().flatten()
    }

    /// Every value that somebody set and that counts.
    pub(crate) fn flat(&self) -> BTreeMap<String, String> {
        let mut all = self.started.clone();
        all.extend(self.cluster.clone());
        all.extend(self.own.clone());
        all
    }

    /// The value of `key` that counts, read as `T`; `or` where it is absent or cannot be read.
    pub(crate) fn get<T: FromStr>(&self, key: &str, or: T) -> T {
        let value = self.value(key).and_then(|(value, _)| read(value));
        value.unwrap_or(or)
    }

    /// What a topic's key is worth that nobody set on the topic.
    pub(crate) fn topic_default(&self, key: &Definition) -> String {
        let mut synonyms = super::topic_keys::broker_synonyms(key.name).iter();
        let set = synonyms.find_map(|(name, factor)| {
            let value = self.set(name).next()?.0.trim();
            match factor {
                1 => Some(value.to_owned()),
                factor => {
                    let number: i64 = value.parse().ok()?;
                    let forever = number < 0;
                    Some(if forever {
                        "-1".to_owned()
                    } else {
                        number.saturating_mul(*factor).to_string()
                    })
                }
            }
        });
        set.unwrap_or_else(|| key.default.unwrap_or_default().to_owned())
    }
}

/// What is known of a broker's key.
pub(crate) fn definition(key: &str) -> Option<&'static Definition> {
    broker_keys::find(key).map(|key| &key.definition)
}
