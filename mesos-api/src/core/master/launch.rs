use super::{Master, told};
use crate::core::{
    Now,
    link::ToAgent,
    resources::{Resources, decimal, upgrade},
};
use mesos_proto::v1::{
    ExecutorInfo, FrameworkId, Resource, Task, TaskInfo, TaskState, executor_info, offer::operation,
    resource::AllocationInfo, task_status::Reason,
};
use std::collections::BTreeSet;

/// Characters that an id may have at the most, as it names a directory.
const ID_BYTES_MAX: usize = 255;

/// What a launch takes from.
pub(super) struct Launching<'a> {
    pub(super) framework: &'a str,
    pub(super) agent: &'a str,
    pub(super) role: &'a str,
    /// What is left of the accepted offers.
    pub(super) left: &'a mut Resources,
}

impl Master {
    /// Launches a task on accepted offers, or tells the framework why not.
    pub(super) fn launch(&mut self, now: Now, launching: &mut Launching<'_>, mut task: TaskInfo) {
        task.resources
            .iter_mut()
            .for_each(|one| allocate_to(one, launching.role));
        if let Some(executor) = &mut task.executor {
            self.complete_executor(launching, executor);
        }
        let (uses, executor) = match self.check(launching, &task) {
            Ok(checked) => checked,
            Err(why) => {
                let (state, reason) = (TaskState::TaskError, Reason::TaskInvalid);
                return self.refuse_task(now, launching.framework, &task, state, reason, why);
            }
        };
        let Some(framework) = self.frameworks.get(launching.framework) else {
            return;
        };
        let info = Box::new(framework.info.clone());
        launching.left.subtract(&uses);
        let launch_executor = executor.is_some();
        if let Some(executor) = executor {
            launching.left.subtract(&executor);
            self.add_executor(launching, task.executor.clone());
        }
        self.stage(launching, &task);
        self.tell_agent(
            launching.agent,
            ToAgent::Run {
                framework: info,
                task: Box::new(task),
                launch_executor,
            },
        );
    }

    /// Launches tasks that share the default executor: all of them, or none.
    pub(super) fn launch_group(
        &mut self,
        now: Now,
        launching: &mut Launching<'_>,
        mut group: operation::LaunchGroup,
    ) {
        self.complete_executor(launching, &mut group.executor);
        let mut tasks = group.task_group.tasks;
        for task in &mut tasks {
            task.resources
                .iter_mut()
                .for_each(|one| allocate_to(one, launching.role));
        }
        let (uses, first) = match self.check_group(launching, &group.executor, &tasks) {
            Ok(checked) => checked,
            Err(why) => {
                for task in &tasks {
                    let (state, reason) = (TaskState::TaskError, Reason::TaskGroupInvalid);
                    self.refuse_task(now, launching.framework, task, state, reason, why.clone());
                }
                return;
            }
        };
        let Some(framework) = self.frameworks.get(launching.framework) else {
            return;
        };
        let info = Box::new(framework.info.clone());
        launching.left.subtract(&uses);
        if first {
            self.add_executor(launching, Some(group.executor.clone()));
        }
        for task in &tasks {
            let mut staged = task.clone();
            staged.executor = Some(group.executor.clone());
            self.stage(launching, &staged);
        }
        self.tell_agent(
            launching.agent,
            ToAgent::RunGroup {
                framework: info,
                executor: Box::new(group.executor),
                tasks,
                launch_executor: first,
            },
        );
    }

    fn stage(&mut self, launching: &Launching<'_>, task: &TaskInfo) {
        let staged = staging(launching.framework, task);
        self.tell(|_| told::task_added(&staged));
        if let Some(framework) = self.frameworks.get_mut(launching.framework) {
            framework.tasks.insert(task.task_id.value.clone(), staged);
        }
        self.note_launched(launching.framework, launching.role);
    }

    fn add_executor(&mut self, launching: &Launching<'_>, executor: Option<ExecutorInfo>) {
        if let (Some(executor), Some(agent)) = (executor, self.agents.get_mut(launching.agent)) {
            let key = (launching.framework.to_owned(), executor.executor_id.value.clone());
            agent.executors.insert(key, executor);
        }
    }

    /// What a framework may leave out of an executor.
    fn complete_executor(&self, launching: &Launching<'_>, executor: &mut ExecutorInfo) {
        executor.framework_id.get_or_insert_with(|| FrameworkId {
            value: launching.framework.to_owned(),
        });
        let kind = match executor.command {
            Some(_) => executor_info::Type::Custom,
            None => executor_info::Type::Default,
        };
        executor.r#type.get_or_insert(kind as i32);
        executor
            .resources
            .iter_mut()
            .for_each(|one| allocate_to(one, launching.role));
    }

