use super::{
    Agent, Effect, Ended, Executor, Framework, Kind, Run, Task, Uuids, probes,
    run::unsupported,
    updates::{Told, by_agent},
};
use crate::core::Now;
use mesos_proto::v1::{
    ExecutorId, ExecutorInfo, FrameworkInfo, TaskInfo, TaskState, executor_info, task_status::Reason,
};

/// Characters of a command that the name of its executor shows.
const NAME_CHARS_MAX: usize = 15;

impl Agent {
    /// Runs a task, by its executor if it names one.
    pub(super) fn run(
        &mut self,
        now: Now,
        framework: FrameworkInfo,
        info: TaskInfo,
        launch_executor: bool,
        uuid: Uuids<'_>,
    ) {
        let id = self.meet(framework);
        if self.knows(now, &id, &info.task_id.value) {
            return;
        }
        let Some(executor) = info.executor.clone() else {
            let container = uuid().to_string();
            let mut executor = Executor::new(&id, container.clone(), Kind::Command, command_executor(&info));
            let task = Task::new(info, container.clone(), 0);
            let name = task.id().to_owned();
            executor.tasks.insert(name.clone(), task);
            self.executors.insert(container.clone(), executor);
            return self.launch_task(now, &container, &name, uuid);
        };
        let kind = match executor.r#type() {
            executor_info::Type::Default => Kind::Default,
            _ => Kind::Custom,
        };
        if kind == Kind::Default
            && (launch_executor || self.running(&id, &executor.executor_id.value).is_some())
        {
            return self.run_tasks(now, &id, executor, vec![info], uuid);
        }
        let known = self.running(&id, &executor.executor_id.value);
        if known.is_none() && !launch_executor {
            return self.dropped(now, &id, executor, info, uuid);
        }
        let container = known.clone().unwrap_or_else(|| uuid().to_string());
        let new = || Executor::new(&id, container.clone(), kind, executor);
        let executor = self.executors.entry(container.clone()).or_insert_with(new);
        let name = info.task_id.value.clone();
        let task = Task::new(info, container.clone(), 0);
        executor.tasks.insert(name.clone(), task);
        self.changed.insert(container.clone());
        let ends = executor.process.killed;
        let unsupported = unsupported(executor.info.container.as_ref());
        match (known, ends, unsupported) {
            (_, true, _) => {
                let state = self.never_ran(&id);
                let told = by_agent(state, Reason::ExecutorTerminated, "Executor is terminating");
                self.update(now, &container, &name, told, uuid);
                self.settle(&container);
            }
            (None, false, Some(why)) => self.failed(now, &container, &why, uuid),
            (None, false, None) => {
                let executor = &self.executors[&container];
                if let Some(framework) = self.frameworks.get(&id) {
                    let run = Run::of_executor(self.id(), &framework.info, executor);
                    self.effects.push(Effect::Launch(Box::new(run)));
                }
            }
            (Some(_), false, _) => self.hand_over(&container),
        }
    }

    /// The executor that was to run a task has ended meanwhile, and nothing is set aside for another.
    fn dropped(
        &mut self,
        now: Now,
        framework: &str,
        executor: ExecutorInfo,
        info: TaskInfo,
        uuid: Uuids<'_>,
    ) {
        let container = uuid().to_string();
        let mut executor = Executor::new(framework, container.clone(), Kind::Custom, executor);
        executor.ended = true;
        executor.process.ended = Some(Ended::Exited(0));
        let task = Task::new(info, container.clone(), 0);
        let name = task.id().to_owned();
        executor.tasks.insert(name.clone(), task);
        self.executors.insert(container.clone(), executor);
        let state = self.never_ran(framework);
        let told = by_agent(state, Reason::ExecutorTerminated, "Executor terminated");
        self.update(now, &container, &name, told, uuid);
        self.settle(&container);
    }

    /// Runs tasks that end together, by an executor that is there unless it may be launched.
    pub(super) fn run_group(
        &mut self,
        now: Now,
        framework: FrameworkInfo,
        (executor, launch_executor): (ExecutorInfo, bool),
        mut tasks: Vec<TaskInfo>,
        uuid: Uuids<'_>,
    ) {
        let id = self.meet(framework);
        tasks.retain(|task| !self.knows(now, &id, &task.task_id.value));
        if tasks.is_empty() {
            return;
        }
        if !launch_executor && self.running(&id, &executor.executor_id.value).is_none() {
            for task in tasks {
                self.dropped(now, &id, executor.clone(), task, uuid);
            }
            return;
        }
        self.run_tasks(now, &id, executor, tasks, uuid);
    }

    /// Runs tasks in containers below their executor's.
    fn run_tasks(
        &mut self,
        now: Now,
        framework: &str,
        info: ExecutorInfo,
        tasks: Vec<TaskInfo>,
        uuid: Uuids<'_>,
    ) {
        let known = self.running(framework, &info.executor_id.value);
        let container = known.unwrap_or_else(|| uuid().to_string());
        let new = || Executor::new(framework, container.clone(), Kind::Default, info);
        let executor = self.executors.entry(container.clone()).or_insert_with(new);
        executor.groups += 1;
        let mut names = Vec::new();
        for info in tasks {
            names.push(info.task_id.value.clone());
            let task = Task::new(info, format!("{container}.{}", uuid()), executor.groups);
            executor.tasks.insert(task.id().to_owned(), task);
        }
        for name in names {
            self.launch_task(now, &container, &name, uuid);
        }
    }

    /// Starts the process that a task is.
    fn launch_task(&mut self, now: Now, container: &str, name: &str, uuid: Uuids<'_>) {
        self.changed.insert(container.to_owned());
        let Some(executor) = self.executors.get_mut(container) else {
            return;
        };
        let Some(task) = executor.tasks.get_mut(name) else {
            return;
        };
        task.launched = true;
        if let Some(why) = probes::invalid(&task.info) {
            let told = by_agent(TaskState::TaskError, Reason::TaskInvalid, &why);
            return self.task_over(now, container, name, told, uuid);
        }
        let images = [task.info.container.as_ref(), executor.info.container.as_ref()];
        let refused = images.into_iter().find_map(unsupported);
        let below = task.container.clone();
        if let Some(why) = refused {
            let why = format!("Failed to launch container: {why}");
            return self.failed(now, &below, &why, uuid);
        }
        let (executor, agent) = (&self.executors[container], self.id());
        if let Some(framework) = self.frameworks.get(&executor.framework)
            && let Some(task) = executor.tasks.get(name)
        {
            let run = Run::of_task(agent, &framework.info, executor, task);
            self.effects.push(Effect::Launch(Box::new(run)));
        }
    }

    /// Whether a task is here already: it never begins again, and what is not acknowledged of it is told again.
    fn knows(&mut self, now: Now, framework: &str, task: &str) -> bool {
        let mut own = self.executors.values().filter(|one| one.framework == framework);
        let known = own.any(|one| one.tasks.contains_key(task));
        if known {
            self.send_again(now, framework);
        }
        known
    }

    /// Remembers a framework, and answers its id.
    fn meet(&mut self, info: FrameworkInfo) -> String {
        let id = info.id.as_ref().map(|id| id.value.clone()).unwrap_or_default();
        self.frameworks.insert(id.clone(), Framework { info });
        id
    }
}

