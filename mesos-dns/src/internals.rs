//! A way in for fuzz targets and benchmarks.

use crate::{
    config::Config,
    core::{
        cluster::Cluster,
        generator::{Hosts, generate},
        zone::Zone,
    },
    metrics::Metrics,
    serve::{Responder, Response, Transport},
};
use mesos_proto::v1::master::response::GetState;
use prometheus_client::registry::Registry;
use server_kit::Random;
use std::sync::Arc;

/// A name server without sockets.
pub struct Names(Responder);

impl Names {
    /// One that knows what runs in this state.
    pub fn of(state: &GetState) -> Option<Self> {
        let config = Config::default();
        let naming = config.naming(Vec::new()).ok()?;
        let leader = ("127.0.0.1".to_owned(), 5050);
        let mut zone: Zone = generate(&naming, &Cluster::of(state), Some(&leader), &Hosts::default());
        zone.serial = 1;
        let metrics = Metrics::register(&mut Registry::default());
        let responder = Responder::new(&config, Arc::new(Random::from_seed(1)), metrics);
        responder.publish(zone);
        Some(Names(responder))
    }

    /// What a message is answered with, if it is.
    pub fn answer(&self, message: &[u8], over_tcp: bool) -> Option<Vec<u8>> {
        let transport = match over_tcp {
            true => Transport::Tcp,
            false => Transport::Udp,
        };
        match self.0.respond(message, transport) {
            Response::Answer(bytes) => Some(bytes),
            Response::Forward | Response::Nothing => None,
        }
    }
}
