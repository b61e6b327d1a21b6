//! Where connections come in.

use crate::stream::{Stream, TlsAcceptor, read_proxy_header};
use parking_lot::Mutex;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream, lookup_host},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 4096;
/// Pause after a failed accept: the cause, such as too many open files, seldom ends at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the operating system is asked for beside an address; what it does by itself where absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SocketOptions {
    /// Connections that wait to be accepted.
    pub backlog: Option<u32>,
    /// What a connection may have sent before it is read.
    pub receive_buffer_bytes: Option<u32>,
    /// What a connection may have been sent before its peer takes it.
    pub send_buffer_bytes: Option<u32>,
}

/// A bound listener.
pub struct Listener {
    address: SocketAddr,
    /// None once it is closed: who still knows the listener keeps its port from nobody.
    socket: Mutex<Option<Arc<TcpListener>>>,
    proxy_protocol: bool,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Listens on `address` (`host:port`, `[v6]:port`; port 0 takes a free one), at once after a restart, too. With
    /// `proxy_protocol` each connection starts with a header that says who the client is.
    pub async fn bind(address: &str, proxy_protocol: bool, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        Self::bind_with(address, proxy_protocol, tls, SocketOptions::default()).await
    }

    /// [`Listener::bind`] with what `options` ask for.
    pub async fn bind_with(
        address: &str,
        proxy_protocol: bool,
        tls: Option<TlsAcceptor>,
        options: SocketOptions,
    ) -> io::Result<Self> {
        let socket = listen(address, options).await?;
        Ok(Listener {
            address: socket.local_addr()?,
            socket: Mutex::new(Some(Arc::new(socket))),
            proxy_protocol,
            tls,
        })
    }

    /// Another listener at the same place, for who takes it over. It stays open where this one is closed.
    pub fn taken_over(&self, proxy_protocol: bool, tls: Option<TlsAcceptor>) -> Self {
        Listener {
            address: self.address,
            socket: Mutex::new(self.socket()),
            proxy_protocol,
            tls,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets go of the port.
    pub fn close(&self) {
        self.socket.lock().take();
    }

    fn socket(&self) -> Option<Arc<TcpListener>> {
        self.socket.lock().clone()
    }

    /// The next connection; none after `stop` or once it is closed.
    pub async fn accept(&self, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
        let listening = self.socket()?;
        loop {
            match stop.run_until_cancelled(listening.accept()).await? {
                Ok(accepted) => return Some(accepted),
                Err(error) => {
                    tracing::warn!(listener = %self.address, %error, "accept failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// What comes before the first request: who the client is behind a proxy, and TLS. Boxed where it needs much, since
    /// what an idle connection holds is multiplied by ten thousand.
    pub async fn prepare(
        &self,
        mut socket: TcpStream,
        mut peer: SocketAddr,
    ) -> io::Result<(Stream, SocketAddr)> {
        if self.proxy_protocol {
            peer = Box::pin(read_proxy_header(&mut socket)).await?.unwrap_or(peer);
        }
        let stream = match &self.tls {
            Some(tls) => Box::pin(tls.accept(socket)).await?,
            None => Stream::plain(socket)?,
        };
        Ok((stream, peer))
    }
}

/// Listens on the first address of `address` that can be.
pub(crate) async fn listen(address: &str, options: SocketOptions) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for candidate in lookup_host(address).await? {
        match listen_on(candidate, options) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen_on(address: SocketAddr, options: SocketOptions) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        TcpSocket::new_v6()?
    } else {
        TcpSocket::new_v4()?
    };
    socket.set_reuseaddr(true)?;
    // Connections have what their listener has.
    if let Some(bytes) = options.receive_buffer_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(bytes) = options.send_buffer_bytes {
        socket.set_send_buffer_size(bytes)?;
    }
    socket.bind(address)?;
    socket.listen(options.backlog.unwrap_or(BACKLOG))
}

#[cfg(test)]
mod tests;
