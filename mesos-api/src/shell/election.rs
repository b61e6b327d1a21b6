use super::master::{MasterHandle, Owner, Standing, Term};
use crate::{
    state::{Registry, RegistryError},
    zookeeper::{Session, SessionError},
};
use mesos_proto::{
    masters::{Address, Ensemble, NODE, leading},
    v1::MasterInfo,
};
use server_kit::{Clock, Random};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long to wait before one stands, or looks, again.
const PAUSE: Duration = Duration::from_secs(1);

/// What ZooKeeper is followed with.
#[derive(Clone)]
pub(crate) struct Voters {
    pub(crate) ensemble: Ensemble,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// Why a master stands no longer, for the time being.
#[derive(Debug, thiserror::Error)]
enum Fallen {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("the registry cannot be used: {0}")]
    Registry(#[from] RegistryError),
    #[error("its node in ZooKeeper is gone")]
    Deposed,
    #[error("it gave up")]
    GaveUp,
}

impl Voters {
    async fn open(&self) -> Result<Session, SessionError> {
        Session::open(&self.ensemble, self.clock.clone(), &self.tasks).await
    }

    /// The node of whoever leads, and where that is.
    async fn leader(&self, session: &Session) -> Result<Option<(String, Option<Address>)>, SessionError> {
        let path = &self.ensemble.path;
        loop {
            let names = match session.children(path).await {
                // The session goes on with another connection, or is over.
                Err(SessionError::Unanswered) => continue,
                names => names?.unwrap_or_default(),
            };
            let Some(name) = leading(&names) else {
                return Ok(None);
            };
            match session.data(&format!("{path}/{name}")).await {
                // It left between the two questions.
                Ok(None) | Err(SessionError::Unanswered) => {}
                info => return Ok(info?.map(|info| (name.to_owned(), Address::of_node(name, &info)))),
            }
        }
    }

    /// Follows who leads. A leader stays known while ZooKeeper is away.
    pub(crate) fn follow(self) -> watch::Receiver<Option<Address>> {
        let (tell, told) = watch::channel(None);
        let tasks = self.tasks.clone();
        tasks.spawn(async move {
            let stop = self.stop.clone();
            let following = async {
                loop {
                    let Err(error) = self.look(&tell).await;
                    tracing::warn!(%error, "who leads is not known from ZooKeeper");
                    sleep(PAUSE).await;
                }
            };
            stop.run_until_cancelled(following).await;
        });
        told
    }

    async fn look(&self, tell: &watch::Sender<Option<Address>>) -> Result<Infallible, SessionError> {
        let session = self.open().await?;
        // Nothing is told of a node that is not there yet. Where it is, only masters may have the right to make nodes.
        if session.children(&self.ensemble.path).await?.is_none() {
            session.make(&self.ensemble.path).await?;
        }
        let mut changes = session.changes();
        loop {
            changes.mark_unchanged();
            let leader = self.leader(&session).await?.and_then(|(_, address)| address);
            let is_news = tell.send_if_modified(|known| {
                let news = *known != leader;
                known.clone_from(&leader);
                news
            });
            if is_news {
                tracing::info!(leader = leader.map(|leader| leader.to_string()), "who leads");
            }
            changes.changed().await.map_err(|_| SessionError::Over)?;
        }
    }
}

/// A master that leads whenever it is elected.
pub(crate) struct Candidate {
    pub(crate) voters: Voters,
    /// What it tells of itself; its id is another one each time that it stands.
    pub(crate) info: MasterInfo,
    pub(crate) events_max: usize,
    pub(crate) random: Arc<Random>,
}

impl Candidate {
    /// Stands for election until the stop.
    pub(crate) fn start(self) -> MasterHandle {
        let (standing, stands) = watch::channel(Standing::Follows(None));
        let handle = MasterHandle::new(stands, self.random.clone(), self.events_max);
        let (tasks, stop) = (self.voters.tasks.clone(), self.voters.stop.clone());
        tasks.spawn(async move {
            let standing = &standing;
            let candidacies = async {
                loop {
                    let Err(why) = self.stand(standing).await;
                    standing.send_replace(Standing::Follows(None));
                    tracing::warn!(%why, "this master stands for election no longer; it will again");
                    sleep(PAUSE).await;
                }
            };
            stop.run_until_cancelled(candidacies).await;
        });
        handle
    }

    /// Stands until it fell. What it leads ends with its session.
    async fn stand(&self, standing: &watch::Sender<Standing>) -> Result<Infallible, Fallen> {
        let (voters, path) = (&self.voters, &self.voters.ensemble.path);
        let session = Arc::new(voters.open().await?);
        session.make(path).await?;
        let info = MasterInfo {
            id: self.random.uuid().to_string(),
            ..self.info.clone()
        };
        // Messages have no keys that are not text, which alone could fail.
        let told = serde_json::to_vec(&info).unwrap_or_default();
        let node = session.make_numbered(&format!("{path}/{NODE}"), &told).await?;
        let mut changes = session.changes();
        let mut term: Option<Term> = None;
        loop {
            changes.mark_unchanged();
            let leader = voters.leader(&session).await?;
            match session.data(&node).await {
                // An operator took it away: without it this master is never elected.
                Ok(None) => return Err(Fallen::Deposed),
                Err(SessionError::Unanswered) => continue,
                own => drop(own?),
            }
            match leader {
                Some((name, _)) if node.ends_with(&format!("/{name}")) => {
                    if term.is_none() {
                        tracing::info!(node, "this master is elected");
                        let led = self.lead(&session, &node, info.clone()).await?;
                        standing.send_replace(Standing::Leads(led.asks()));
                        term = Some(led);
                    }
                }
                _ if term.is_some() => return Err(Fallen::Deposed),
                leader => follow(standing, leader.and_then(|(_, address)| address)),
            }
            let gave_up = async {
                match &term {
                    Some(term) => term.over().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = changes.changed() => changed.map_err(|_| SessionError::Over)?,
                () = session.over() => return Err(SessionError::Over.into()),
                () = gave_up => return Err(Fallen::GaveUp),
            }
        }
    }

    /// Begins a term with what the masters before left.
    async fn lead(&self, session: &Arc<Session>, node: &str, info: MasterInfo) -> Result<Term, Fallen> {
        let voters = &self.voters;
        let registry = Registry::shared(session.clone(), &voters.ensemble.path, node).await?;
        let registered = registry.load().await?;
        let owner = Owner::new(info, registry, registered, voters.clock.clone());
        Ok(Term::begin(owner, &voters.tasks, &voters.stop))
    }
}

/// Says that another one leads, where that is news.
fn follow(standing: &watch::Sender<Standing>, leader: Option<Address>) {
    standing.send_if_modified(|now| {
        if matches!(now, Standing::Follows(known) if *known == leader) {
            return false;
        }
        tracing::info!(
            leader = leader.as_ref().map(ToString::to_string),
            "this master stands by"
        );
        *now = Standing::Follows(leader);
        true
    });
}
