use super::{AgentHandle, Ask, Owner};
use crate::{
    core::agent::{Asked, End, Input, Run, Standing, Unable},
    shell::{
        collect::REMOVED,
        folder::Folder,
        process::{self, Place},
        session::Session,
        waits::Begun,
    },
};
use std::{io, path::Path, sync::Arc};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Why a container is not had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContainerError {
    #[error(transparent)]
    Unable(#[from] Unable),
    /// It could not be made.
    #[error("{0}")]
    Failed(String),
    #[error("Container {0} cannot be found")]
    Unknown(String),
    #[error("The agent is stopping")]
    Stopping,
}

/// What waits for an end.
enum Wait {
    Over(End),
    Open(oneshot::Receiver<End>),
}

impl AgentHandle {
    /// Has the task that owns the core do something.
    async fn with<T: Send + 'static>(
        &self,
        does: impl FnOnce(&mut Owner) -> T + Send + 'static,
    ) -> Result<T, ContainerError> {
        let (answer, answered) = oneshot::channel();
        let does = Box::new(move |owner: &mut Owner| {
            let _ = answer.send(does(owner));
        });
        let asked = self.asks.send(Ask::Does(does)).await;
        asked.map_err(|_| ContainerError::Stopping)?;
        answered.await.map_err(|_| ContainerError::Stopping)
    }

    /// Launches a container, and answers once it runs; with nothing, if it is there already.
    pub(crate) async fn launch_container(&self, mut asked: Asked) -> Result<Option<Begun>, ContainerError> {
        asked.run = self.random.uuid().to_string();
        let begins = self.with(move |owner| owner.launch_container(asked)).await??;
        let Some(begins) = begins else {
            return Ok(None);
        };
        let begun = begins.await.map_err(|_| ContainerError::Stopping)?;
        begun.map(Some).map_err(ContainerError::Failed)
    }

    /// Answers how a container ended, once it has.
    pub(crate) async fn wait_for_container(&self, container: String) -> Result<End, ContainerError> {
        let name = container.clone();
        let waits = self.with(move |owner| match owner.core.stands(&name) {
            Standing::Unknown => None,
            Standing::Ended(end) => Some(Wait::Over(end)),
            Standing::Runs => Some(Wait::Open(owner.waits.for_end(&name))),
        });
        match waits.await? {
            None => Err(ContainerError::Unknown(container)),
            Some(Wait::Over(end)) => Ok(end),
            Some(Wait::Open(end)) => end.await.map_err(|_| ContainerError::Stopping),
        }
    }

    pub(crate) async fn signal_container(
        &self,
        container: String,
        signal: i32,
    ) -> Result<(), ContainerError> {
        let done = self.with(move |owner| {
            let done = owner.core.signal_container(&container, signal);
            owner.do_wanted();
            done
        });
        Ok(done.await??)
    }

    pub(crate) async fn remove_container(&self, container: String) -> Result<(), ContainerError> {
        let done = self.with(move |owner| {
            let done = owner.core.remove_container(&container);
            owner.do_wanted();
            done
        });
        Ok(done.await??)
    }

    /// The way to a session, if the container is one.
    pub(crate) async fn session(&self, container: String) -> Result<Option<Session>, ContainerError> {
        let name = container.clone();
        let found = self.with(move |owner| {
            let known = owner.core.stands(&name) != Standing::Unknown;
            known.then(|| owner.waits.session(&name))
        });
        found.await?.ok_or(ContainerError::Unknown(container))
    }
}

impl Owner {
    fn launch_container(
        &mut self,
        asked: Asked,
    ) -> Result<Option<oneshot::Receiver<Result<Begun, String>>>, Unable> {
        let container = asked.container.clone();
        if !self.core.ask(asked)? {
            return Ok(None);
        }
        let begins = self.waits.for_begin(&container);
        self.do_wanted();
        Ok(Some(begins))
    }

    fn do_wanted(&mut self) {
        let wanted = self.core.wanted();
        self.perform(wanted);
    }

    /// What is to be removed is put aside at once, since its name may be another's next, and removed beside everything else.
    pub(super) fn remove_sandbox(&self, sandbox: &str) {
        let aside = Path::new(REMOVED).join(self.random.uuid().to_string());
        let work = Folder::at(&self.place.work_dir);
        let put = work.and_then(|work| {
            work.put_aside(Path::new(sandbox), &aside)?;
            Ok(work)
        });
        match put {
            Ok(work) => {
                self.tasks.spawn_blocking(move || {
                    if let Err(error) = work.remove(&aside) {
                        tracing::warn!(folder = %aside.display(), %error, "a sandbox cannot be removed");
                    }
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(sandbox, %error, "a sandbox cannot be removed"),
        }
    }
}

/// Runs a container that lasts as long as a connection.
pub(super) async fn open(run: Run, place: Arc<Place>, asks: mpsc::Sender<Ask>, stop: CancellationToken) {
    let container = run.container.clone();
    let started = tokio::task::spawn_blocking(move || process::start_session(&run, &place)).await;
    let (mut process, pipes) = match started {
        Ok(Ok(started)) => started,
        Ok(Err(error)) => {
            let why = error.to_string();
            let _ = asks.send(Ask::Input(Input::Failed { container, why })).await;
            return;
        }
        // The runtime stops.
        Err(_) => return,
    };
    let stop = stop.child_token();
    match Session::begin(pipes, stop.clone()) {
        Ok(session) => {
            let name = container.clone();
            let opened = Ask::Does(Box::new(move |owner: &mut Owner| {
                owner.waits.opened(name, session)
            }));
            let _ = asks.send(opened).await;
            let pid = process.pid();
            let started = Input::Started {
                container: container.clone(),
                pid,
            };
            let _ = asks.send(Ask::Input(started)).await;
            let ended = stop.run_until_cancelled(process.ended()).await;
            let ended = match ended {
                Some(Ok(ended)) => {
                    process.end().await.ok();
                    Some(ended)
                }
                _ => process.end().await.ok(),
            };
            let input = match ended {
                Some(ended) => Input::Exited { container, ended },
                None => Input::Lost { container },
            };
            let _ = asks.send(Ask::Input(input)).await;
        }
        Err(error) => {
            process.end().await.ok();
            let why = error.to_string();
            let _ = asks.send(Ask::Input(Input::Failed { container, why })).await;
        }
    }
}
