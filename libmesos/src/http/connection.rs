use super::{Framing, Head, HttpError};
use crate::master::Address;
use bytes::BytesMut;
use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs},
    time::Duration,
};

/// How long a server may take to accept a connection, or to take what is written.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// What is asked; every call of Mesos is a POST.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

/// One connection, which carries one request after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    received: BytesMut,
}

/// Ends a connection from another thread: who waits for its bytes sees it closed.
#[derive(Debug)]
pub(crate) struct Cutter(TcpStream);

impl Cutter {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Cutter(stream)
    }

    pub(crate) fn cut(&self) {
        // It may have ended by itself.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Connection {
    pub(crate) fn open(address: &Address) -> io::Result<Self> {
        let mut failed = io::Error::new(ErrorKind::NotFound, format!("{address} has no address"));
        for socket in (address.host.as_str(), address.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&socket, PATIENCE) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    return Ok(Connection {
                        stream,
                        host: address.to_string(),
                        received: BytesMut::new(),
                    });
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// How long the next bytes may take, if there is an end to it.
    pub(crate) fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        self.stream.set_read_timeout(patience)
    }

    pub(crate) fn cutter(&self) -> io::Result<Cutter> {
        self.stream.try_clone().map(Cutter)
    }

    /// Whether nothing came since the last answer, the end of the connection included.
    pub(crate) fn is_quiet(&self) -> bool {
        let peeked = self
            .stream
            .set_nonblocking(true)
            .and_then(|()| self.stream.peek(&mut [0]));
        let quiet = matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && quiet && self.received.is_empty()
    }

    /// Sends a request, and answers the head of what comes back; its body is to be read before the next.
    pub(crate) fn ask(&mut self, request: &Request<'_>) -> Result<(Head, Framing), HttpError> {
        let mut head = format!("POST {} HTTP/1.1\r\nHost: {}\r\n", request.path, self.host);
        for (name, value) in request.headers {
            // Writing to a string does not fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", request.body.len());
        let mut whole = head.into_bytes();
        whole.extend_from_slice(request.body);
        self.stream.write_all(&whole)?;
        loop {
            if let Some((head, taken)) = Head::parse(&self.received)? {
                let _ = self.received.split_to(taken);
                if head.status == 100 {
                    continue;
                }
                let framing = head.framing()?;
                return Ok((head, framing));
            }
            if !self.receive()? {
                return Err(HttpError::Closed);
            }
        }
    }

    /// Waits for more of a body, and puts it at the end of `content`. Answers whether more may come.
    pub(crate) fn more(&mut self, framing: &mut Framing, content: &mut Vec<u8>) -> Result<bool, HttpError> {
        let before = content.len();
        loop {
            framing.take(&mut self.received, content)?;
            if framing.ended() {
                return Ok(false);
            }
            if content.len() > before {
                return Ok(true);
            }
            if !self.receive()? {
                return match framing.may_end_here() {
                    true => Ok(false),
                    false => Err(HttpError::Closed),
                };
            }
        }
    }

    /// Reads some bytes; none at the end of the connection.
    fn receive(&mut self) -> io::Result<bool> {
        let mut bytes = vec![0; READ_BYTES];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Ok(false),
                Ok(read) => {
                    self.received.extend_from_slice(&bytes[..read]);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(io::Error::new(ErrorKind::TimedOut, "nothing came in time"));
                }
                Err(error) => return Err(error),
            }
        }
    }
}
