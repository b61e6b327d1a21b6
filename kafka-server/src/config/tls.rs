//! What Kafka's keys about TLS mean for one listener, once they are set while the broker runs.

use super::{
    broker::BrokerConfig,
    definition::{self, items},
    listener_keys::of,
    properties::Given,
};
use server_kit::TlsOptions;

/// What the listener `name` is to be secured with, by `rules`: the certificates that were set for it since, over those it
/// was `started` with. None where that leaves it without one.
pub(crate) fn renewed(
    started: Option<&TlsOptions>,
    rules: &TlsOptions,
    name: &str,
    config: &BrokerConfig,
) -> Option<TlsOptions> {
    let set = |key: &str| config.own.get(&of(name, key)).cloned();
    let keystore = set("ssl.keystore.location");
    let (chain, key) = (set("ssl.keystore.certificate.chain"), set("ssl.keystore.key"));
    let trusted = set("ssl.truststore.certificates").or_else(|| set("ssl.truststore.location"));
    Some(TlsOptions {
        certificates: chain
            .or_else(|| keystore.clone())
            .or_else(|| Some(started?.certificates.clone()))?,
        key: key.or(keystore).or_else(|| Some(started?.key.clone()))?,
        client_ca: trusted.or_else(|| started?.client_ca.clone()),
        ..rules.clone()
    })
}

/// What the listener `name` would have been started with, as one that is made later.
pub(crate) fn started(name: &str, config: &BrokerConfig) -> Option<TlsOptions> {
    Given(&config.started).tls_options(name).ok()
}

/// `asked` with the rules that were set for the listener `name` while the broker ran before: who must show a certificate,
/// and what is spoken. As with the original, a change waits for the next start.
pub(crate) fn rules(asked: &TlsOptions, name: &str, config: &BrokerConfig) -> TlsOptions {
    let set = |key: &str| config.own.get(&of(name, key)).or_else(|| config.own.get(key));
    let list = |key: &str| set(key).map(|list| items(list).map(str::to_owned).collect());
    let required = set("ssl.client.auth").map(|auth| auth == "required");
    TlsOptions {
        client_required: required.unwrap_or(asked.client_required),
        protocols: list("ssl.enabled.protocols").unwrap_or_else(|| asked.protocols.clone()),
        cipher_suites: list("ssl.cipher.suites").unwrap_or_else(|| asked.cipher_suites.clone()),
        ..asked.clone()
    }
}

/// What a certificate that takes the place of another may name otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Renaming {
    /// Kafka's `ssl.allow.dn.changes`.
    pub(crate) name: bool,
    /// Kafka's `ssl.allow.san.changes`.
    pub(crate) alternatives: bool,
}

impl Renaming {
    /// As it holds for the listener `name` from the moment it is opened.
    pub(crate) fn of(name: &str, config: &BrokerConfig) -> Self {
        let allowed = |key: &str| {
            let own = config.set(&of(name, key)).next();
            let set = own.or_else(|| config.value(key)).map(|(value, _)| value);
            set.and_then(definition::read).unwrap_or(false)
        };
        Renaming {
            name: allowed("ssl.allow.dn.changes"),
            alternatives: allowed("ssl.allow.san.changes"),
        }
    }
}

/// Whether the stores that were set for the listener `name` are of a format that is read. In the words of Kafka.
pub(crate) fn check_formats(name: &str, config: &BrokerConfig) -> Result<(), String> {
    for (store, said) in [("ssl.keystore", "key"), ("ssl.truststore", "trust")] {
        let set = |key: &str| config.own.get(&of(name, &format!("{store}.{key}")));
        let Some(format) = set("type").filter(|format| *format != "PEM") else {
            continue;
        };
        return Err(match (set("location"), set("password")) {
            (Some(location), Some(_)) => format!("Failed to load SSL keystore {location} of type {format}"),
            _ => format!("SSL {said} store is specified, but {said} store password is not specified."),
        });
    }
    Ok(())
}
