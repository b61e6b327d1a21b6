//! The hosts that limits by address name, as they were when the limits were set.

use crate::config::{
    BrokerConfig,
    limits::{OVERRIDES, overrides},
};
use parking_lot::RwLock;
use std::{collections::HashMap, net::IpAddr, time::Duration};
use tokio::{net::lookup_host, task::JoinSet, time::timeout};

/// How long the address of a host may take to be found.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// The address of each host.
#[derive(Default)]
pub(super) struct Hosts(RwLock<HashMap<String, IpAddr>>);

impl Hosts {
    /// Asks for the hosts that `config` names.
    pub(super) async fn look_up(&self, config: &BrokerConfig) {
        let mut asked = JoinSet::new();
        for (host, _) in overrides(config) {
            let host = host.to_owned();
            asked.spawn(async move {
                let found = timeout(LOOK_UP_MAX, address_of(&host)).await;
                (host, found.ok().flatten())
            });
        }
        let before = self.0.read().clone();
        let mut hosts = HashMap::new();
        while let Some(Ok((host, found))) = asked.join_next().await {
            // Who cannot be asked now keeps the address it had.
            match found.or_else(|| before.get(&host).copied()) {
                Some(address) => _ = hosts.insert(host, address),
                None => tracing::warn!(host, "nobody knows the address of a host in {OVERRIDES}"),
            }
        }
        *self.0.write() = hosts;
    }

    /// How many connections may come from `ip`, where `config` has a limit for it alone.
    pub(super) fn override_of(&self, config: &BrokerConfig, ip: IpAddr) -> Option<usize> {
        let (hosts, ip) = (self.0.read(), ip.to_canonical());
        let (_, most) = overrides(config).find(|(host, _)| hosts.get(*host) == Some(&ip))?;
        // A number below zero lets nobody in, as with the original.
        Some(usize::try_from(most).unwrap_or(0))
    }
}

/// An address as it is written, or the first one of a name; as with Java, IPv4 goes first.
async fn address_of(host: &str) -> Option<IpAddr> {
    if let Ok(written) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some(written.to_canonical());
    }
    let found: Vec<IpAddr> = lookup_host((host, 0))
        .await
        .ok()?
        .map(|found| found.ip())
        .collect();
    found.iter().find(|ip| ip.is_ipv4()).or(found.first()).copied()
}
