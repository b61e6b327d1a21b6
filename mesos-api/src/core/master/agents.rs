use super::{
    Agent, Change, Effect, Framework, Link, Master, counts, model::state_of, registry::Kept,
    registry::is_too_much, told,
};
use crate::core::{
    Now,
    link::{Reregistration, ToAgent, is_terminal},
    resources::Resources,
};
use indexmap::IndexMap;
use mesos_proto::v1::{
    AgentId, AgentInfo, Task, TaskState, framework_info::capability, scheduler::event, task_status::Reason,
};

/// Why an agent is refused whose resources or attributes fill the registry.
const TOO_MUCH: &str = "AgentInfo is too large for the registry";

impl Master {
    /// An agent that has no id yet.
    pub(super) fn register_agent(&mut self, now: Now, link: Link, mut info: AgentInfo) {
        if self.links.contains_key(&link) {
            return;
        }
        if is_too_much(&info) {
            return self.refuse_agent(link, TOO_MUCH.to_owned());
        }
        let id = format!("{}-S{}", self.info.id, self.next_agent);
        info.id = Some(AgentId { value: id.clone() });
        let total = info.resources.clone();
        let agent = match Agent::new(info, &total, now) {
            Ok(agent) if !self.down.iter().any(|machine| agent.is_on(machine)) => agent,
            Ok(_) => return self.refuse_agent(link, "Machine is `DOWN`".to_owned()),
            Err(why) => return self.refuse_agent(link, format!("Invalid resources: {why}")),
        };
        self.next_agent += 1;
        self.counts.add(counts::AGENTS_REGISTERED);
        self.admit_agent(link, agent);
        self.allocate_soon(now);
    }

    /// An agent that was known to this master, or to one before it.
    pub(super) fn reregister_agent(&mut self, now: Now, link: Link, all: Reregistration) {
        if self.links.contains_key(&link) {
            // It said so twice: what it was told in between it could not tell of yet.
            return;
        }
        let Some(id) = all.info.id.clone().map(|id| id.value).filter(|id| !id.is_empty()) else {
            return self.refuse_agent(link, "An agent that registers again has an id".to_owned());
        };
        if self.gone.contains_key(&id) {
            return self.refuse_agent(link, "Agent has been marked gone".to_owned());
        }
        if is_too_much(&all.info) {
            return self.refuse_agent(link, TOO_MUCH.to_owned());
        }
        let mut agent = match Agent::new(all.info.clone(), &all.total, now) {
            Ok(agent) => agent,
            Err(why) => return self.refuse_agent(link, format!("Invalid resources: {why}")),
        };
        if self.down.iter().any(|machine| agent.is_on(machine)) {
            return self.refuse_agent(link, "Machine is `DOWN`".to_owned());
        }
        self.counts.add(counts::AGENTS_REREGISTERED);
        let known = self.agents.contains_key(&id);
        let was_unreachable = self.unreachable.shift_remove(&id).is_some();
        agent.reregistered = Some(now.wall);
        if let Some(before) = self.agents.get(&id) {
            agent.registered = before.registered;
            agent.deactivated = before.deactivated;
            agent.drain.clone_from(&before.drain);
            self.unlink(&id);
            self.rescind_offers_on(&id);
            self.forget_missing(now, &id, &all.tasks);
            self.agents.shift_remove(&id);
        } else if let Some(kept) = self.kept.remove(&id) {
            agent.deactivated = kept.deactivated;
            agent.drain = kept.drain;
        }
        self.recovered.shift_remove(&id);
        for executor in &all.executors {
            let framework = executor.framework_id.as_ref().map_or("", |id| &id.value);
            let key = (framework.to_owned(), executor.executor_id.value.clone());
            agent.executors.insert(key, executor.clone());
        }
        let back = self.take_back(now, &mut agent, all);
        self.admit_agent(link, agent);
        for framework in back.removed {
            self.tell_agent(&id, ToAgent::Shutdown { framework });
        }
        if was_unreachable {
            for (framework, task) in back.tasks {
                self.reachable_again(now, &framework, &task);
            }
        }
        if known {
            // Some of it was counted before.
            self.recount();
        }
        self.allocate_soon(now);
    }

