//! Keys that can be said of one listener: `listener.name.NAME.KEY`.

use super::{broker::BrokerConfig, definition};
use std::str::FromStr;

const PREFIX: &str = "listener.name.";

/// Keys of one listener that may be set for all brokers at once.
const OF_ALL_BROKERS: &[&str] = &[
    "max.connection.creation.rate",
    "max.connections",
    "num.network.threads",
];

/// The listener that `key` is of, if it is of one, and the key itself.
pub(crate) fn split(key: &str) -> (Option<&str>, &str) {
    let own = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
    own.map_or((None, key), |(listener, key)| (Some(listener), key))
}

/// The name of `key` for `listener` alone.
pub(crate) fn of(listener: &str, key: &str) -> String {
    format!("{PREFIX}{}.{key}", listener.to_lowercase())
}

/// Whether `key`, which may change while a broker runs, can be set for one broker only.
pub(crate) fn is_of_one_broker(key: &str) -> bool {
    match split(key) {
        (Some(_), key) => !OF_ALL_BROKERS.contains(&key),
        (None, key) => {
            key.starts_with("ssl.")
                || key.starts_with("sasl.")
                || [
                    "listener.security.protocol.map",
                    "listeners",
                    "principal.builder.class",
                ]
                .contains(&key)
        }
    }
}

impl BrokerConfig {
    /// The value of `key` for `listener`, read as `T`: its own, or else that of all; `or` where there is none.
    pub(crate) fn of_listener<T: FromStr>(&self, listener: &str, key: &str, or: T) -> T {
        let own = of(listener, key);
        let own = self
            .set(&own)
            .next()
            .and_then(|(value, _)| definition::read(value));
        own.unwrap_or_else(|| self.get(key, or))
    }
}
