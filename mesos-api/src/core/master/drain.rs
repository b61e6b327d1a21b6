use super::{Change, Master, Refused, registry::Kept};
use crate::core::{
    Now,
    link::{ToAgent, is_terminal},
};
use mesos_proto::v1::{
    DrainConfig, DrainInfo, DrainState, DurationInfo, KillPolicy, TaskState, framework_info::capability,
    master::call, task_status::Reason,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// An agent is to run nothing any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Drain {
    pub(crate) max_grace_period: Option<DurationInfo>,
    pub(crate) mark_gone: bool,
    /// Whether nothing runs any more.
    pub(crate) drained: bool,
    /// Since 1970.
    pub(crate) started: Duration,
}

impl Drain {
    pub(crate) fn info(&self) -> DrainInfo {
        let state = match self.drained {
            true => DrainState::Drained,
            false => DrainState::Draining,
        };
        DrainInfo {
            state: state as i32,
            config: DrainConfig {
                max_grace_period: self.max_grace_period,
                mark_gone: Some(self.mark_gone),
            },
        }
    }
}

impl Master {
    pub(super) fn drain(&mut self, now: Now, call: &call::DrainAgent) -> Result<(), Refused> {
        let id = &call.agent_id.value;
        let period = call.max_grace_period.as_ref().map(|period| DurationInfo {
            nanoseconds: period
                .seconds()
                .saturating_mul(1_000_000_000)
                .saturating_add(i64::from(period.nanos())),
        });
        if period.is_some_and(|period| period.nanoseconds < 0) {
            return Err(Refused::Invalid(
                "'max_grace_period' must not be negative".to_owned(),
            ));
        }
        let drain = Drain {
            max_grace_period: period,
            mark_gone: call.mark_gone(),
            drained: false,
            started: now.wall,
        };
        if call.mark_gone() && self.unreachable.contains_key(id) {
            self.mark_gone(now, id);
            return Ok(());
        }
        self.decide(id, |kept| {
            kept.deactivated = true;
            kept.drain = Some(drain);
        })?;
        self.kill_for_drain(id);
        self.drained(now);
        Ok(())
    }

    pub(super) fn deactivate(&mut self, id: &str) -> Result<(), Refused> {
        self.decide(id, |kept| kept.deactivated = true)
    }

    pub(super) fn reactivate(&mut self, now: Now, id: &str) -> Result<(), Refused> {
        self.decide(id, |kept| *kept = Kept::default())?;
        self.allocate(now);
        Ok(())
    }

    /// Notes what an operator decided of an agent, wherever it is.
    fn decide(&mut self, id: &str, decide: impl FnOnce(&mut Kept)) -> Result<(), Refused> {
        let known = self.recovered.get(id).cloned();
        let mut kept = self.kept.get(id).cloned().unwrap_or_default();
        let Some(agent) = self.agents.get_mut(id) else {
            decide(&mut kept);
            let decided = kept.clone();
            let change = match (known.map(Box::new), self.unreachable.get(id)) {
                (Some(info), _) => Change::Admitted { info, kept },
                (None, Some(&since)) => Change::Unreachable {
                    agent: id.to_owned(),
                    since,
                    kept,
                },
                (None, None) => return Err(Refused::Invalid(format!("Unknown agent {id}"))),
            };
            self.kept.insert(id.to_owned(), decided);
            self.store(change);
            return Ok(());
        };
        let mut kept = Kept::of(agent);
        decide(&mut kept);
        agent.deactivated = kept.deactivated;
        agent.drain.clone_from(&kept.drain);
        let info = Box::new(agent.info.clone());
        self.store(Change::Admitted { info, kept });
        self.rescind_offers_on(id);
        Ok(())
    }

    /// Asks an agent to end what it runs.
    pub(super) fn kill_for_drain(&mut self, id: &str) {
        let Some(drain) = self.agents.get(id).and_then(|agent| agent.drain.clone()) else {
            return;
        };
        let policy = drain.max_grace_period.map(|grace_period| KillPolicy {
            grace_period: Some(grace_period),
        });
        let mut running = Vec::new();
        for (framework, one) in &self.frameworks {
            let here = one
                .tasks
                .values()
                .filter(|task| task.agent_id.value == id && !is_terminal(task.state()));
            running.extend(here.map(|task| (framework.clone(), task.task_id.value.clone())));
        }
        for (framework, task) in running {
            self.tell_agent(
                id,
                ToAgent::Kill {
                    framework,
                    task,
                    policy,
                },
            );
        }
    }

    /// Agents that run nothing any more are drained, and gone where that was wanted.
    pub(super) fn drained(&mut self, now: Now) {
        let draining = self
            .agents
            .values()
            .filter(|agent| agent.drain.as_ref().is_some_and(|drain| !drain.drained));
        let busy = |id: &str| {
            let mut frameworks = self.frameworks.values();
            frameworks.any(|one| one.tasks.values().any(|task| task.agent_id.value == id))
        };
        let done: Vec<String> = draining
            .map(|agent| agent.id().to_owned())
            .filter(|id| !busy(id))
            .collect();
        for id in done {
            let gone = self.agents.get(&id).and_then(|agent| agent.drain.as_ref());
            if gone.is_some_and(|drain| drain.mark_gone) {
                self.mark_gone(now, &id);
                continue;
            }
            // The agent is there: it was just listed.
            let _ = self.decide(&id, |kept| {
                if let Some(drain) = &mut kept.drain {
                    drain.drained = true;
                }
            });
        }
    }

    /// What a task that was killed on a draining agent is told to have ended by.
    pub(super) fn drain_reason(
        &self,
        agent: &str,
        framework: &str,
        state: TaskState,
    ) -> Option<(TaskState, Reason)> {
        let drain = self.agents.get(agent)?.drain.as_ref()?;
        if state != TaskState::TaskKilled {
            return None;
        }
        let aware = self
            .frameworks
            .get(framework)?
            .has(capability::Type::PartitionAware);
        let state = if drain.mark_gone && aware {
            TaskState::TaskGoneByOperator
        } else {
            state
        };
        Some((state, Reason::AgentDraining))
    }
}
