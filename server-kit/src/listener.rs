//! Where connections come in.

use crate::stream::{Stream, TlsAcceptor, read_proxy_header};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream, lookup_host},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 4096;
/// Pause after a failed accept: the cause, such as too many open files, seldom ends at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener.
pub struct Listener {
    address: SocketAddr,
    socket: TcpListener,
    proxy_protocol: bool,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Listens on `address` (`host:port`, `[v6]:port`; port 0 takes a free one), at once after a restart, too. With
    /// `proxy_protocol` each connection starts with a header that says who the client is.
    pub async fn bind(address: &str, proxy_protocol: bool, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let socket = listen(address).await?;
        Ok(Listener {
            address: socket.local_addr()?,
            socket,
            proxy_protocol,
            tls,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection; none after `stop`.
    pub async fn accept(&self, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
        loop {
            match stop.run_until_cancelled(self.socket.accept()).await? {
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
pub(crate) async fn listen(address: &str) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for candidate in lookup_host(address).await? {
        match listen_on(candidate) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        TcpSocket::new_v6()?
    } else {
        TcpSocket::new_v4()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