    fn check_group(
        &self,
        launching: &Launching<'_>,
        executor: &ExecutorInfo,
        tasks: &[TaskInfo],
    ) -> Result<(Resources, bool), String> {
        if executor.r#type() != executor_info::Type::Default || executor.command.is_some() {
            return Err("'ExecutorInfo.type' must be 'DEFAULT', without a command".to_owned());
        }
        if tasks.is_empty() {
            return Err("Task group cannot be empty".to_owned());
        }
        let mut all = Resources::default();
        let mut ids = BTreeSet::new();
        for task in tasks {
            let id = &task.task_id.value;
            let wrong = |why: String| format!("Task '{id}' is invalid: {why}");
            if task.executor.is_some() {
                return Err(wrong("'TaskInfo.executor' must not be set".to_owned()));
            }
            if !ids.insert(id) {
                return Err(wrong(format!("Task has duplicate ID: {id}")));
            }
            all.add(&self.check_task(launching, task).map_err(wrong)?);
        }
        let first = self.check_executor(launching, executor)?;
        if let Some(own) = &first {
            all.add(own);
        }
        match launching.left.contains(&all) {
            true => Ok((all, first.is_some())),
            false => Err(format!(
                "Total resources {all} required by task group and its executor are more than available {}",
                launching.left
            )),
        }
    }

    /// What an executor uses where the task is the first that it runs on this agent.
    fn check_executor(
        &self,
        launching: &Launching<'_>,
        executor: &ExecutorInfo,
    ) -> Result<Option<Resources>, String> {
        check_id(&executor.executor_id.value)?;
        let of = executor.framework_id.as_ref().map_or("", |id| &id.value);
        if of != launching.framework {
            return Err(format!(
                "ExecutorInfo has an invalid FrameworkID (Actual: {of} vs Expected: {})",
                launching.framework
            ));
        }
        if executor.r#type() == executor_info::Type::Custom && executor.command.is_none() {
            return Err("'ExecutorInfo.command' must be set for 'CUSTOM' executor".to_owned());
        }
        let key = (launching.framework.to_owned(), executor.executor_id.value.clone());
        let known = self
            .agents
            .get(launching.agent)
            .and_then(|agent| agent.executors.get(&key));
        match known {
            Some(known) if known != executor => Err(format!(
                "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID '{}'",
                key.1
            )),
            Some(_) => Ok(None),
            None => Resources::of(&executor.resources)
                .map(Some)
                .map_err(|why| format!("Executor uses invalid resources: {why}")),
        }
    }

    /// What a task and its executor use, if it may be launched. Texts are the original's.
    fn check(
        &self,
        launching: &Launching<'_>,
        task: &TaskInfo,
    ) -> Result<(Resources, Option<Resources>), String> {
        let uses = self.check_task(launching, task)?;
        if task.executor.is_some() == task.command.is_some() {
            let why =
                "Task should have at least one (but no more than one) of CommandInfo or ExecutorInfo present";
            return Err(why.to_owned());
        }
        let executor = match &task.executor {
            Some(executor) => self.check_executor(launching, executor)?,
            None => None,
        };
        let mut all = uses.clone();
        executor.iter().for_each(|own| all.add(own));
        match launching.left.contains(&all) {
            true => Ok((uses, executor)),
            false => Err(format!(
                "Task uses more resources {all} than available {}",
                launching.left
            )),
        }
    }

    /// What a task uses, where it makes sense.
    fn check_task(&self, launching: &Launching<'_>, task: &TaskInfo) -> Result<Resources, String> {
        let id = &task.task_id.value;
        check_id(id)?;
        let framework = self.frameworks.get(launching.framework);
        if framework.is_some_and(|framework| framework.tasks.contains_key(id)) {
            return Err(format!("Task has duplicate ID: {id}"));
        }
        if task.agent_id.value != launching.agent {
            return Err(format!(
                "Task uses invalid agent {} while agent {} is expected",
                task.agent_id.value, launching.agent
            ));
        }
        if task.container.as_ref().is_some_and(|one| one.docker.is_some()) {
            return Err("Docker containers are not supported here".to_owned());
        }
        if task.resources.is_empty() {
            return Err("Task uses no resources".to_owned());
        }
        let uses =
            Resources::of(&task.resources).map_err(|why| format!("Task uses invalid resources: {why}"))?;
        for name in ["cpus", "mem", "disk"] {
            let wanted = uses.scalar(name);
            if wanted == 0 && task.resources.iter().any(|one| one.name == name) {
                return Err(format!(
                    "Task uses invalid resources: {name} of {} is too little",
                    decimal(wanted)
                ));
            }
        }
        Ok(uses)
    }
}

/// An id becomes the name of a directory.
pub(super) fn check_id(id: &str) -> Result<(), String> {
    let wrong = |at: char| at.is_control() || at == '/' || at == '\\';
    match () {
        () if id.is_empty() => Err("ID must not be empty".to_owned()),
        () if id.len() > ID_BYTES_MAX => {
            Err(format!("ID must not be greater than {ID_BYTES_MAX} characters"))
        }
        () if id == "." || id == ".." => Err(format!("'{id}' is disallowed")),
        () if id.contains(wrong) => Err(format!("'{id}' contains invalid characters")),
        () => Ok(()),
    }
}

/// Resources of a task belong to the role of the offer, also where a framework of one role does not say so.
pub(super) fn allocate_to(resource: &mut Resource, role: &str) {
    upgrade(resource);
    resource.allocation_info.get_or_insert_with(|| AllocationInfo {
        role: Some(role.to_owned()),
    });
}

/// The task as the master tells of it from now on.
fn staging(framework: &str, task: &TaskInfo) -> Task {
    Task {
        name: task.name.clone(),
        task_id: task.task_id.clone(),
        framework_id: FrameworkId {
            value: framework.to_owned(),
        },
        executor_id: task
            .executor
            .as_ref()
            .map(|executor| executor.executor_id.clone()),
        agent_id: task.agent_id.clone(),
        state: TaskState::TaskStaging as i32,
        resources: task.resources.clone(),
        labels: task.labels.clone(),
        discovery: task.discovery.clone(),
        container: task.container.clone(),
        health_check: task.health_check.clone(),
        kill_policy: task.kill_policy,
        user: task.command.as_ref().and_then(|command| command.user.clone()),
        limits: task.limits.clone(),
        ..Task::default()
    }
}
