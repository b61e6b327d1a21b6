//! Containers that were asked for by the agent's own API: below others, or by themselves.

use super::{Agent, Effect, Ended, Executor, Kind, Process, Run, Signal, Task, run::unsupported};
use mesos_proto::v1::{CommandInfo, ContainerInfo, Resource, TaskState, task_status::Reason};
use serde::{Deserialize, Serialize};

/// Containers that were asked for, ended ones that nobody removed included.
const ASKED_MAX: usize = 10_000;

/// A container that was asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// `a.b` is below `a`.
    pub(crate) container: String,
    /// Which container of that name: one that was removed may be followed by another.
    #[serde(default)]
    pub(crate) run: String,
    pub(crate) command: CommandInfo,
    pub(crate) info: Option<ContainerInfo>,
    pub(crate) resources: Vec<Resource>,
    /// It lasts as long as a connection, and runs where the container above it does.
    pub(crate) session: bool,
    #[serde(default)]
    pub(crate) process: Process,
    #[serde(default)]
    pub(crate) end: Option<End>,
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// As `wait` tells it.
    pub(crate) status: Option<i32>,
    pub(crate) state: Option<i32>,
    pub(crate) reason: Option<i32>,
    pub(crate) message: Option<String>,
}

impl End {
    pub(super) fn of(ended: Ended) -> Self {
        End {
            status: Some(ended.status()),
            ..End::default()
        }
    }

    /// Of one that has no status: it never ran, or nobody saw its end.
    pub(super) fn unseen(reason: Reason, why: &str) -> Self {
        End {
            status: None,
            state: Some(TaskState::TaskFailed as i32),
            reason: Some(reason as i32),
            message: Some(why.to_owned()),
        }
    }
}

/// Why a container is not launched, signalled or removed. Texts are the original's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unable {
    #[error("Parent container {0} does not exist")]
    NoParent(String),
    #[error("Parent container {0} is in 'DESTROYING' state")]
    ParentEnds(String),
    #[error("The provided ContainerInfo is not supported")]
    Unsupported,
    #[error("There are too many containers that nobody removed")]
    TooMany,
    #[error("Container '{0}' cannot be found (or is already killed)")]
    NotRunning(String),
    #[error("Nested container has not terminated yet")]
    Running,
    #[error("Unknown root container")]
    UnknownRoot,
}

/// What there is of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    Runs,
    Ended(End),
}

impl Agent {
    /// Takes a container that is asked for, and answers whether it is a new one.
    pub(crate) fn ask(&mut self, asked: Asked) -> Result<bool, Unable> {
        // Tasks have containers, too.
        if self.stands(&asked.container) != Standing::Unknown || self.executors.contains_key(&asked.container)
        {
            return Ok(false);
        }
        if let Some((parent, _)) = asked.container.rsplit_once('.') {
            match self.stands(parent) {
                Standing::Runs if self.ends(parent) => return Err(Unable::ParentEnds(parent.to_owned())),
                Standing::Runs => {}
                _ => return Err(Unable::NoParent(parent.to_owned())),
            }
        }
        if unsupported(asked.info.as_ref()).is_some() {
            return Err(Unable::Unsupported);
        }
        if self.asked.len() >= ASKED_MAX {
            return Err(Unable::TooMany);
        }
        let run = self.run_of(&asked);
        self.keep_asked(&asked.container);
        self.asked.insert(asked.container.clone(), asked);
        self.effects.push(Effect::Launch(Box::new(run)));
        Ok(true)
    }

    fn run_of(&self, asked: &Asked) -> Run {
        let above = asked.container.rsplit_once('.').map(|(parent, _)| parent);
        let executor = self.executor_of(&asked.container);
        let task = executor.and_then(|one| {
            let mut tasks = one.tasks.values();
            tasks.find(|task| above == Some(&task.container))
        });
        let framework = executor.and_then(|one| self.frameworks.get(&one.framework));
        let above = above.filter(|_| asked.session);
        let sandbox = self.sandbox_at(above.unwrap_or(&asked.container));
        let (mut environment, mut user) = (Vec::new(), String::new());
        if let (Some(executor), Some(framework)) = (executor, framework) {
            user.clone_from(&framework.info.user);
            // Who looks into a task sees what the task sees.
            if let Some(task) = task {
                let of_task = Run::of_task(self.id(), &framework.info, executor, task);
                user = of_task.user;
                if asked.session {
                    environment = of_task.environment;
                }
            }
        }
        let group = self.group_of(&asked.container).to_owned();
        let beside = above.and_then(|above| self.process_of(above));
        Run::of_asked(asked, (group, beside), sandbox, user, environment)
    }

