use super::SessionError;
use bytes::{Bytes, BytesMut};
use mesos_proto::{
    masters::{Address, Ensemble},
    zookeeper::{self as wire, AUTH_XID, Answer, PING_XID, Session, WATCH_XID},
};
use server_kit::Clock;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// What the original asks of ZooKeeper for a session.
const SESSION_MS: u32 = 10_000;
/// How long a server may take to accept a connection and to grant a session on it.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Before servers that did not answer are asked again.
const RETRY: Duration = Duration::from_millis(200);

/// A question and who waits for its answer.
pub(super) struct Ask {
    pub(super) xid: i32,
    pub(super) question: Bytes,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// Holds a session: its connection, or the next one.
pub(super) struct Keeper {
    ensemble: Ensemble,
    clock: Arc<dyn Clock>,
    asked: mpsc::Receiver<Ask>,
    changed: watch::Sender<()>,
    connection: Connection,
    session: Session,
    /// Which server is asked next.
    turn: usize,
    /// The newest change that was heard of: no server that knows less is listened to.
    zxid: i64,
    /// When the session is over unless a server hears of it before.
    ends: watch::Sender<Duration>,
    waiting: HashMap<i32, oneshot::Sender<Answer>>,
}

struct Connection {
    socket: TcpStream,
    received: BytesMut,
}

impl Keeper {
    pub(super) async fn open(
        ensemble: Ensemble,
        clock: Arc<dyn Clock>,
        asked: mpsc::Receiver<Ask>,
        changed: watch::Sender<()>,
        ends: watch::Sender<Duration>,
    ) -> Result<Self, SessionError> {
        let wanted = Session {
            timeout_ms: SESSION_MS,
            ..Session::default()
        };
        let mut failed = SessionError::Silent;
        for (at, server) in ensemble.servers.iter().enumerate() {
            let heard = clock.elapsed();
            match connect(server, &ensemble, &wanted, 0).await {
                Ok((connection, session)) => {
                    let keeper = Keeper {
                        turn: at + 1,
                        ensemble,
                        clock,
                        asked,
                        changed,
                        connection,
                        session,
                        zxid: 0,
                        ends,
                        waiting: HashMap::new(),
                    };
                    keeper.heard(heard);
                    return Ok(keeper);
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Keeps the session until nobody has questions any more, or it is over.
    pub(super) async fn run(mut self) {
        loop {
            let Err(error) = self.talk().await else {
                let _ = timeout(CONNECT_MAX, self.connection.socket.write_all(&wire::close(0))).await;
                return;
            };
            tracing::info!(%error, "the connection to ZooKeeper is lost");
            // Whoever waits for an answer is told that there will be none.
            self.waiting.clear();
            if let Err(error) = self.resume().await {
                tracing::warn!(%error, "the session with ZooKeeper is lost");
                return;
            }
            // Watches stood on the connection before.
            self.changed.send_replace(());
        }
    }

    /// A server answered what left at this time: from then on, or later, servers count.
    fn heard(&self, at: Duration) {
        let lives = Duration::from_millis(u64::from(self.session.timeout_ms));
        self.ends.send_replace(at + lives);
    }

    /// How long the session lives yet if no server hears of it.
    fn left(&self) -> Duration {
        self.ends.borrow().saturating_sub(self.clock.elapsed())
    }

    /// Goes on with the session on another connection, while it lives.
    async fn resume(&mut self) -> Result<(), SessionError> {
        loop {
            let left = self.left();
            if left.is_zero() {
                return Err(SessionError::Over);
            }
            let server = self
                .ensemble
                .servers
                .get(self.turn % self.ensemble.servers.len().max(1));
            let server = server.ok_or(SessionError::Over)?;
            self.turn += 1;
            let heard = self.clock.elapsed();
            let connecting = connect(server, &self.ensemble, &self.session, self.zxid);
            match timeout(left, connecting).await {
                Ok(Ok((connection, session))) => {
                    self.connection = connection;
                    self.session = session;
                    self.heard(heard);
                    return Ok(());
                }
                Ok(Err(SessionError::Over)) => return Err(SessionError::Over),
                Ok(Err(error)) => tracing::debug!(%server, %error, "no ZooKeeper"),
                Err(_) => return Err(SessionError::Over),
            }
            sleep(RETRY.min(self.left())).await;
        }
    }

    /// Asks and hears until the connection breaks; ends well when nobody will ask any more.
    async fn talk(&mut self) -> Result<(), SessionError> {
        // One ping and its answer must fit twice into what is granted.
        let every = Duration::from_millis(u64::from(self.session.timeout_ms / 3).max(100));
        let mut pings = interval(every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.tick().await;
        let mut pinged = None;
        loop {
            while let Some(frame) = wire::cut(&mut self.connection.received)? {
                let answer = Answer::parse(frame)?;
                if answer.xid == PING_XID
                    && let Some(at) = pinged.take()
                {
                    self.heard(at);
                }
                self.hear(answer);
            }
            let Connection { socket, received } = &mut self.connection;
            let (mut reader, mut writer) = socket.split();
            tokio::select! {
                read = reader.read_buf(received) => if read? == 0 {
                    return Err(SessionError::Unanswered);
                },
                ask = self.asked.recv() => {
                    let Some(ask) = ask else { return Ok(()) };
                    self.waiting.insert(ask.xid, ask.answer);
                    timeout(every, writer.write_all(&ask.question)).await.map_err(|_| SessionError::Silent)??;
                }
                _ = pings.tick() => {
                    if pinged.is_some() {
                        return Err(SessionError::Silent);
                    }
                    pinged = Some(self.clock.elapsed());
                    timeout(every, writer.write_all(&wire::ping())).await.map_err(|_| SessionError::Silent)??;
                }
            }
        }
    }

    fn hear(&mut self, answer: Answer) {
        self.zxid = self.zxid.max(answer.zxid);
        if answer.xid == WATCH_XID {
            self.changed.send_replace(());
        } else if let Some(waits) = self.waiting.remove(&answer.xid) {
            // Who asked may have left.
            let _ = waits.send(answer);
        }
    }
}

/// Connects to a server, which grants the session that is wanted.
async fn connect(
    server: &Address,
    ensemble: &Ensemble,
    wanted: &Session,
    zxid: i64,
) -> Result<(Connection, Session), SessionError> {
    let connecting = async {
        let socket = TcpStream::connect((server.host.as_str(), server.port)).await?;
        socket.set_nodelay(true)?;
        let mut connection = Connection {
            socket,
            received: BytesMut::new(),
        };
        connection.socket.write_all(&wire::connect(wanted, zxid)).await?;
        let granted = wire::connected(connection.frame().await?)?.ok_or(SessionError::Over)?;
        if let Some(credentials) = &ensemble.credentials {
            connection.socket.write_all(&wire::auth(credentials)).await?;
            loop {
                let answer = Answer::parse(connection.frame().await?)?;
                match (answer.xid, answer.error) {
                    (AUTH_XID, 0) => break,
                    (AUTH_XID, error) => return Err(SessionError::Refused(error)),
                    _ => {}
                }
            }
        }
        Ok((connection, granted))
    };
    timeout(CONNECT_MAX, connecting)
        .await
        .map_err(|_| SessionError::Silent)?
}

impl Connection {
    async fn frame(&mut self) -> Result<Bytes, SessionError> {
        loop {
            if let Some(frame) = wire::cut(&mut self.received)? {
                return Ok(frame);
            }
            if self.socket.read_buf(&mut self.received).await? == 0 {
                return Err(SessionError::Unanswered);
            }
        }
    }
}