/// What runs a single command, as the original names it.
fn command_executor(task: &TaskInfo) -> ExecutorInfo {
    let id = &task.task_id.value;
    let command = task.command.clone().unwrap_or_default();
    let text = match command.shell() {
        true => shortened(command.value()),
        false => shortened(&format!("{}, {}", command.value(), command.arguments.join(", "))),
    };
    let text = match command.shell() {
        true => format!("sh -c '{text}'"),
        false => format!("[{text}]"),
    };
    ExecutorInfo {
        executor_id: ExecutorId { value: id.clone() },
        name: Some(format!("Command Executor (Task: {id}) (Command: {text})")),
        source: Some(id.clone()),
        ..ExecutorInfo::default()
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(NAME_CHARS_MAX) {
        Some(_) => text
            .chars()
            .take(NAME_CHARS_MAX - 3)
            .chain("...".chars())
            .collect(),
        None => text.to_owned(),
    }
}

impl Told {
    /// A process that could not be made.
    pub(super) fn not_launched(killed: bool, why: &str) -> Told {
        match killed {
            true => by_agent(TaskState::TaskKilled, Reason::TaskKilledDuringLaunch, why),
            false => by_agent(TaskState::TaskFailed, Reason::ContainerLaunchFailed, why),
        }
    }
}
