use crate::{
    http::Cutter,
    master::{Address, Ensemble},
};
use bytes::{Bytes, BytesMut};
use mesos_proto::zookeeper::{self as wire, Answer, Malformed, NO_NODE, WATCH_XID};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

/// What the original asks of ZooKeeper for a session.
const SESSION_MS: u32 = 10_000;
/// How long a server may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("ZooKeeper answers with error {0}")]
    Refused(i32),
    #[error("the session is over")]
    Over,
}

/// A session with one server, which is pinged while one waits.
pub(super) struct Session {
    stream: TcpStream,
    received: BytesMut,
    /// The number of the last question.
    xid: i32,
    /// Whether a ping is not yet answered.
    pinged: bool,
}

/// Connects to the first of a server's addresses that answers.
fn connect(server: &Address) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(ErrorKind::NotFound);
    for socket in (server.host.as_str(), server.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&socket, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

impl Session {
    pub(super) fn open(server: &Address, ensemble: &Ensemble) -> Result<Self, SessionError> {
        let stream = connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut session = Session {
            stream,
            received: BytesMut::new(),
            xid: 0,
            pinged: true,
        };
        let wanted = wire::Session {
            timeout_ms: SESSION_MS,
            ..wire::Session::default()
        };
        session.stream.write_all(&wire::connect(&wanted, 0))?;
        let granted = wire::connected(session.frame()?)?.ok_or(SessionError::Over)?;
        // One ping and its answer must fit twice into what is granted.
        let quiet = Duration::from_millis(u64::from(granted.timeout_ms) / 3).max(Duration::from_millis(100));
        session.stream.set_read_timeout(Some(quiet))?;
        session.pinged = false;
        if let Some(credentials) = &ensemble.credentials {
            session.stream.write_all(&wire::auth(credentials))?;
            session.answer_to(wire::AUTH_XID)?;
        }
        Ok(session)
    }

    pub(super) fn cutter(&self) -> io::Result<Cutter> {
        self.stream.try_clone().map(Cutter::new)
    }

    /// The names below a node, none where there is no such node; whether a change of them will be told.
    pub(super) fn children(&mut self, path: &str) -> Result<Option<Vec<String>>, SessionError> {
        self.xid += 1;
        self.stream.write_all(&wire::get_children(self.xid, path))?;
        match self.answer_to(self.xid) {
            Ok(answer) => Ok(Some(answer.children()?)),
            Err(SessionError::Refused(NO_NODE)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a node holds, if it is still there.
    pub(super) fn data(&mut self, path: &str) -> Result<Option<Bytes>, SessionError> {
        self.xid += 1;
        self.stream.write_all(&wire::get_data(self.xid, path))?;
        match self.answer_to(self.xid) {
            Ok(answer) => Ok(Some(answer.data()?)),
            Err(SessionError::Refused(NO_NODE)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until a watch fires.
    pub(super) fn changed(&mut self) -> Result<(), SessionError> {
        self.answer_to(WATCH_XID).map(drop)
    }

    /// Waits for one answer. A watch that fires in the meantime is not lost: what it tells of is asked for anew, or will be.
    fn answer_to(&mut self, xid: i32) -> Result<Answer, SessionError> {
        loop {
            let answer = Answer::parse(self.frame()?)?;
            self.pinged = false;
            match answer {
                answer if answer.xid != xid => {}
                answer if answer.error == 0 => return Ok(answer),
                answer => return Err(SessionError::Refused(answer.error)),
            }
        }
    }

    /// Waits for a frame; the server is pinged while it says nothing, and given up when it does not answer that.
    fn frame(&mut self) -> Result<Bytes, SessionError> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(frame) = wire::cut(&mut self.received)? {
                return Ok(frame);
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(SessionError::Over),
                Ok(read) => self.received.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && !self.pinged => {
                    self.pinged = true;
                    self.stream.write_all(&wire::ping())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