    /// The registry knows it before anybody else does.
    fn admit_agent(&mut self, link: Link, agent: Agent) {
        let id = agent.id().to_owned();
        self.store(Change::Admitted {
            info: Box::new(agent.info.clone()),
            kept: Kept::of(&agent),
        });
        self.links.insert(link, id.clone());
        self.tell(|_| told::agent_added(&agent));
        let drain = agent.drain.clone();
        self.agents.insert(
            id.clone(),
            Agent {
                link: Some(link),
                ..agent
            },
        );
        self.tell_agent(&id, ToAgent::Registered { agent: id.clone() });
        if drain.is_some() {
            self.kill_for_drain(&id);
        }
    }

    fn refuse_agent(&mut self, link: Link, why: String) {
        tracing::warn!(why, "an agent is refused");
        let message = ToAgent::Refused { why };
        self.effects.push(Effect::Agent { link, message });
        self.effects.push(Effect::Unlink { link });
    }

    /// What an agent that comes back runs is known again: of frameworks that are known, and of those that will be.
    fn take_back(&mut self, now: Now, agent: &mut Agent, all: Reregistration) -> Back {
        let mut back = Back::default();
        for info in all.frameworks {
            let id = info.id.as_ref().map_or("", |id| &id.value).to_owned();
            if id.is_empty() || self.frameworks.contains_key(&id) {
                continue;
            }
            if self.completed.iter().any(|one| one.id() == id) {
                back.removed.push(id);
                continue;
            }
            let mut framework = Framework::new(now, info);
            framework.recovered = true;
            // It is given at least the time that agents have: what it said of itself counts from its own failure on.
            let timeout = framework
                .failover_timeout()
                .max(self.policy.agent_reregister_timeout);
            framework.gone_at = Some(now.elapsed + timeout);
            self.frameworks.insert(id, framework);
        }
        for mut task in all.tasks {
            task.agent_id = agent.info.id.clone().unwrap_or_default();
            let Some(framework) = self.frameworks.get_mut(&task.framework_id.value) else {
                continue;
            };
            framework.unreachable_tasks.shift_remove(&task.task_id.value);
            if !is_terminal(state_of(task.state)) {
                let uses = Resources::of(&task.resources).unwrap_or_default();
                agent.available.subtract(&uses.unallocated());
                framework.count(&uses);
            }
            back.tasks.push((task.framework_id.value.clone(), task.clone()));
            framework.tasks.insert(task.task_id.value.clone(), task);
        }
        for ((framework, _), info) in &agent.executors {
            let uses = Resources::of(&info.resources).unwrap_or_default();
            agent.available.subtract(&uses.unallocated());
            if let Some(framework) = self.frameworks.get_mut(framework) {
                framework.count(&uses);
            }
        }
        for operation in all.operations {
            self.operations
                .entry(operation.uuid.value.clone())
                .or_insert(operation);
        }
        back
    }

    /// Tasks that the agent does not know got lost on their way to it.
    fn forget_missing(&mut self, now: Now, agent: &str, told: &[Task]) {
        let mut missing: Vec<(String, Task)> = Vec::new();
        for (id, framework) in &mut self.frameworks {
            let lost = |task: &Task| {
                task.agent_id.value == agent
                    && !told
                        .iter()
                        .any(|one| one.task_id == task.task_id && one.framework_id.value == *id)
            };
            let (gone, kept): (IndexMap<_, _>, IndexMap<_, _>) = std::mem::take(&mut framework.tasks)
                .into_iter()
                .partition(|(_, task)| lost(task));
            framework.tasks = kept;
            missing.extend(gone.into_values().map(|task| (id.clone(), task)));
        }
        for (framework, task) in missing {
            if is_terminal(state_of(task.state)) {
                self.complete(&framework, task);
                continue;
            }
            let why = "Task was not received by the agent";
            self.lose(
                now,
                &framework,
                task,
                TaskState::TaskDropped,
                Reason::AgentDisconnected,
                why,
            );
        }
    }

