use crate::core::generator::Hosts;
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    time::Duration,
};
use tokio::{net::lookup_host, task::JoinSet, time::timeout};

/// Hosts that are remembered, and that are looked up at the same time: frameworks may have any name for theirs.
const HOSTS_MAX: usize = 10_000;
const LOOKUPS_MAX: usize = 8;
/// How long one may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// After which time a host is looked up again, when something else happened.
const STALE: Duration = Duration::from_secs(60);
/// Characters of a host's name at the most.
const NAME_CHARS_MAX: usize = 253;

/// Where hosts are.
#[derive(Default)]
pub(super) struct Lookups {
    found: HashMap<String, (Vec<IpAddr>, Duration)>,
    waiting: Vec<String>,
    asked: HashSet<String>,
    under_way: JoinSet<(String, Vec<IpAddr>)>,
    now: Duration,
}

impl Lookups {
    /// Wants to know where hosts are that have no address for a name.
    pub(super) fn look_up<'h>(&mut self, hosts: impl Iterator<Item = &'h str>, now: Duration) {
        self.now = now;
        for host in hosts {
            let is_name = host.len() <= NAME_CHARS_MAX && !host.is_empty() && host.parse::<IpAddr>().is_err();
            let fresh = self.found.get(host).is_some_and(|(_, at)| now < *at + STALE);
            if is_name && !fresh && self.asked.len() < HOSTS_MAX && self.asked.insert(host.to_owned()) {
                self.waiting.push(host.to_owned());
            }
        }
        self.begin();
    }

    fn begin(&mut self) {
        while self.under_way.len() < LOOKUPS_MAX
            && let Some(host) = self.waiting.pop()
        {
            self.under_way.spawn(async move {
                let addresses = match timeout(TIME_MAX, lookup_host((host.as_str(), 0))).await {
                    Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
                    // A host without an address has no records.
                    _ => Vec::new(),
                };
                (host, addresses)
            });
        }
    }

    /// Waits for the next host that is found elsewhere than before.
    pub(super) async fn next(&mut self) -> bool {
        let Some(looked_up) = self.under_way.join_next().await else {
            return std::future::pending().await;
        };
        let Ok((host, addresses)) = looked_up else {
            return false;
        };
        self.asked.remove(&host);
        if self.found.len() >= HOSTS_MAX {
            self.found.clear();
        }
        let before = self.found.insert(host, (addresses.clone(), self.now));
        self.begin();
        before.map(|(addresses, _)| addresses).unwrap_or_default() != addresses
    }

    /// Where they are, as far as is known.
    pub(super) fn found(&self) -> Hosts {
        let found = self.found.iter();
        found
            .map(|(host, (addresses, _))| (host.clone(), addresses.clone()))
            .collect()
    }
}
