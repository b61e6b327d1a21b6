//! Kafka's limits of connections: what they say, and which values they refuse beyond those that their types do.

use super::{
    broker::BrokerConfig,
    definition::{items, read},
};

/// Limits for single addresses, in place of that for any address.
pub(crate) const OVERRIDES: &str = "max.connections.per.ip.overrides";

/// How many of them there may be.
const OVERRIDES_COUNT_MAX: usize = 1000;

/// The limits for single addresses: pairs of host and number.
pub(crate) fn overrides(config: &BrokerConfig) -> impl Iterator<Item = (&str, i64)> {
    let set = config.value(OVERRIDES).map_or("", |(set, _)| set);
    items(set).filter_map(|pair| {
        let (host, most) = pair.rsplit_once(':')?;
        Some((host.trim(), read(most)?))
    })
}

/// Whether `value` can be what [`overrides`] reads. What is wrong is said in the words of Kafka, Java's included.
pub(crate) fn check_overrides(value: &str) -> Result<(), String> {
    // Ours: each name is looked up.
    if items(value).count() > OVERRIDES_COUNT_MAX {
        return Err(format!(
            "{OVERRIDES} contains more than {OVERRIDES_COUNT_MAX} addresses"
        ));
    }
    let mut illegal = Vec::new();
    for pair in items(value) {
        let (host, most) = pair.rsplit_once(':').ok_or_else(|| {
            let length = pair.encode_utf16().count();
            format!("Error parsing configuration property '{OVERRIDES}': begin 0, end -1, length {length}")
        })?;
        let (host, most) = (host.trim(), most.trim());
        most.parse::<i32>()
            .map_err(|_| format!("For input string: \"{most}\""))?;
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '%' | '.' | '_' | ':');
        if !host.chars().all(legal) {
            illegal.push(host);
        }
    }
    match illegal.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{OVERRIDES} contains invalid addresses : {}",
            illegal.join(",")
        )),
    }
}

/// Whether nobody at all could come in.
pub(crate) fn check_per_ip(per_ip: &str, overrides: &str) -> Result<(), String> {
    match per_ip.trim() == "0" && overrides.trim().is_empty() {
        true => Err(format!(
            "requirement failed: max.connections.per.ip can be set to zero only if {OVERRIDES} property is set."
        )),
        false => Ok(()),
    }
}
