//! A client's connection as bytes: plain TCP, or TLS over it.
//!
//! Knows: sockets, TLS, sending files without copying them. Never: what the bytes mean.

mod identity;
mod proxy;
mod tls;

pub use identity::Identity;
#[cfg(feature = "internals")]
pub(crate) use proxy::parse as parse_proxy_header;
pub(crate) use proxy::read_proxy_header;
pub use tls::{TlsAcceptor, TlsError, TlsOptions};

use rustix::{
    fs::sendfile,
    net::{SendAncillaryBuffer, SendFlags, sendmsg, sockopt},
};
use std::{
    fs::File,
    io::{self, IoSlice},
    os::unix::fs::FileExt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, Interest, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

/// Bytes of a file that are read at once where the kernel cannot send them by itself.
const FILE_CHUNK_BYTES: usize = 64 << 10;

/// After how long without a packet a peer is asked whether it is there, how often, and how many times in vain. So long
/// may what was sent stay without an acknowledgement, too.
const PROBED_AFTER: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBES: u32 = 6;

/// How long a peer may take to be told goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// A client's connection.
#[derive(Debug)]
pub enum Stream {
    /// TCP as it is.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Prepares an accepted socket: answers leave at once, and a peer that vanished without a word is noticed soon.
    pub fn plain(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        sockopt::set_socket_keepalive(&socket, true)?;
        sockopt::set_tcp_keepidle(&socket, PROBED_AFTER)?;
        sockopt::set_tcp_keepintvl(&socket, PROBE_EVERY)?;
        sockopt::set_tcp_keepcnt(&socket, PROBES)?;
        let vanished_max = PROBED_AFTER + PROBE_EVERY * PROBES;
        let ms = u32::try_from(vanished_max.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(&socket, ms)?;
        Ok(Stream::Plain(socket))
    }

    /// Whether a read may find something. TLS cannot tell without reading.
    pub fn poll_readable(&self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(socket) => socket.poll_read_ready(task),
            Stream::Tls(_) => Poll::Ready(Ok(())),
        }
    }

    /// Writes some of `slices`. `more`: bytes of a file follow at once, so that they may share a packet.
    pub fn poll_write_slices(
        &mut self,
        task: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        more: bool,
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(socket) if more => poll_socket(socket, task, || {
                let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
                Ok(sendmsg(
                    &*socket,
                    slices,
                    &mut SendAncillaryBuffer::default(),
                    flags,
                )?)
            }),
            Stream::Plain(socket) => Pin::new(socket).poll_write_vectored(task, slices),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(task, slices),
        }
    }

    /// Sends some of the `bytes` of `file` from `position` on: by the kernel on plain TCP, through memory otherwise.
    pub fn poll_send_file(
        &mut self,
        task: &mut Context<'_>,
        file: &File,
        position: u64,
        bytes: usize,
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(socket) => poll_socket(socket, task, || {
                let mut position = position;
                Ok(sendfile(&*socket, file, Some(&mut position), bytes)?)
            }),
            Stream::Tls(stream) => {
                // What was taken before leaves first: read while there is no room, a chunk would be read again.
                ready!(Pin::new(stream.as_mut()).poll_flush(task))?;
                let mut chunk = vec![0; bytes.min(FILE_CHUNK_BYTES)];
                file.read_exact_at(&mut chunk, position)?;
                Pin::new(stream.as_mut()).poll_write(task, &chunk)
            }
        }
    }

    /// Closes it. Over TLS the peer is told so first, that it may know that nothing was cut off.
    pub async fn close(self) {
        if let Stream::Tls(mut stream) = self {
            let _ = timeout(GOODBYE_MAX, stream.shutdown()).await;
        }
    }

    /// Pushes out what TLS holds back.
    pub fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(_) => Poll::Ready(Ok(())),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(task),
        }
    }
}

/// Tries `send` whenever the socket can be written.
fn poll_socket(
    socket: &TcpStream,
    task: &mut Context<'_>,
    mut send: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_write_ready(task))?;
        match socket.try_io(Interest::WRITABLE, &mut send) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_read(task, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(task, buffer),
        }
    }
}

#[cfg(test)]
mod tests;
