//! Keeps the zone as the master tells: every change is heard, none is asked for.
//!
//! Rooms: `hosts` (where hosts are that have a name alone). Knows: the master's events, how often records are made.
//! Never: which records, or who asks for them.

mod hosts;

use crate::{
    core::{
        cluster::{Cluster, Meaning},
        generator::{Leader, Naming, generate},
    },
    serve::Responder,
};
use hosts::Lookups;
use mesos_client::{Master, OperatorEvent};
use mesos_proto::{
    masters::Address,
    v1::master::{Call, Event, call, event},
};
use server_kit::Clock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Events that are taken before records are made of them.
const EVENTS_MAX: usize = 4096;
/// Records are not made for more than a part of the time, nor later than this after what they tell.
const REST: u32 = 4;
const REST_MAX: Duration = Duration::from_millis(400);
/// How long the master may take to say who it is, or what runs.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Between two times that all is asked for.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What is known of the master, for who looks.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) hears: AtomicBool,
    pub(crate) tasks: AtomicUsize,
    pub(crate) agents: AtomicUsize,
}

/// Who follows what runs.
pub(crate) struct Follower {
    pub(crate) master: Master,
    pub(crate) naming: Arc<Naming>,
    pub(crate) responder: Arc<Responder>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) known: Arc<Known>,
    /// Told once there is a zone.
    pub(crate) ready: watch::Sender<bool>,
}

impl Follower {
    /// Follows until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let events = self.master.operator_events(stop.child_token());
            // It ends before the stop only where making records failed: nothing is known then.
            let following = Following {
                of: &self,
                events,
                cluster: Cluster::default(),
                leader: None,
                hosts: Lookups::default(),
                asks_at: None,
                asked: Duration::ZERO,
            };
            stop.run_until_cancelled(following.run()).await;
        }
    }
}

struct Following<'a> {
    of: &'a Follower,
    events: mpsc::Receiver<OperatorEvent>,
    cluster: Cluster,
    leader: Option<Leader>,
    hosts: Lookups,
    /// When all is asked for, since something was missed.
    asks_at: Option<Duration>,
    asked: Duration,
}

impl Following<'_> {
    async fn run(mut self) {
        let mut known = false;
        loop {
            let now = self.of.clock.elapsed();
            let asks_at = self.asks_at;
            let asks = async {
                match asks_at {
                    Some(at) => sleep(at.saturating_sub(now)).await,
                    None => std::future::pending().await,
                }
            };
            let mut changed = tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.hear(event, &mut known).await,
                    None => return,
                },
                found = self.hosts.next() => found,
                () = asks => self.ask_all().await,
            };
            for _ in 0..EVENTS_MAX {
                let Ok(event) = self.events.try_recv() else {
                    break;
                };
                changed |= self.hear(event, &mut known).await;
            }
            if known && changed {
                let Some(made) = self.make().await else {
                    return;
                };
                self = made;
            }
        }
    }

    /// Takes an event, and answers whether records may have changed.
    async fn hear(&mut self, told: OperatorEvent, known: &mut bool) -> bool {
        let event = match told {
            OperatorEvent::Up(event) => event,
            OperatorEvent::Down => {
                // What was known is told on: a master that is away ends no task.
                self.of.known.hears.store(false, Ordering::Relaxed);
                return false;
            }
        };
        if event.r#type() == event::Type::Subscribed {
            self.begin(&event).await;
            *known = true;
            return true;
        }
        match self.cluster.hear(&event) {
            Meaning::Nothing => false,
            Meaning::Changed => true,
            Meaning::Missed => {
                self.asks_at.get_or_insert(self.asked + ASK_AGAIN);
                false
            }
        }
    }

    /// Takes all that there is, which begins a stream, and asks who tells it.
    async fn begin(&mut self, event: &Event) {
        let state = event.subscribed.as_ref().and_then(|told| told.get_state.as_ref());
        self.cluster = state.map(Cluster::of).unwrap_or_default();
        self.asks_at = None;
        let master = &self.of.master;
        let asked = master.operator(Call {
            r#type: Some(call::Type::GetMaster as i32),
            ..Call::default()
        });
        let told = match timeout(ANSWER_MAX, asked).await {
            Ok(Ok(response)) => response.get_master.and_then(|told| told.master_info),
            Ok(Err(error)) => {
                tracing::info!(%error, "the master does not say who it is");
                None
            }
            Err(_) => None,
        };
        let address = told.as_ref().and_then(at_address).or_else(|| master.leader());
        self.leader = address.map(|address| (address.host, address.port));
        self.of.known.hears.store(true, Ordering::Relaxed);
    }

    /// Asks for all that there is, since something was missed.
    async fn ask_all(&mut self) -> bool {
        self.asks_at = None;
        self.asked = self.of.clock.elapsed();
        let asked = self.of.master.operator(Call {
            r#type: Some(call::Type::GetState as i32),
            ..Call::default()
        });
        match timeout(ANSWER_MAX, asked).await {
            Ok(Ok(response)) => {
                let state = response.get_state.unwrap_or_default();
                self.cluster = Cluster::of(&state);
                return true;
            }
            Ok(Err(error)) => tracing::info!(%error, "the master does not tell what runs"),
            Err(_) => tracing::info!("the master does not tell what runs in time"),
        }
        self.asks_at = Some(self.asked + ASK_AGAIN);
        false
    }

    /// Makes every record anew, off the network's threads, and rests in proportion.
    async fn make(mut self) -> Option<Self> {
        let clock = &self.of.clock;
        let began = clock.elapsed();
        self.hosts.look_up(self.cluster.hosts(), began);
        let masters = self.of.naming.masters.iter();
        let masters = masters.filter_map(|master| Some(master.rsplit_once(':')?.0));
        let leader = self.leader.iter().map(|(host, _)| host.as_str());
        self.hosts.look_up(masters.chain(leader), began);
        let known = &self.of.known;
        known.tasks.store(self.cluster.running(), Ordering::Relaxed);
        known.agents.store(self.cluster.agents.len(), Ordering::Relaxed);
        let (naming, leader, found) = (self.of.naming.clone(), self.leader.clone(), self.hosts.found());
        let cluster = std::mem::take(&mut self.cluster);
        let making = spawn_blocking(move || {
            let zone = generate(&naming, &cluster, leader.as_ref(), &found);
            (cluster, zone)
        });
        let (cluster, mut zone) = match making.await {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(%error, "the records could not be made");
                sleep(ASK_AGAIN).await;
                return None;
            }
        };
        self.cluster = cluster;
        let seconds = clock.now_ms() / 1000;
        let serial = u32::try_from(seconds).unwrap_or_default();
        zone.serial = serial.max(self.of.responder.zone().serial.wrapping_add(1)).max(1);
        self.of.responder.publish(zone);
        self.of.ready.send_replace(true);
        let took = clock.elapsed().saturating_sub(began);
        sleep((took * REST).min(REST_MAX)).await;
        Some(self)
    }
}

/// Where a master is, by its address before its name, as the original tells it.
fn at_address(info: &mesos_proto::v1::MasterInfo) -> Option<Address> {
    let ip = info.address.as_ref().and_then(|address| address.ip.clone());
    match ip {
        Some(host) if !host.is_empty() => Some(Address {
            host,
            port: u16::try_from(info.port).ok()?,
        }),
        _ => Address::of_master_info(info),
    }
}
