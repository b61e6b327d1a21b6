use super::Master;
use crate::core::{
    Now,
    link::ToAgent,
    resources::{Resources, decimal},
};
use mesos_proto::v1::{
    ExecutorId, FrameworkId, Resource, Task, TaskInfo, TaskState, resource::AllocationInfo,
    task_status::Reason,
};

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
        for resource in &mut task.resources {
            allocate_to(resource, launching.role);
        }
        let uses = match self.check(launching, &task) {
            Ok(uses) => uses,
            Err(why) => {
                let (state, reason) = (TaskState::TaskError, Reason::TaskInvalid);
                return self.refuse_task(now, launching.framework, &task, state, reason, why);
            }
        };
        let Some(framework) = self.frameworks.get_mut(launching.framework) else {
            return;
        };
        launching.left.subtract(&uses);
        framework
            .tasks
            .insert(task.task_id.value.clone(), staging(launching.framework, &task));
        let info = Box::new(framework.info.clone());
        self.tell_agent(
            launching.agent,
            ToAgent::Run {
                framework: info,
                task: Box::new(task),
            },
        );
    }

    /// What a task uses, if it may be launched. Texts are the original's.
    fn check(&self, launching: &Launching<'_>, task: &TaskInfo) -> Result<Resources, String> {
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
        if task.executor.is_some() == task.command.is_some() {
            let why =
                "Task should have at least one (but no more than one) of CommandInfo or ExecutorInfo present";
            return Err(why.to_owned());
        }
        if task.executor.is_some() {
            return Err("Executors of one's own are not supported here".to_owned());
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
        match launching.left.contains(&uses) {
            true => Ok(uses),
            false => Err(format!(
                "Task uses more resources {uses} than available {}",
                launching.left
            )),
        }
    }
}

/// An id becomes the name of a directory.
fn check_id(id: &str) -> Result<(), String> {
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
fn allocate_to(resource: &mut Resource, role: &str) {
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
        executor_id: None::<ExecutorId>,
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