    /// Ends a task without its agent: `aware` is its state for frameworks that know of partitions, TASK_LOST for others.
    pub(super) fn lose(
        &mut self,
        now: Now,
        framework: &str,
        mut task: Task,
        aware: TaskState,
        reason: Reason,
        why: &str,
    ) {
        let knows = self.frameworks.get(framework);
        let knows = knows.is_some_and(|one| one.has(capability::Type::PartitionAware));
        let state = if knows { aware } else { TaskState::TaskLost };
        let mut status = super::tasks::by_master(&task.task_id, Some(&task.agent_id), state, now);
        status.executor_id.clone_from(&task.executor_id);
        status.message = Some(why.to_owned());
        status.reason = Some(reason as i32);
        if reason == Reason::AgentRemoved {
            status.unreachable_time = Some(super::time_info(now.wall));
        }
        task.state = state as i32;
        task.status_update_state = Some(state as i32);
        task.statuses.push(status.clone());
        self.tell_update(framework, &status, state);
        match aware {
            TaskState::TaskUnreachable => self.keep_unreachable(framework, task),
            _ => self.complete(framework, task),
        }
        self.send_status(framework, status);
    }

    fn keep_unreachable(&mut self, framework: &str, task: Task) {
        let room = self.policy.max_unreachable_tasks_per_framework;
        if let Some(framework) = self.frameworks.get_mut(framework) {
            framework
                .unreachable_tasks
                .insert(task.task_id.value.clone(), task);
            if framework.unreachable_tasks.len() > room {
                framework.unreachable_tasks.shift_remove_index(0);
            }
        }
    }

    /// A task whose agent was out of reach goes on.
    fn reachable_again(&mut self, now: Now, framework: &str, task: &Task) {
        if is_terminal(state_of(task.state)) {
            return;
        }
        let mut status = super::tasks::latest(task, now);
        status.message = Some("Unreachable agent re-registered".to_owned());
        status.reason = Some(Reason::AgentReregistered as i32);
        self.send_status(framework, status);
    }

    /// Asks agents for a sign of life; who answers none for too long is out of reach.
    pub(super) fn ping(&mut self, now: Now) {
        let (every, most) = (
            self.policy.agent_ping_timeout,
            self.policy.max_agent_ping_timeouts,
        );
        let mut lost = Vec::new();
        for (id, agent) in &mut self.agents {
            if now.elapsed < agent.pinged + every {
                continue;
            }
            agent.pinged = now.elapsed;
            if agent.missed >= most {
                lost.push(id.clone());
                continue;
            }
            agent.missed += 1;
            if let Some(link) = agent.link {
                let message = ToAgent::Ping;
                self.effects.push(Effect::Agent { link, message });
            }
        }
        for id in lost {
            self.mark_unreachable(now, &id);
        }
    }

