use super::{Session, SessionError};
use mesos_proto::masters::{Address, Ensemble, leading};
use server_kit::Clock;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long to wait before one looks again.
const PAUSE: Duration = Duration::from_secs(1);

/// The node of whoever leads among those below `path`, and where that is.
pub async fn leader(
    session: &Session,
    path: &str,
) -> Result<Option<(String, Option<Address>)>, SessionError> {
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

/// Follows who leads until `stop`, or until nobody wants to know. A leader stays known while ZooKeeper is away.
pub fn follow(
    ensemble: Ensemble,
    clock: Arc<dyn Clock>,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> watch::Receiver<Option<Address>> {
    let (tell, told) = watch::channel(None);
    let sessions = tasks.clone();
    tasks.spawn(async move {
        let following = async {
            loop {
                let Err(error) = look(&ensemble, clock.clone(), &sessions, &tell).await;
                tracing::warn!(%error, "who leads is not known from ZooKeeper");
                sleep(PAUSE).await;
            }
        };
        tokio::select! {
            _ = stop.run_until_cancelled(following) => {}
            () = tell.closed() => {}
        }
    });
    told
}

async fn look(
    ensemble: &Ensemble,
    clock: Arc<dyn Clock>,
    tasks: &TaskTracker,
    tell: &watch::Sender<Option<Address>>,
) -> Result<Infallible, SessionError> {
    let session = Session::open(ensemble, clock, tasks).await?;
    // Nothing is told of a node that is not there yet. Where it is, only masters may have the right to make nodes.
    if session.children(&ensemble.path).await?.is_none() {
        session.make(&ensemble.path).await?;
    }
    let mut changes = session.changes();
    loop {
        changes.mark_unchanged();
        let leader = leader(&session, &ensemble.path)
            .await?
            .and_then(|(_, address)| address);
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