    /// The container whose control groups another is in: what is below a task or an executor shares theirs.
    fn group_of<'a>(&'a self, container: &'a str) -> &'a str {
        let tasks = self.executor_of(container).into_iter();
        let mut tasks = tasks.flat_map(|one| one.tasks.values());
        let above = |task: &&Task| container.starts_with(&below(&task.container));
        match tasks.find(above) {
            Some(task) => &task.container,
            None => container.split('.').next().unwrap_or_default(),
        }
    }

    /// The executor that a container is of, or below.
    fn executor_of(&self, container: &str) -> Option<&Executor> {
        self.executors
            .get(container.split('.').next().unwrap_or_default())
    }

    /// Where a container's files are, below the work directory.
    fn sandbox_at(&self, container: &str) -> String {
        if let Some(executor) = self.executor_of(container) {
            let mut tasks = executor.tasks.values().chain(&executor.finished);
            if let Some(task) = tasks.find(|task| task.container == container) {
                return executor.sandbox_of(self.id(), task);
            }
            if executor.container == container {
                return executor.sandbox(self.id());
            }
        }
        match container.rsplit_once('.') {
            Some((parent, own)) => format!("{}/containers/{own}", self.sandbox_at(parent)),
            None => format!("containers/{container}"),
        }
    }

    /// Whether a container is on its way to its end.
    fn ends(&self, container: &str) -> bool {
        let asked = self.asked.get(container).map(|one| one.process.killed);
        let executor = || self.executors.get(container).map(|one| one.process.killed);
        asked.or_else(executor).unwrap_or(false)
    }

    /// What there is of a container, whoever wanted it.
    pub(crate) fn stands(&self, container: &str) -> Standing {
        if let Some(asked) = self.asked.get(container) {
            return asked.end.clone().map_or(Standing::Runs, Standing::Ended);
        }
        let Some(executor) = self.executor_of(container) else {
            return Standing::Unknown;
        };
        let standing =
            |ended: Option<Ended>| ended.map_or(Standing::Runs, |ended| Standing::Ended(End::of(ended)));
        let mut tasks = executor.tasks.values().chain(&executor.finished);
        match tasks.find(|task| task.container == container) {
            Some(task) if executor.kind != Kind::Custom => standing(task.process.ended),
            _ if executor.container != container => Standing::Unknown,
            _ if executor.ended => standing(executor.process.ended.or(Some(Ended::Exited(0)))),
            _ => Standing::Runs,
        }
    }

    /// Signals what runs in a container.
    pub(crate) fn signal_container(&mut self, container: &str, signal: i32) -> Result<(), Unable> {
        let not_running = || Unable::NotRunning(container.to_owned());
        if let Some(asked) = self.asked.get_mut(container) {
            if asked.end.is_some() {
                return Err(not_running());
            }
            let waits = asked.process.pid.is_none();
            if signal == Signal::KILL {
                asked.process.killed = true;
            }
            let alive = asked.process.alive();
            let kills = asked.process.killed;
            let signal = Signal::Number(signal);
            self.keep_asked(container);
            self.effects
                .extend(alive.map(|pid| Effect::Signal { pid, signal }));
            if waits && kills {
                let container = container.to_owned();
                self.effects.push(Effect::Cancel { container });
            }
            return Ok(());
        }
        let pid = self.process_of(container).ok_or_else(not_running)?;
        let signal = Signal::Number(signal);
        self.effects.push(Effect::Signal { pid, signal });
        Ok(())
    }

    /// What runs in a container.
    fn process_of(&self, container: &str) -> Option<u32> {
        if let Some(asked) = self.asked.get(container) {
            return asked.process.alive();
        }
        let (executor, task) = self.whose(container)?;
        let executor = self.executors.get(&executor)?;
        let task = task.and_then(|task| executor.tasks.get(&task));
        task.map_or(&executor.process, |task| &task.process).alive()
    }