    pub(super) fn ponged(&mut self, agent: &str) {
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.missed = 0;
        }
    }

    /// The way to an agent ended. It may come back; until then nothing of it is offered.
    pub(super) fn unlinked(&mut self, link: Link) {
        let Some(id) = self.links.remove(&link) else {
            return;
        };
        if let Some(agent) = self.agents.get_mut(&id).filter(|agent| agent.link == Some(link)) {
            agent.link = None;
            self.rescind_offers_on(&id);
        }
    }

    fn unlink(&mut self, agent: &str) {
        let link = self.agents.get_mut(agent).and_then(|one| one.link.take());
        if let Some(link) = link {
            self.links.remove(&link);
            self.effects.push(Effect::Unlink { link });
        }
    }

    fn mark_unreachable(&mut self, now: Now, id: &str) {
        tracing::warn!(agent = id, "an agent answers no pings: it is out of reach");
        let kept = self.agents.get(id).map(Kept::of);
        self.store(Change::Unreachable {
            agent: id.to_owned(),
            since: now.wall,
            kept: kept.unwrap_or_default(),
        });
        self.unreachable.insert(id.to_owned(), now.wall);
        self.counts.add(counts::AGENTS_UNREACHABLE);
        self.counts.add(counts::AGENTS_REMOVED_UNHEALTHY);
        self.forget_oldest();
        let why = "Agent is unreachable";
        self.remove_agent(now, id, TaskState::TaskUnreachable, Reason::AgentRemoved, why);
    }

    /// Of agents that are away or gone only so many are remembered.
    fn forget_oldest(&mut self) {
        let room = self.policy.registry_max_agent_count;
        let mut oldest = Vec::new();
        for all in [&mut self.unreachable, &mut self.gone] {
            if all.len() > room {
                oldest.extend(all.shift_remove_index(0));
            }
        }
        for (agent, _) in oldest {
            self.store(Change::Forgotten { agent });
        }
    }

    /// An operator knows that it will not come back.
    pub(super) fn mark_gone(&mut self, now: Now, id: &str) {
        self.store(Change::Gone {
            agent: id.to_owned(),
            since: now.wall,
        });
        self.gone.insert(id.to_owned(), now.wall);
        self.forget_oldest();
        self.unreachable.shift_remove(id);
        self.recovered.shift_remove(id);
        self.kept.remove(id);
        let message = ToAgent::Refused {
            why: "Agent has been marked gone".to_owned(),
        };
        self.tell_agent(id, message);
        let why = "Agent has been marked gone";
        self.remove_agent(
            now,
            id,
            TaskState::TaskGoneByOperator,
            Reason::AgentRemovedByOperator,
            why,
        );
        let mut away = Vec::new();
        for (framework, one) in &mut self.frameworks {
            let (gone, rest): (IndexMap<_, _>, IndexMap<_, _>) = std::mem::take(&mut one.unreachable_tasks)
                .into_iter()
                .partition(|(_, task)| task.agent_id.value == id);
            one.unreachable_tasks = rest;
            away.extend(gone.into_values().map(|task| (framework.clone(), task)));
        }
        for (framework, task) in away {
            let (state, reason) = (TaskState::TaskGoneByOperator, Reason::AgentRemovedByOperator);
            self.lose(now, &framework, task, state, reason, why);
        }
    }

    /// An agent is no more: what it ran has come to `state`, and what was offered of it is no longer there.
    pub(super) fn remove_agent(&mut self, now: Now, id: &str, state: TaskState, reason: Reason, why: &str) {
        if !self.agents.contains_key(id) {
            return;
        }
        self.counts.add(counts::AGENTS_REMOVED);
        self.rescind_offers_on(id);
        self.rescind_inverse_on(id);
        self.unlink(id);
        if let Some(agent) = self.agents.shift_remove(id)
            && (agent.deactivated || agent.drain.is_some())
        {
            self.kept.insert(id.to_owned(), Kept::of(&agent));
        }
        let mut ended = Vec::new();
        for (framework, one) in &mut self.frameworks {
            let (gone, rest): (IndexMap<_, _>, IndexMap<_, _>) = std::mem::take(&mut one.tasks)
                .into_iter()
                .partition(|(_, task)| task.agent_id.value == id);
            one.tasks = rest;
            ended.extend(gone.into_values().map(|task| (framework.clone(), task)));
        }
        for (framework, task) in ended {
            match is_terminal(state_of(task.state)) {
                true => self.complete(&framework, task),
                false => self.lose(now, &framework, task, state, reason, why),
            }
        }
        self.lose_operations(id, state);
        self.recount();
        self.tell(|_| told::agent_removed(id));
        let listening: Vec<String> = self.frameworks.keys().cloned().collect();
        for framework in listening {
            let mut event = super::event_of(event::Type::Failure);
            event.failure = Some(event::Failure {
                agent_id: Some(AgentId { value: id.to_owned() }),
                ..event::Failure::default()
            });
            self.send(&framework, event);
        }
    }

    /// Agents of an earlier master had their time.
    pub(super) fn give_up_recovered(&mut self, now: Now) {
        if self.recovered.is_empty() || now.elapsed < self.recovered_until {
            return;
        }
        for id in std::mem::take(&mut self.recovered).into_keys() {
            tracing::warn!(
                agent = id,
                "an agent of an earlier master did not come back: it is out of reach"
            );
            self.counts.add(counts::RECOVERY_REMOVALS);
            let kept = self.kept.get(&id).cloned();
            self.store(Change::Unreachable {
                agent: id.clone(),
                since: now.wall,
                kept: kept.unwrap_or_default(),
            });
            self.unreachable.insert(id, now.wall);
        }
    }

    /// Counts again what each framework has. What changes little by little is counted as it changes.
    pub(super) fn recount(&mut self) {
        for framework in self.frameworks.values_mut() {
            framework.allocated.clear();
            let mut has = framework.used(None);
            let own = |offer: &&super::Offer| offer.framework == framework.id();
            self.offers
                .values()
                .filter(own)
                .for_each(|offer| has.add(&offer.resources));
            self.agents
                .values()
                .for_each(|agent| has.add(&agent.executors_use(framework.id())));
            framework.allocated = has.by_role();
        }
    }
}

/// What came back with an agent.
#[derive(Default)]
struct Back {
    /// Each with its framework.
    tasks: Vec<(String, Task)>,
    /// Frameworks that are no more.
    removed: Vec<String>,
}
