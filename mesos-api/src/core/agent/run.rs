use super::{Asked, Executor, Share, Task};
use mesos_proto::v1::{
    CommandInfo, ContainerInfo, FrameworkInfo, Resource, command_info::Uri, container_info,
    r_limit_info::RLimit,
};
use std::time::Duration;

/// How long an executor may take to end by itself, unless it says otherwise.
pub(super) const SHUTDOWN_GRACE_PERIOD: Duration = Duration::from_secs(5);

/// A process to be started.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) container: String,
    /// Below the agent's work directory.
    pub(crate) sandbox: String,
    pub(crate) argv: Vec<String>,
    /// The agent's, then the command's own: later ones win.
    pub(crate) environment: Vec<(String, String)>,
    /// The command's, else the framework's.
    pub(crate) user: String,
    /// What must be brought into the sandbox first.
    pub(crate) uris: Vec<Uri>,
    pub(crate) limits: Vec<RLimit>,
    /// It lasts as long as a connection, to which its output goes.
    pub(crate) session: bool,
    /// The container whose control groups it runs in.
    pub(crate) group: String,
    /// What it may use, where the groups are its own.
    pub(crate) share: Option<Share>,
    /// The process that it looks at, among whose it runs.
    pub(crate) beside: Option<u32>,
}

impl Run {
    /// The process of a task.
    pub(super) fn of_task(agent: &str, framework: &FrameworkInfo, executor: &Executor, task: &Task) -> Self {
        let command = task.info.command.clone().unwrap_or_default();
        let environment = environment(agent, framework, executor, &task.info.resources);
        Run {
            container: task.container.clone(),
            sandbox: executor.sandbox_of(agent, task),
            limits: limits(task.info.container.as_ref()),
            group: task.container.clone(),
            share: Some(task.share()),
            ..Run::of_command(command, &framework.user, environment)
        }
    }

    /// The process of a check: it has what the task has, and runs where the task does.
    pub(super) fn of_check(
        agent: &str,
        framework: &FrameworkInfo,
        executor: &Executor,
        task: &Task,
        command: CommandInfo,
    ) -> Self {
        let of_task = Run::of_task(agent, framework, executor, task);
        let user = command.user.clone().unwrap_or(of_task.user);
        Run {
            container: of_task.container,
            sandbox: of_task.sandbox,
            group: of_task.group,
            beside: task.process.alive(),
            user,
            uris: Vec::new(),
            ..Run::of_command(command, &framework.user, of_task.environment)
        }
    }

    /// The process of a custom executor.
    pub(super) fn of_executor(agent: &str, framework: &FrameworkInfo, executor: &Executor) -> Self {
        let command = executor.info.command.clone().unwrap_or_default();
        let tasks = executor.tasks.values();
        let mut resources = executor.info.resources.clone();
        // An executor that uses nothing itself has the role of what it runs.
        resources.extend(tasks.flat_map(|task| task.info.resources.clone()));
        let mut environment = environment(agent, framework, executor, &resources);
        if framework.checkpoint() {
            environment.push(("MESOS_RECOVERY_TIMEOUT".to_owned(), "15mins".to_owned()));
            environment.push(("MESOS_SUBSCRIPTION_BACKOFF_MAX".to_owned(), "2secs".to_owned()));
        }
        Run {
            container: executor.container.clone(),
            sandbox: executor.sandbox(agent),
            limits: limits(executor.info.container.as_ref()),
            group: executor.container.clone(),
            share: Some(executor.share()),
            ..Run::of_command(command, &framework.user, environment)
        }
    }

    /// The process of a container that was asked for.
    pub(super) fn of_asked(
        asked: &Asked,
        (group, beside): (String, Option<u32>),
        sandbox: String,
        user: String,
        environment: Vec<(String, String)>,
    ) -> Self {
        Run {
            container: asked.container.clone(),
            sandbox,
            limits: limits(asked.info.as_ref()),
            share: (group == asked.container)
                .then(|| Share::of(std::iter::once((asked.resources.as_slice(), None)))),
            group,
            beside,
            session: asked.session,
            ..Run::of_command(asked.command.clone(), &user, environment)
        }
    }

    fn of_command(command: CommandInfo, user: &str, mut environment: Vec<(String, String)>) -> Self {
        let value = command.value().to_owned();
        let argv = match command.shell() {
            true => vec!["sh".to_owned(), "-c".to_owned(), value],
            // The first argument is what the program is told to be called; the value is what is run.
            false => std::iter::once(value)
                .chain(command.arguments.iter().skip(1).cloned())
                .collect(),
        };
        let own = command.environment.unwrap_or_default().variables;
        environment.extend(
            own.into_iter()
                .map(|one| (one.name.clone(), one.value().to_owned())),
        );
        Run {
            container: String::new(),
            sandbox: String::new(),
            argv,
            environment,
            user: command.user.unwrap_or_else(|| user.to_owned()),
            uris: command.uris,
            limits: Vec::new(),
            session: false,
            group: String::new(),
            share: None,
            beside: None,
        }
    }
}

/// What the agent tells every process of.
fn environment(
    agent: &str,
    framework: &FrameworkInfo,
    executor: &Executor,
    resources: &[Resource],
) -> Vec<(String, String)> {
    let role = resources.first().and_then(|one| one.allocation_info.as_ref());
    let grace = grace_period(executor);
    [
        ("LIBPROCESS_PORT", "0".to_owned()),
        (
            "MESOS_ALLOCATION_ROLE",
            role.map_or("*", |info| info.role()).to_owned(),
        ),
        ("MESOS_CHECKPOINT", u8::from(framework.checkpoint()).to_string()),
        ("MESOS_EXECUTOR_ID", executor.id().to_owned()),
        (
            "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD",
            format!("{}secs", grace.as_secs_f64()),
        ),
        ("MESOS_FRAMEWORK_ID", executor.framework.clone()),
        ("MESOS_HTTP_COMMAND_EXECUTOR", "1".to_owned()),
        ("MESOS_SLAVE_ID", agent.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// How long an executor may take to end once it was asked to.
pub(super) fn grace_period(executor: &Executor) -> Duration {
    executor
        .info
        .shutdown_grace_period
        .as_ref()
        .map_or(SHUTDOWN_GRACE_PERIOD, |period| {
            Duration::from_nanos(u64::try_from(period.nanoseconds).unwrap_or(0))
        })
}

fn limits(container: Option<&ContainerInfo>) -> Vec<RLimit> {
    container
        .and_then(|one| one.rlimit_info.clone())
        .map_or_else(Vec::new, |info| info.rlimits)
}

/// Why a container cannot be had here, in the original's words and a few more.
pub(super) fn unsupported(container: Option<&ContainerInfo>) -> Option<String> {
    let container = container?;
    let image = container
        .mesos
        .as_ref()
        .is_some_and(|mesos| mesos.image.is_some());
    let docker = container.docker.is_some() || container.r#type() == container_info::Type::Docker;
    let what = match () {
        () if docker || image => "images are not supported here",
        () if !container.volumes.is_empty() => "volumes of containers are not supported here",
        () => return None,
    };
    Some(format!(
        "None of the enabled containerizers (mesos) could create a container for the provided TaskInfo/ExecutorInfo \
         message: {what}"
    ))
}