    /// Forgets a container that has ended, and what it wrote.
    pub(crate) fn remove_container(&mut self, container: &str) -> Result<(), Unable> {
        let root = container.split('.').next().unwrap_or_default();
        match self.stands(container) {
            Standing::Runs => return Err(Unable::Running),
            Standing::Unknown if self.stands(root) == Standing::Unknown => return Err(Unable::UnknownRoot),
            Standing::Unknown => return Ok(()),
            Standing::Ended(_) => {}
        }
        let sandbox = self.sandbox_at(container);
        if let Some(asked) = self.forget_asked(container) {
            self.forget_below(container);
            if !asked.session {
                self.effects.push(Effect::RemoveSandbox { sandbox });
            }
        }
        Ok(())
    }

    /// A process that was asked for runs, or still does.
    pub(super) fn asked_started(&mut self, container: &str, pid: u32) {
        let Some(asked) = self.asked.get_mut(container) else {
            return;
        };
        asked.process.pid = Some(pid);
        asked.process.here = true;
        if asked.process.killed {
            let signal = Signal::Kill;
            self.effects.push(Effect::Signal { pid, signal });
        }
        self.keep_asked(container);
        let container = container.to_owned();
        self.effects.push(Effect::Begun {
            container,
            failed: None,
        });
    }

    /// One that could not be made is none.
    pub(super) fn asked_failed(&mut self, container: &str, why: &str) {
        self.forget_asked(container);
        let end = End::unseen(Reason::ContainerLaunchFailed, why);
        let container = container.to_owned();
        self.effects.push(Effect::Over {
            container: container.clone(),
            end,
        });
        let failed = Some(why.to_owned());
        self.effects.push(Effect::Begun { container, failed });
    }

    pub(super) fn asked_over(&mut self, container: &str, ended: Option<Ended>) {
        let Some(asked) = self.asked.get_mut(container) else {
            return;
        };
        asked.process.ended = Some(ended.unwrap_or(Ended::Signalled(9)));
        let gone = || {
            End::unseen(
                Reason::ExecutorTerminated,
                "The process is gone, and how it ended is not known",
            )
        };
        let end = ended.map_or_else(gone, End::of);
        asked.end = Some(end.clone());
        self.keep_asked(container);
        self.over(container, end);
        let above = container.rsplit_once('.').map(|(parent, _)| parent);
        if above.is_some_and(|parent| self.stands(parent) == Standing::Unknown) {
            self.forget_asked(container);
            self.forget_below(container);
        }
    }

    /// A container has ended: those who wait for it hear it, and what is below it ends, too.
    pub(super) fn over(&mut self, container: &str, end: End) {
        self.effects.push(Effect::Over {
            container: container.to_owned(),
            end,
        });
        self.end_below(container);
    }

    /// Ends whatever was asked for below a container.
    pub(super) fn end_below(&mut self, container: &str) {
        let below = below(container);
        let mut changed = Vec::new();
        for (name, asked) in &mut self.asked {
            if name.starts_with(&below) && asked.end.is_none() && !asked.process.killed {
                asked.process.killed = true;
                changed.push(name.clone());
                let signal = Signal::Kill;
                let alive = asked.process.alive();
                self.effects
                    .extend(alive.map(|pid| Effect::Signal { pid, signal }));
                if asked.process.pid.is_none() {
                    let container = name.clone();
                    self.effects.push(Effect::Cancel { container });
                }
            }
        }
        changed.iter().for_each(|name| self.keep_asked(name));
    }

    /// What a container was is history, and so are those below it that have ended.
    pub(super) fn forget_below(&mut self, container: &str) {
        let below = below(container);
        let over = self
            .asked
            .iter()
            .filter(|(name, one)| name.starts_with(&below) && one.end.is_some());
        let over: Vec<String> = over.map(|(name, _)| name.clone()).collect();
        for name in over {
            self.forget_asked(&name);
        }
    }

    fn forget_asked(&mut self, container: &str) -> Option<Asked> {
        self.keep_asked(container);
        self.asked.shift_remove(container)
    }

    fn keep_asked(&mut self, container: &str) {
        self.effects.push(Effect::KeepAsked {
            container: container.to_owned(),
        });
    }
}

fn below(container: &str) -> String {
    format!("{container}.")
}
