//! A session with ZooKeeper: it outlives its connections, and is over when no server has heard of it for its time.
//!
//! Rooms: `keeper` (the task that holds the connection), `leader` (which of the masters' nodes leads).
//! Knows: servers, sockets, pings. Never: what other nodes mean.

mod keeper;
mod leader;

pub use leader::{follow, leader};

use bytes::{Bytes, BytesMut};
use keeper::{Ask, Keeper};
use mesos_proto::{
    masters::Ensemble,
    zookeeper::{self as wire, Access, Answer, Change, Malformed, NO_NODE, NODE_EXISTS},
};
use server_kit::Clock;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Questions that may wait for the connection.
const QUESTIONS_MAX: usize = 64;

/// Why ZooKeeper did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The connection broke, or there was none.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was heard is not ZooKeeper's protocol.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It was not done, for this reason of ZooKeeper's.
    #[error("ZooKeeper answers with error {0}")]
    Refused(i32),
    /// Nobody knows whether it was done.
    #[error("the connection to ZooKeeper broke before its answer")]
    Unanswered,
    /// There is no server that answers in time.
    #[error("ZooKeeper does not answer")]
    Silent,
    /// Another one has to be opened.
    #[error("the session with ZooKeeper is over")]
    Over,
}

/// A session. Dropping it ends it.
pub struct Session {
    asks: mpsc::Sender<Ask>,
    /// Changes when a watch fired, or may have.
    changes: watch::Receiver<()>,
    ends: watch::Receiver<Duration>,
    over: CancellationToken,
    xid: AtomicI32,
    access: Access,
}

impl Session {
    /// Opens a session with the first of the servers that grants one.
    pub async fn open(
        ensemble: &Ensemble,
        clock: Arc<dyn Clock>,
        tasks: &TaskTracker,
    ) -> Result<Self, SessionError> {
        let (asks, asked) = mpsc::channel(QUESTIONS_MAX);
        let (changed, changes) = watch::channel(());
        let (end, ends) = watch::channel(Duration::ZERO);
        let over = CancellationToken::new();
        let keeper = Keeper::open(ensemble.clone(), clock, asked, changed, end).await?;
        let guard = over.clone().drop_guard();
        tasks.spawn(async move {
            keeper.run().await;
            drop(guard);
        });
        Ok(Session {
            asks,
            changes,
            ends,
            over,
            xid: AtomicI32::new(0),
            access: match ensemble.credentials {
                Some(_) => Access::Creators,
                None => Access::Open,
            },
        })
    }

    /// Answers when the session is over.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }

    /// When it is over, on the clock that it was opened with, unless a server hears of it before.
    pub fn ends(&self) -> Duration {
        *self.ends.borrow()
    }

    /// What changes whenever the names that were asked for may have changed.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.clone()
    }

    /// The names below a node, none where there is no such node; a change of them will be told.
    pub async fn children(&self, path: &str) -> Result<Option<Vec<String>>, SessionError> {
        match self.ask(|xid| wire::get_children(xid, path)).await {
            Ok(answer) => Ok(Some(answer.children()?)),
            Err(SessionError::Refused(NO_NODE)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a node holds, if it is still there.
    pub async fn data(&self, path: &str) -> Result<Option<Bytes>, SessionError> {
        match self.ask(|xid| wire::get_data(xid, path)).await {
            Ok(answer) => Ok(Some(answer.data()?)),
            Err(SessionError::Refused(NO_NODE)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a node and those that it stands below, as far as they are not there.
    pub async fn make(&self, path: &str) -> Result<(), SessionError> {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        for end in ends.chain([path.len()]) {
            match self.ask(|xid| wire::create(xid, &path[..end], self.access)).await {
                Ok(_) | Err(SessionError::Refused(NODE_EXISTS)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes a node that ends with this session, and answers its name: `prefix` and the next number.
    pub async fn make_numbered(&self, prefix: &str, data: &[u8]) -> Result<String, SessionError> {
        let asked = |xid| wire::create_numbered(xid, prefix, data, self.access);
        Ok(self.ask(asked).await?.path()?)
    }

    /// Makes several changes, all or none.
    pub async fn change(&self, changes: &[Change]) -> Result<(), SessionError> {
        let asked = |xid| wire::multi(xid, changes, self.access);
        self.ask(asked).await?.changed()?.map_err(SessionError::Refused)
    }

    async fn ask(&self, question: impl FnOnce(i32) -> BytesMut) -> Result<Answer, SessionError> {
        // Numbers below zero have a meaning.
        let xid = self.xid.fetch_add(1, Ordering::Relaxed) & i32::MAX;
        let (answer, answered) = oneshot::channel();
        let question = question(xid).freeze();
        let ask = Ask {
            xid,
            question,
            answer,
        };
        self.asks.send(ask).await.map_err(|_| SessionError::Over)?;
        let answer = answered.await.map_err(|_| SessionError::Unanswered)?;
        match answer.error {
            0 => Ok(answer),
            error => Err(SessionError::Refused(error)),
        }
    }
}
