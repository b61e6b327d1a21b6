//! Who may still come in, by limits that change while the broker runs.

use crate::{
    config::{BrokerConfig, Limits, broker::Source},
    listeners::{Listeners, Pace, Way},
};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use server_kit::{Connections, Door, NoSeat, Patience, Place};
use std::{net::IpAddr, sync::Arc, time::Duration};

const CONNECTIONS_MAX: &str = "max.connections";
const RATE_MAX: &str = "max.connection.creation.rate";
/// How often it is looked whether fewer connections are allowed than there are.
const SHRINK_INTERVAL: Duration = Duration::from_secs(1);

/// The way in to a broker.
pub(crate) struct Entrance {
    pub(crate) connections: Arc<Connections>,
    /// What the broker was started with.
    limits: Limits,
    /// What was set since.
    config: Arc<ArcSwap<BrokerConfig>>,
    listeners: Arc<Listeners>,
    /// Who came in this second, by whichever listener.
    pace: Mutex<Pace>,
}

impl Entrance {
    /// A way in by `listeners`.
    pub(crate) fn new(limits: Limits, config: Arc<ArcSwap<BrokerConfig>>, listeners: Arc<Listeners>) -> Self {
        let patience = Patience {
            idle_max: limits.connections_idle_max,
            write_stall_max: limits.write_stall_max,
        };
        Entrance {
            connections: Connections::new(patience),
            limits,
            config,
            listeners,
            pace: Mutex::default(),
        }
    }

    /// How long the next connection by `way` has to wait before it asks again; not at all where it is its turn.
    pub(crate) fn wait(&self, way: &Way, now: Duration) -> Duration {
        let config = self.config.load();
        let (mut all, mut own) = (self.pace.lock(), way.pace.lock());
        let mut turns = vec![(&mut *own, config.of_listener(&way.name, RATE_MAX, u64::MAX))];
        if !self.is_spared(way) {
            turns.push((&mut *all, config.get(RATE_MAX, u64::MAX)));
        }
        let waits = turns.iter_mut().map(|(pace, rate)| pace.left(now, *rate));
        let wait = waits.max().unwrap_or_default();
        if wait.is_zero() {
            turns.iter_mut().for_each(|(pace, _)| pace.take());
        }
        wait
    }

    /// A seat for a connection from `ip` by `way`.
    pub(crate) fn enter(&self, way: &Way, ip: IpAddr) -> Result<Place, NoSeat> {
        self.connections.enter(ip, self.door(way, ip))
    }

    fn is_spared(&self, way: &Way) -> bool {
        self.listeners.spared() == Some(way.number)
    }

    /// Has connections go while there are more than `max.connections`, which may have been lowered. Never ends.
    pub(crate) async fn shrink(&self) {
        loop {
            self.connections
                .shrink(self.connections_max(), self.listeners.spared());
            tokio::time::sleep(SHRINK_INTERVAL).await;
        }
    }

    fn connections_max(&self) -> usize {
        self.changed(CONNECTIONS_MAX)
            .unwrap_or(self.limits.connections_max)
    }

    /// What was set since the start: it goes before what the broker was started with.
    fn changed(&self, key: &str) -> Option<usize> {
        let config = self.config.load();
        let mut set = config.set(key).filter(|(_, source)| *source != Source::Static);
        set.next()?.0.trim().parse().ok()
    }

    fn door(&self, way: &Way, ip: IpAddr) -> Door {
        let config = self.config.load();
        let from_ip_max = self.changed("max.connections.per.ip");
        let connections_max = self.connections_max();
        Door {
            listener: way.number,
            connections_max,
            of_listener_max: config.of_listener(&way.name, CONNECTIONS_MAX, connections_max),
            from_ip_max: self
                .listeners
                .override_of(&config, ip)
                .or(from_ip_max)
                .unwrap_or(self.limits.connections_per_ip_max),
            is_protected: self.is_spared(way),
        }
    }
}

#[cfg(test)]
mod tests;
