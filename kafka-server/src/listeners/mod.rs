//! The listeners of a broker, which may change while it runs.
//!
//! Knows: which are bound, what their clients are told, their certificates, hosts that limits name. Never: who is connected.

mod hosts;
mod open;
mod secured;
mod way;

pub(crate) use open::Open;
pub(crate) use way::{Pace, Way};

use crate::{
    config::{
        self, BrokerConfig, Config,
        alter::AlterFault,
        limits::OVERRIDES,
        listeners::{LISTENERS, PROTOCOLS, check, wanted},
    },
    server::StartError,
};
use hosts::Hosts;
use parking_lot::RwLock;
use secured::Secured;
use server_kit::TlsAcceptor;
use std::{
    collections::HashMap,
    io::ErrorKind,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::watch;

/// Listeners that are open together, in the order in which they were asked for.
type Set = Arc<[Arc<Open>]>;

/// The listeners of a broker.
pub(crate) struct Listeners {
    /// Those it was started with.
    started: Vec<config::Listener>,
    /// The one by which brokers would find each other.
    inter_broker: String,
    open: watch::Sender<Set>,
    /// What clients of each listener are told, of one that closed, too: its last connections are still answered.
    told: RwLock<HashMap<Arc<str>, (String, u16)>>,
    /// How many there ever were.
    count: AtomicUsize,
    hosts: Hosts,
}

/// What a change of settings makes of the listeners: read and bound, and not in use yet.
#[derive(Default)]
pub(crate) struct Change {
    renewals: Vec<(Arc<Secured>, TlsAcceptor)>,
    open: Option<Set>,
}

impl Listeners {
    /// Opens the listeners of `config`, or those that were set while the broker ran before. What was set and cannot be
    /// used any more keeps none from starting.
    pub(crate) async fn start(config: &Config, dynamic: &BrokerConfig) -> Result<Self, StartError> {
        let mut started = config.listeners.clone();
        for listener in &mut started {
            listener.name = listener.name.to_uppercase();
        }
        let listeners = Listeners {
            started,
            inter_broker: config.inter_broker_listener(),
            open: watch::Sender::new(Arc::from([])),
            told: RwLock::default(),
            count: AtomicUsize::new(0),
            hosts: Hosts::default(),
        };
        let started = &listeners.started;
        let wanted = wanted(started, started, dynamic).unwrap_or_else(|why| {
            tracing::warn!(%why, "the listeners that were set are not used");
            started.clone()
        });
        let open = match listeners.bind_what_can_be(wanted.clone(), dynamic).await {
            // One that was set may be where another one has to go back to.
            Err(why) if wanted != *started => {
                tracing::warn!(%why, "the listeners that were set are not used");
                listeners.bind_what_can_be(started.clone(), dynamic).await?
            }
            found => found?,
        };
        listeners.replace(open.into());
        listeners.hosts.look_up(dynamic).await;
        Ok(listeners)
    }

    /// Opens what is `wanted`. One that was set and cannot be opened is where it was started with, if it was.
    async fn bind_what_can_be(
        &self,
        wanted: Vec<config::Listener>,
        dynamic: &BrokerConfig,
    ) -> Result<Vec<Arc<Open>>, StartError> {
        let mut open = Vec::new();
        for asked in wanted {
            let known = self.started.iter().find(|known| known.name == asked.name);
            match (self.bind(asked.clone(), dynamic, &[]).await, known) {
                (Ok(one), _) => open.push(Arc::new(one)),
                (Err(why), Some(known)) if *known == asked => return Err(why),
                (Err(why), known) => {
                    tracing::warn!(listener = asked.name, %why, "what was set is not used");
                    if let Some(known) = known {
                        open.push(Arc::new(self.bind(known.clone(), dynamic, &[]).await?));
                    }
                }
            }
        }
        Ok(open)
    }

    /// Has `open` in place of those that are open now.
    fn replace(&self, open: Set) {
        let told = open
            .iter()
            .map(|one| (one.way.name.clone(), one.advertised.clone()));
        self.told.write().extend(told);
        self.open.send_replace(open);
    }

    /// Opens a listener that there was not before.
    async fn bind(
        &self,
        asked: config::Listener,
        config: &BrokerConfig,
        leaving: &[Arc<Open>],
    ) -> Result<Open, StartError> {
        let is_started = self.started.iter().any(|known| known.name == asked.name);
        let way = Way::new(self.count.fetch_add(1, Ordering::Relaxed), &asked.name);
        Open::new(asked, way, is_started, config, leaving).await
    }

    /// Those that are open now.
    pub(crate) fn open(&self) -> Set {
        self.open.borrow().clone()
    }

    /// Tells each change of those that are open.
    pub(crate) fn changes(&self) -> watch::Receiver<Set> {
        self.open.subscribe()
    }

    /// The address that clients of the listener `name` are told: `(host, port)`.
    pub(crate) fn address(&self, name: &str) -> (String, u16) {
        self.told.read().get(name).cloned().unwrap_or_default()
    }

    /// The listener that stays open when the others are full. As with the original, none where it is the only one.
    pub(crate) fn spared(&self) -> Option<usize> {
        let open = self.open.borrow();
        let found = open.iter().find(|one| *one.way.name == *self.inter_broker)?;
        (open.len() > 1).then_some(found.way.number)
    }

    /// How many connections may come from `ip`, where `config` has a limit for it alone.
    pub(crate) fn override_of(&self, config: &BrokerConfig, ip: IpAddr) -> Option<usize> {
        self.hosts.override_of(config, ip)
    }

    /// Reads the certificates and binds the listeners that `next` names in place of `now`. With `only_check` nothing
    /// is bound.
    pub(crate) async fn prepare(
        &self,
        now: &BrokerConfig,
        next: &BrokerConfig,
        only_check: bool,
    ) -> Result<Change, AlterFault> {
        let open = self.open();
        let wanted = match [LISTENERS, PROTOCOLS]
            .iter()
            .any(|key| now.value(key) != next.value(key))
        {
            true => Some(self.wanted(&open, now, next)?),
            false => None,
        };
        let mut renewals = Vec::new();
        let stays = |one: &Arc<Open>| {
            let name = &one.asked.name;
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|asked| asked.name == *name))
        };
        for secured in open
            .iter()
            .filter(|one| stays(one))
            .filter_map(|one| one.secured.as_ref())
        {
            let read = secured.read(now, next)?;
            renewals.extend(read.map(|acceptor| (secured.clone(), acceptor)));
        }
        let open = match wanted {
            Some(wanted) if !only_check => Some(self.bind_all(&open, wanted, next).await?),
            _ => None,
        };
        Ok(Change { renewals, open })
    }

    fn wanted(
        &self,
        open: &[Arc<Open>],
        now: &BrokerConfig,
        next: &BrokerConfig,
    ) -> Result<Vec<config::Listener>, AlterFault> {
        let asked: Vec<_> = open.iter().map(|one| one.asked.clone()).collect();
        let wanted = wanted(&self.started, &asked, next)?;
        check(&asked, &wanted, &self.inter_broker, (now, next))?;
        Ok(wanted)
    }

    async fn bind_all(
        &self,
        now: &[Arc<Open>],
        wanted: Vec<config::Listener>,
        config: &BrokerConfig,
    ) -> Result<Set, AlterFault> {
        let same =
            |one: &Open, asked: &config::Listener| one.asked.name == asked.name && one.is_at(&asked.bind);
        let is_kept = |one: &Arc<Open>| wanted.iter().any(|asked| same(one, asked));
        let leaving: Vec<_> = now.iter().filter(|one| !is_kept(one)).cloned().collect();
        let mut open = Vec::with_capacity(wanted.len());
        for asked in wanted {
            let known = now.iter().find(|one| one.asked.name == asked.name);
            let bound = match known {
                Some(known) if known.is_at(&asked.bind) => {
                    open.push(known.clone());
                    continue;
                }
                Some(known) => known.moved(asked, config, &leaving).await,
                None => self.bind(asked, config, &leaving).await,
            };
            open.push(Arc::new(bound.map_err(|why| cannot_open(&why))?));
        }
        Ok(open.into())
    }

    /// Has new connections come in as `change` says, and looks up the hosts that `config` names anew.
    pub(crate) async fn make(&self, change: Change, before: &BrokerConfig, config: &BrokerConfig) {
        for (secured, acceptor) in change.renewals {
            secured.acceptor.renew(&acceptor);
        }
        if let Some(open) = change.open {
            self.replace(open);
        }
        if before.value(OVERRIDES) != config.value(OVERRIDES) {
            self.hosts.look_up(config).await;
        }
    }
}

/// Why a listener cannot be opened while the broker runs. The original says so in its log only.
fn cannot_open(why: &StartError) -> AlterFault {
    match why {
        StartError::Bind { address, source } => {
            let why = match source.kind() {
                ErrorKind::AddrInUse => "Address already in use".to_owned(),
                _ => source.to_string(),
            };
            AlterFault::Request(format!("Socket server failed to bind to {address}: {why}."))
        }
        other => AlterFault::Request(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
