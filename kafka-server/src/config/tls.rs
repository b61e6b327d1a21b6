//! What Kafka's keys about TLS mean for one listener, once they are set while the broker runs.

use super::{broker::BrokerConfig, listener_keys::of};
use server_kit::TlsOptions;

/// What the listener `name` is to be secured with: `started`, but for what was set for it since.
pub(crate) fn renewed(started: &TlsOptions, name: &str, config: &BrokerConfig) -> TlsOptions {
    let set = |key: &str| config.own.get(&of(name, key)).cloned();
    let keystore = set("ssl.keystore.location");
    let (chain, key) = (set("ssl.keystore.certificate.chain"), set("ssl.keystore.key"));
    let trusted = set("ssl.truststore.certificates").or_else(|| set("ssl.truststore.location"));
    TlsOptions {
        certificates: chain
            .or_else(|| keystore.clone())
            .unwrap_or_else(|| started.certificates.clone()),
        key: key.or(keystore).unwrap_or_else(|| started.key.clone()),
        client_ca: trusted.or_else(|| started.client_ca.clone()),
        client_required: started.client_required,
    }
}

/// Whether clients of the listener `name` need a certificate. As with the original, a change waits for the next start.
pub(crate) fn client_required(started: &TlsOptions, name: &str, config: &BrokerConfig) -> bool {
    let key = "ssl.client.auth";
    let set = config.own.get(&of(name, key)).or_else(|| config.own.get(key));
    set.map_or(started.client_required, |auth| auth == "required")
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
