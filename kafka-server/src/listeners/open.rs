//! One open listener.

use super::{Secured, Way};
use crate::{config, config::BrokerConfig, server::StartError};
use server_kit::{Listener, SocketOptions};
use std::sync::Arc;

/// A listener that is bound.
pub(crate) struct Open {
    /// As it was asked for.
    pub(crate) asked: config::Listener,
    pub(crate) way: Arc<Way>,
    /// What clients that come by it are told: `(host, port)`.
    pub(crate) advertised: (String, u16),
    pub(crate) listener: Listener,
    pub(super) secured: Option<Arc<Secured>>,
}

impl Open {
    /// Binds what is `asked` for, or takes it over from who is `leaving` it.
    async fn bind(
        asked: config::Listener,
        way: Arc<Way>,
        secured: Option<Arc<Secured>>,
        config: &BrokerConfig,
        leaving: &[Arc<Open>],
    ) -> Result<Self, StartError> {
        let tls = secured.as_ref().map(|secured| secured.acceptor.clone());
        let taken = leaving.iter().find(|one| one.is_at(&asked.bind));
        let listener = match taken.filter(|_| !asked.bind.ends_with(":0")) {
            Some(other) => other.listener.taken_over(asked.proxy_protocol, tls),
            None => Listener::bind_with(&asked.bind, asked.proxy_protocol, tls, socket_options(config))
                .await
                .map_err(|source| StartError::Bind {
                    address: asked.bind.clone(),
                    source,
                })?,
        };
        let address = listener.address();
        let advertised = match &asked.advertised {
            Some(told) => host_and_port(told, address.port())?,
            None if address.ip().is_unspecified() => (server_kit::host_name(), address.port()),
            None => (address.ip().to_string(), address.port()),
        };
        Ok(Open {
            asked,
            way,
            advertised,
            listener,
            secured,
        })
    }

    /// Reads the certificates of what is `asked` for, and binds it.
    pub(super) async fn new(
        asked: config::Listener,
        way: Arc<Way>,
        is_started: bool,
        config: &BrokerConfig,
        leaving: &[Arc<Open>],
    ) -> Result<Self, StartError> {
        let secured = Secured::open(&asked, is_started, config).map_err(|source| StartError::Tls {
            listener: asked.name.clone(),
            source,
        })?;
        Open::bind(asked, way, secured.map(Arc::new), config, leaving).await
    }

    /// The same listener at another address.
    pub(super) async fn moved(
        &self,
        asked: config::Listener,
        config: &BrokerConfig,
        leaving: &[Arc<Open>],
    ) -> Result<Self, StartError> {
        Open::bind(asked, self.way.clone(), self.secured.clone(), config, leaving).await
    }

    /// Whether this is where it is bound, as it was said or as it came about.
    pub(super) fn is_at(&self, bind: &str) -> bool {
        self.asked.bind == bind || self.listener.address().to_string() == bind
    }
}

/// What the operating system is asked for. Nothing where nobody set it: its own sizes grow with what they are used for.
fn socket_options(config: &BrokerConfig) -> SocketOptions {
    let set = |key: &str| {
        config
            .set(key)
            .next()
            .and_then(|(value, _)| value.trim().parse().ok())
    };
    SocketOptions {
        backlog: set("socket.listen.backlog.size"),
        receive_buffer_bytes: set("socket.receive.buffer.bytes"),
        send_buffer_bytes: set("socket.send.buffer.bytes"),
    }
}

/// An advertised address; port 0 is the bound one.
fn host_and_port(address: &str, bound: u16) -> Result<(String, u16), StartError> {
    let wrong = || StartError::Address(address.to_owned());
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = match port.parse().map_err(|_| wrong())? {
        0 => bound,
        port => port,
    };
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}
