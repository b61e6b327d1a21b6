//! What of the listeners changes while the broker runs: their certificates, and the hosts that limits by address name.
//!
//! Knows: certificates as they were last read, hosts as they were last looked up. Never: sockets; who is connected.

use crate::config::{
    BrokerConfig,
    alter::AlterFault,
    limits::{OVERRIDES, overrides},
    tls,
};
use parking_lot::RwLock;
use server_kit::{TlsAcceptor, TlsOptions};
use std::{collections::HashMap, net::IpAddr, time::Duration};
use tokio::{net::lookup_host, task::JoinSet, time::timeout};

/// How long the address of a host may take to be found.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// A listener that speaks TLS.
pub(crate) struct Secured {
    pub(crate) name: String,
    /// What it was started with.
    pub(crate) started: TlsOptions,
    pub(crate) acceptor: TlsAcceptor,
}

/// The listeners of a broker, as far as they change.
#[derive(Default)]
pub(crate) struct Listeners {
    secured: Vec<Secured>,
    /// The address of each host that a limit names, as it was when the limit was set.
    hosts: RwLock<HashMap<String, IpAddr>>,
}

/// Certificates that were read, by the place of their listener.
pub(crate) type Renewal = Vec<(usize, TlsAcceptor)>;

impl Listeners {
    /// Listeners with what was set while the broker ran before. What cannot be used any more keeps none from starting.
    pub(crate) async fn start(mut secured: Vec<Secured>, config: &BrokerConfig) -> Self {
        for listener in &mut secured {
            let required = tls::client_required(&listener.started, &listener.name, config);
            listener.started.client_required = required;
            match read(&tls::renewed(&listener.started, &listener.name, config)) {
                Ok(acceptor) => listener.acceptor.renew(&acceptor),
                Err(why) => tracing::warn!(listener = listener.name, why, "what was set is not used"),
            }
        }
        let listeners = Listeners {
            secured,
            ..Listeners::default()
        };
        listeners.look_up(config).await;
        listeners
    }

    /// Reads the certificates that `next` names. Those that are named anew must be there and right. Those that were named
    /// before, in `now`, are read again too; where they were spoilt meanwhile, what was read before stays.
    pub(crate) fn read(&self, now: &BrokerConfig, next: &BrokerConfig) -> Result<Renewal, AlterFault> {
        let mut renewal = Renewal::new();
        for (at, Secured { name, started, .. }) in self.secured.iter().enumerate() {
            let options = tls::renewed(started, name, next);
            tls::check_formats(name, next).map_err(|why| AlterFault::of_tls(&why))?;
            match read(&options) {
                Ok(acceptor) => renewal.push((at, acceptor)),
                Err(why) if options == tls::renewed(started, name, now) => {
                    tracing::warn!(listener = name, why, "certificates not read again");
                }
                Err(why) => return Err(AlterFault::of_tls(&why)),
            }
        }
        Ok(renewal)
    }

    /// Has new connections see the certificates that were read, and looks up the hosts that `config` names anew.
    pub(crate) async fn renew(&self, renewal: Renewal, before: &BrokerConfig, config: &BrokerConfig) {
        for (at, acceptor) in renewal {
            self.secured[at].acceptor.renew(&acceptor);
        }
        if before.value(OVERRIDES) != config.value(OVERRIDES) {
            self.look_up(config).await;
        }
    }

    async fn look_up(&self, config: &BrokerConfig) {
        let mut asked = JoinSet::new();
        for (host, _) in overrides(config) {
            let host = host.to_owned();
            asked.spawn(async move {
                let found = timeout(LOOK_UP_MAX, address_of(&host)).await;
                (host, found.ok().flatten())
            });
        }
        let before = self.hosts.read().clone();
        let mut hosts = HashMap::new();
        while let Some(Ok((host, found))) = asked.join_next().await {
            // Who cannot be asked now keeps the address it had.
            match found.or_else(|| before.get(&host).copied()) {
                Some(address) => _ = hosts.insert(host, address),
                None => tracing::warn!(host, "nobody knows the address of a host in {OVERRIDES}"),
            }
        }
        *self.hosts.write() = hosts;
    }

    /// How many connections may come from `ip`, where `config` has a limit for it alone.
    pub(crate) fn override_of(&self, config: &BrokerConfig, ip: IpAddr) -> Option<usize> {
        let (hosts, ip) = (self.hosts.read(), ip.to_canonical());
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

/// Reads certificates; why they cannot be, in the words of Kafka.
fn read(options: &TlsOptions) -> Result<TlsAcceptor, String> {
    let unreadable = |store: &str| match store.contains("-----BEGIN") {
        true => "Invalid PEM keystore configs".to_owned(),
        false => format!("Failed to load PEM SSL keystore {store}"),
    };
    let without_clients = TlsOptions {
        client_ca: None,
        ..options.clone()
    };
    TlsAcceptor::new(&without_clients).map_err(|_| unreadable(&options.certificates))?;
    TlsAcceptor::new(options).map_err(|_| unreadable(options.client_ca.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
