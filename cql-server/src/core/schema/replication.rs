//! Replication strategies: on one node every factor is accepted, kept and shown.

use crate::error::{CqlError, Result};
use std::collections::BTreeMap;

/// What a strategy is checked against: where the node stands, and what it is set to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// The only datacenter there is.
    pub(crate) data_center: String,
    pub(crate) rack: String,
    /// The factor of a keyspace that says none (`default_keyspace_rf`).
    pub(crate) default_factor: u32,
}

impl Default for Site {
    fn default() -> Self {
        Site {
            data_center: "datacenter1".to_owned(),
            rack: "rack1".to_owned(),
            default_factor: 1,
        }
    }
}

const PACKAGE: &str = "org.apache.cassandra.locator.";

fn config(message: impl Into<String>) -> CqlError {
    CqlError::Config(message.into())
}

/// The strategy as it is kept, and warnings about it.
pub(crate) fn checked(
    keyspace: &str,
    given: &[(String, String)],
    site: &Site,
) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let mut options: BTreeMap<String, String> = given.iter().cloned().collect();
    let class = options
        .remove("class")
        .ok_or_else(|| config("Missing replication strategy class"))?;
    let class = if class.contains('.') {
        class
    } else {
        format!("{PACKAGE}{class}")
    };
    let mut kept = BTreeMap::from([("class".to_owned(), class.clone())]);
    let mut warnings = Vec::new();
    match class.strip_prefix(PACKAGE) {
        Some("SimpleStrategy") => {
            refuse_unknown(keyspace, "SimpleStrategy", &options, &["replication_factor"])?;
            let factor = options
                .remove("replication_factor")
                .unwrap_or_else(|| site.default_factor.to_string());
            if replicas(&factor)? > 1 {
                warnings.push(format!(
                    "Your replication factor {factor} for keyspace {keyspace} is higher than the number of nodes 1"
                ));
            }
            kept.insert("replication_factor".to_owned(), factor);
        }
        Some("NetworkTopologyStrategy") => {
            refuse_unknown(
                keyspace,
                "NetworkTopologyStrategy",
                &options,
                &["replication_factor", &site.data_center],
            )?;
            let general = options.remove("replication_factor");
            let factor = options.remove(&site.data_center).or(general);
            let factor = factor.unwrap_or_else(|| site.default_factor.to_string());
            if replicas(&factor)? > 1 {
                warnings.push(format!(
                    "Your replication factor {factor} for keyspace {keyspace} is higher than the number of nodes 1 \
                     for datacenter {}",
                    site.data_center
                ));
            }
            kept.insert(site.data_center.clone(), factor);
        }
        Some("LocalStrategy") => {
            return Err(CqlError::invalid(
                "Unable to use given strategy class: LocalStrategy is reserved for internal use.",
            ));
        }
        _ => {
            return Err(config(format!(
                "Unable to find replication strategy class '{class}'"
            )));
        }
    }
    Ok((kept, warnings))
}

/// How many replicas a strategy that was checked keeps of each row.
pub(crate) fn factor(replication: &BTreeMap<String, String>) -> i32 {
    // Of a keyspace there is one factor: in general, or for the only datacenter.
    let mut factors = replication.iter().filter(|(name, _)| *name != "class");
    factors.find_map(|(_, factor)| factor.parse().ok()).unwrap_or(1)
}

fn refuse_unknown(
    keyspace: &str,
    class: &str,
    options: &BTreeMap<String, String>,
    known: &[&str],
) -> Result<()> {
    match options.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(config(format!(
            "Unrecognized strategy option {{{unknown}}} passed to {class} for keyspace {keyspace}"
        ))),
        None => Ok(()),
    }
}

fn replicas(factor: &str) -> Result<i32> {
    if factor.contains('/') {
        return Err(config("Transient replication is not enabled on this node"));
    }
    let replicas: i32 = factor
        .parse()
        .map_err(|_| config(format!("For input string: \"{factor}\"")))?;
    if replicas < 0 {
        return Err(config(format!(
            "Replication factor must be non-negative, found {replicas}"
        )));
    }
    Ok(replicas)
}
