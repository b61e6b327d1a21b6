//! Who may still come in, by limits that change while the broker runs.

use crate::{
    config::{BrokerConfig, Limits, broker::Source},
    listeners::Listeners,
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
    /// Their names, by their places.
    names: Vec<Arc<str>>,
    /// The listener that stays open when the others are full. As with the original, there is none where it is the only one.
    spared: Option<usize>,
    paces: Mutex<Paces>,
}

/// Who came in this second: by any listener, and by each.
#[derive(Debug)]
struct Paces {
    all: Pace,
    of: Vec<Pace>,
}

impl Entrance {
    /// A way in by the listeners called `names`, of which `spared` stays open when the others are full.
    pub(crate) fn new(
        limits: Limits,
        config: Arc<ArcSwap<BrokerConfig>>,
        listeners: Arc<Listeners>,
        names: Vec<Arc<str>>,
        spared: &str,
    ) -> Self {
        let spared = names.iter().position(|name| **name == *spared);
        let paces = Paces {
            all: Pace::default(),
            of: names.iter().map(|_| Pace::default()).collect(),
        };
        let patience = Patience {
            idle_max: limits.connections_idle_max,
            write_stall_max: limits.write_stall_max,
        };
        Entrance {
            connections: Connections::new(patience),
            limits,
            config,
            listeners,
            spared: spared.filter(|_| names.len() > 1),
            names,
            paces: Mutex::new(paces),
        }
    }

    /// How long the next connection by `listener` has to wait before it asks again; not at all where it is its turn.
    pub(crate) fn wait(&self, listener: usize, now: Duration) -> Duration {
        let (config, mut paces) = (self.config.load(), self.paces.lock());
        let Paces { all, of } = &mut *paces;
        let mut turns = Vec::with_capacity(2);
        if self.spared != Some(listener) {
            turns.push((all, config.get(RATE_MAX, u64::MAX)));
        }
        if let (Some(own), Some(name)) = (of.get_mut(listener), self.names.get(listener)) {
            turns.push((own, config.of_listener(name, RATE_MAX, u64::MAX)));
        }
        let waits = turns.iter_mut().map(|(pace, rate)| pace.left(now, *rate));
        let wait = waits.max().unwrap_or_default();
        if wait.is_zero() {
            turns.iter_mut().for_each(|(pace, _)| pace.taken += 1);
        }
        wait
    }

    /// A seat for a connection from `ip` by `listener`.
    pub(crate) fn enter(&self, listener: usize, ip: IpAddr) -> Result<Place, NoSeat> {
        self.connections.enter(ip, self.door(listener, ip))
    }

    /// Has connections go while there are more than `max.connections`, which may have been lowered. Never ends.
    pub(crate) async fn shrink(&self) {
        loop {
            self.connections.shrink(self.connections_max(), self.spared);
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

    fn door(&self, listener: usize, ip: IpAddr) -> Door {
        let config = self.config.load();
        let from_ip_max = self.changed("max.connections.per.ip");
        let name = self.names.get(listener).map_or("", |name| name);
        let connections_max = self.connections_max();
        Door {
            listener,
            connections_max,
            of_listener_max: config.of_listener(name, CONNECTIONS_MAX, connections_max),
            from_ip_max: self
                .listeners
                .override_of(&config, ip)
                .or(from_ip_max)
                .unwrap_or(self.limits.connections_per_ip_max),
            is_protected: self.spared == Some(listener),
        }
    }
}

/// Spreads new connections over time: so many of them in any one second.
#[derive(Debug, Default)]
struct Pace {
    second: u64,
    taken: u64,
}

impl Pace {
    /// How long it takes until somebody may come in, where `rate` may in a second.
    fn left(&mut self, now: Duration, rate: u64) -> Duration {
        if self.second != now.as_secs() {
            (self.second, self.taken) = (now.as_secs(), 0);
        }
        match self.taken < rate {
            true => Duration::ZERO,
            false => Duration::from_secs(self.second + 1).saturating_sub(now),
        }
    }
}

#[cfg(test)]
mod tests;
