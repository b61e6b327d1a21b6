use std::{io, net::SocketAddr};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 4096;

/// Listens on `address` (`host:port`, `[v6]:port`; port 0 takes a free one), at once after a restart, too.
pub async fn listen(address: &str) -> io::Result<TcpListener> {
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
