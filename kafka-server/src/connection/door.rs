//! Who may still come in, by limits that change while the broker runs.

use crate::config::{BrokerConfig, Limits, broker::Source};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use server_kit::{Connections, Door, NoSeat, Patience, Place};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// The way in to a broker.
pub(crate) struct Entrance {
    pub(crate) connections: Arc<Connections>,
    /// What the broker was started with.
    limits: Limits,
    /// What was set since.
    config: Arc<ArcSwap<BrokerConfig>>,
    pace: Mutex<Pace>,
}

impl Entrance {
    pub(crate) fn new(limits: Limits, config: Arc<ArcSwap<BrokerConfig>>) -> Self {
        let patience = Patience {
            idle_max: limits.connections_idle_max,
            write_stall_max: limits.write_stall_max,
        };
        Entrance {
            connections: Connections::new(patience),
            limits,
            config,
            pace: Mutex::default(),
        }
    }

    /// How long the next connection has to wait before it asks again; not at all where it is its turn.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        self.pace.lock().wait(now, &self.config.load())
    }

    /// A seat for a connection from `ip`.
    pub(crate) fn enter(&self, ip: IpAddr) -> Result<Place, NoSeat> {
        let door = door(&self.limits, &self.config.load(), ip);
        self.connections.enter(ip, door)
    }
}

/// For a connection from `ip`: what was set since the start goes before what the broker was started with.
fn door(limits: &Limits, config: &BrokerConfig, ip: IpAddr) -> Door {
    let changed = |key: &str| -> Option<usize> {
        let mut set = config.set(key).filter(|(_, source)| *source != Source::Static);
        set.next()?.0.trim().parse().ok()
    };
    let from_ip_max = changed("max.connections.per.ip").unwrap_or(limits.connections_per_ip_max);
    Door {
        connections_max: changed("max.connections").unwrap_or(limits.connections_max),
        from_ip_max: override_of(config, ip).unwrap_or(from_ip_max),
    }
}

/// `max.connections.per.ip.overrides`: pairs of address and number. Names of hosts are not looked up.
fn override_of(config: &BrokerConfig, ip: IpAddr) -> Option<usize> {
    let (overrides, _) = config.value("max.connections.per.ip.overrides")?;
    overrides.split(',').find_map(|pair| {
        let (address, most) = pair.trim().rsplit_once(':')?;
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        (address == ip.to_canonical()).then(|| most.trim().parse().ok())?
    })
}

/// Spreads new connections over time: `max.connection.creation.rate` of them in any one second.
#[derive(Debug, Default)]
struct Pace {
    second: u64,
    taken: u64,
}

impl Pace {
    /// Takes a turn, which is there where the wait is none; otherwise asks again after it.
    fn wait(&mut self, now: Duration, config: &BrokerConfig) -> Duration {
        let rate: u64 = config.get("max.connection.creation.rate", u64::MAX);
        if self.second != now.as_secs() {
            (self.second, self.taken) = (now.as_secs(), 0);
        }
        if self.taken < rate {
            self.taken += 1;
            return Duration::ZERO;
        }
        Duration::from_secs(self.second + 1).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests;
