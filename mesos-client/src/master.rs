use crate::{
    ClientError, OperatorEvent,
    http::{self, Ask, Connection},
    operator, zookeeper,
};
use bytes::Bytes;
use hyper::{Response, body::Incoming};
use mesos_proto::{
    masters::{Address, Location, NameError},
    v1,
};
use parking_lot::Mutex;
use prost::Message;
use server_kit::{Clock, Random};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Bytes of an answer at the most: the state of a large cluster.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// How often one is sent on from one master to the next.
const HOPS_MAX: usize = 4;
/// Connections that are kept for the next question, and for how long: less than what a server keeps them for.
const KEPT_MAX: usize = 4;
const KEPT_FOR: Duration = Duration::from_secs(4);

/// The master that leads.
#[derive(Clone)]
pub struct Master(Arc<Inner>);

struct Inner {
    place: Place,
    /// Who led when it was asked last, where the one that is named sent there.
    known: Mutex<Option<Address>>,
    kept: Mutex<Vec<(Connection, Duration)>>,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
}

/// How the one that leads is found.
enum Place {
    /// They are asked who leads, one after the other.
    Named(Vec<Address>, AtomicUsize),
    /// ZooKeeper tells, for as long as somebody wants to know.
    Led(
        watch::Receiver<Option<Address>>,
        #[allow(dead_code, reason = "ends it")] DropGuard,
    ),
}

impl Master {
    /// The master of this name: `host:port`, `http://host:port`, several of these with commas between them,
    /// `zk://host:port,.../path`, or `file://` with one of them in it. One that does not lead is asked who does. Called on a
    /// runtime, since ZooKeeper is listened to from now on.
    pub fn new(location: &str, clock: Arc<dyn Clock>, random: Arc<Random>) -> Result<Self, NameError> {
        let place = match location.contains("://") && !location.contains("http://") {
            true => Self::found(location, &clock)?,
            false => {
                let addresses = location.split(',').map(address).collect::<Result<_, _>>()?;
                Place::Named(addresses, AtomicUsize::new(0))
            }
        };
        Ok(Master(Arc::new(Inner {
            place,
            known: Mutex::new(None),
            kept: Mutex::new(Vec::new()),
            clock,
            random,
        })))
    }

    /// What is found by ZooKeeper, or by a file.
    fn found(location: &str, clock: &Arc<dyn Clock>) -> Result<Place, NameError> {
        Ok(match Location::parse(location)? {
            Location::At(address) => Place::Named(vec![address], AtomicUsize::new(0)),
            Location::ZooKeeper(ensemble) => {
                let stop = CancellationToken::new();
                let leader = zookeeper::follow(ensemble, clock.clone(), &TaskTracker::new(), stop.clone());
                Place::Led(leader, stop.drop_guard())
            }
        })
    }

    /// What a GET of this path answers, from the master that leads.
    pub async fn get(&self, path: &str) -> Result<Bytes, ClientError> {
        self.answer(&Ask::get(path)).await
    }

    /// What a call of the operator API answers. Calls that change something answer an empty response.
    pub async fn operator(&self, call: v1::master::Call) -> Result<v1::master::Response, ClientError> {
        let ask = Ask::post(operator::PATH, call.encode_to_vec().into());
        let answer = self.answer(&ask).await?;
        v1::master::Response::decode(answer).map_err(|error| ClientError::Malformed(error.to_string()))
    }

    /// What happens in the cluster, until `stop`: first all that there is, then every change. The stream comes back by
    /// itself, and begins anew with all that there is.
    pub fn operator_events(&self, stop: CancellationToken) -> mpsc::Receiver<OperatorEvent> {
        operator::start(self.clone(), stop)
    }

    /// Where the master that leads is, as far as is known without asking.
    pub fn leader(&self) -> Option<Address> {
        match &self.0.place {
            Place::Named(addresses, turn) => {
                let named = || addresses.get(turn.load(Ordering::Relaxed) % addresses.len().max(1));
                self.0.known.lock().clone().or_else(|| named().cloned())
            }
            Place::Led(leader, _) => leader.borrow().clone(),
        }
    }

    pub(crate) fn random(&self) -> &Random {
        &self.0.random
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.clock.elapsed()
    }

    /// Answers when another master leads than `address`, as far as somebody tells that.
    pub(crate) async fn moved_from(&self, address: &Address) {
        if let Place::Led(leader, _) = &self.0.place {
            let mut leader = leader.clone();
            if leader.wait_for(|now| now.as_ref() != Some(address)).await.is_ok() {
                return;
            }
        }
        std::future::pending().await
    }

    async fn answer(&self, ask: &Ask) -> Result<Bytes, ClientError> {
        let (connection, response) = self.ask(ask).await?;
        let answer = http::all(&connection.address, response, ANSWER_BYTES_MAX).await?;
        self.keep(connection);
        Ok(answer)
    }

    /// Asks the master that leads; the answer is no refusal.
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<(Connection, Response<Incoming>), ClientError> {
        let mut address = self.leader().ok_or(ClientError::NoLeader)?;
        for _ in 0..HOPS_MAX {
            let (connection, response) = match self.ask_at(&address, ask).await {
                Ok(answered) => answered,
                Err(error) => {
                    self.look_again();
                    return Err(error);
                }
            };
            match http::elsewhere(&response) {
                Some(leader) => {
                    *self.0.known.lock() = Some(leader.clone());
                    address = leader;
                }
                None if response.status().is_success() => return Ok((connection, response)),
                None => {
                    if response.status().is_server_error() {
                        self.look_again();
                    }
                    return Err(http::text(&address, response).await);
                }
            }
        }
        self.look_again();
        Err(ClientError::NoLeader)
    }

    /// The next question is for those that are named: they may know of another one that leads.
    fn look_again(&self) {
        let forgotten = self.0.known.lock().take();
        if let (None, Place::Named(_, turn)) = (forgotten, &self.0.place) {
            turn.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asks one master, by a connection that was kept if there is one.
    async fn ask_at(
        &self,
        address: &Address,
        ask: &Ask,
    ) -> Result<(Connection, Response<Incoming>), ClientError> {
        while let Some(mut connection) = self.kept(address) {
            if let Some(response) = connection.ask(ask).await? {
                return Ok((connection, response));
            }
        }
        let mut connection = Connection::open(address).await?;
        match connection.ask(ask).await? {
            Some(response) => Ok((connection, response)),
            None => {
                let why = "it closed the connection".to_owned();
                Err(ClientError::Unreachable(address.clone(), why))
            }
        }
    }

    fn kept(&self, address: &Address) -> Option<Connection> {
        let now = self.0.clock.elapsed();
        let mut kept = self.0.kept.lock();
        kept.retain(|(connection, since)| now < *since + KEPT_FOR && connection.is_ready());
        let at = kept
            .iter()
            .position(|(connection, _)| connection.address == *address)?;
        Some(kept.swap_remove(at).0)
    }

    fn keep(&self, connection: Connection) {
        let now = self.0.clock.elapsed();
        let mut kept = self.0.kept.lock();
        if connection.is_open() && kept.len() < KEPT_MAX {
            kept.push((connection, now));
        }
    }
}

/// One of those that are named.
fn address(text: &str) -> Result<Address, NameError> {
    let bare = text.trim();
    let bare = bare
        .strip_prefix("http://")
        .map_or(bare, |rest| rest.trim_end_matches('/'));
    Address::parse(bare)
}
