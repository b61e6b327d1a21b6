//! Questions in, answers out.
//!
//! Rooms: `udp` and `tcp` (the sockets), `forward` (other name servers). Knows: what a transport carries, limits of peers.
//! Never: which names there are.

mod forward;
mod tcp;
mod udp;

pub(crate) use forward::Forward;
pub(crate) use tcp::serve as serve_tcp;
pub(crate) use udp::serve as serve_udp;

use crate::{
    config::{Config, Soa},
    core::{
        answer::{Outcome, answer},
        zone::Zone,
    },
    metrics::Metrics,
    wire::{self, Limits, Received},
};
use arc_swap::ArcSwap;
use server_kit::Random;
use std::sync::Arc;

/// Bytes of a message at the most: what its length over TCP can say.
const MESSAGE_BYTES_MAX: usize = 65535;
/// Bytes of the smallest record in an answer.
const RECORD_BYTES_MIN: usize = 16;

/// How a question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// What is done with a message.
pub(crate) enum Response {
    Answer(Vec<u8>),
    /// Other name servers are asked.
    Forward,
    Nothing,
}

/// Answers from the newest zone.
pub(crate) struct Responder {
    zone: ArcSwap<Zone>,
    soa: Soa,
    ttl: u32,
    recursive: bool,
    tells_cut: bool,
    forwards: bool,
    random: Arc<Random>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Responder {
    pub(crate) fn new(config: &Config, random: Arc<Random>, metrics: Arc<Metrics>) -> Self {
        Responder {
            zone: ArcSwap::from_pointee(Zone::empty(&config.domain)),
            soa: config.soa(),
            ttl: config.ttl,
            recursive: config.recurse_on,
            tells_cut: config.set_truncate_bit,
            forwards: config.external_on && !config.resolvers.is_empty(),
            random,
            metrics,
        }
    }

    /// From now on, answers are from this zone.
    pub(crate) fn publish(&self, zone: Zone) {
        self.zone.store(Arc::new(zone));
    }

    pub(crate) fn zone(&self) -> Arc<Zone> {
        self.zone.load_full()
    }

    /// What a message is answered with.
    pub(crate) fn respond(&self, bytes: &[u8], transport: Transport) -> Response {
        let asked = match wire::read(bytes) {
            Received::Asked(asked) => asked,
            Received::Wrong(answer) => {
                self.metrics.malformed.inc();
                return Response::Answer(answer);
            }
            Received::Nothing => {
                self.metrics.malformed.inc();
                return Response::Nothing;
            }
        };
        let zone = self.zone.load();
        if !zone.owns(&asked.name) {
            self.metrics.non_mesos_requests.inc();
            if self.forwards {
                return Response::Forward;
            }
            self.metrics.non_mesos_failed.inc();
            return Response::Answer(wire::refuse(&asked));
        }
        self.metrics.mesos_requests.inc();
        if zone.serial == 0 {
            // Nothing is known yet, which is not the same as that there is nothing.
            self.metrics.mesos_failed.inc();
            return Response::Answer(wire::fail(&asked));
        }
        let limits = Limits {
            bytes: match transport {
                Transport::Udp => asked.udp_bytes(),
                Transport::Tcp => MESSAGE_BYTES_MAX,
            },
            ttl: self.ttl,
            recursive: self.recursive,
            tells_cut: self.tells_cut,
            origin: &self.soa,
        };
        let most = limits.bytes / RECORD_BYTES_MIN;
        let below = |below| self.random.below(below);
        let answer = answer(&zone, &asked.name, asked.kind, most, &below);
        match answer.outcome {
            Outcome::Found => self.metrics.mesos_success.inc(),
            Outcome::NoData | Outcome::NoName => self.metrics.mesos_nxdomain.inc(),
        };
        Response::Answer(wire::reply(&asked, &zone, &answer, &limits))
    }

    /// What a question is answered with that other name servers did not answer.
    pub(crate) fn failed(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.metrics.non_mesos_failed.inc();
        match wire::read(bytes) {
            Received::Asked(asked) => Some(wire::fail(&asked)),
            _ => None,
        }
    }
}
