use super::{
    Effect, Framework, HEARTBEAT_INTERVAL, Master, Refused, StreamId, counts, event_of, launch::check_id,
    roles, told,
};
use crate::core::{Now, link::ToAgent};
use mesos_proto::v1::{
    FrameworkId, FrameworkInfo,
    scheduler::{self, event},
};
use std::{collections::BTreeSet, time::Duration};

/// What a failover timeout may be at the most: a year.
const FAILOVER_TIMEOUT_MAX_S: f64 = 365.0 * 86_400.0;

impl Framework {
    /// How long it may be away.
    pub(super) fn failover_timeout(&self) -> Duration {
        let seconds = self.info.failover_timeout();
        match seconds.is_finite() {
            true => Duration::from_secs_f64(seconds.clamp(0.0, FAILOVER_TIMEOUT_MAX_S)),
            false => Duration::ZERO,
        }
    }
}

impl Master {
    pub(super) fn subscribe(
        &mut self,
        now: Now,
        stream: StreamId,
        call: scheduler::Call,
    ) -> Result<(), Refused> {
        let subscribe = call.subscribe.unwrap_or_default();
        let info = subscribe.framework_info;
        let named = info.id.clone().map(|id| id.value).unwrap_or_default();
        if call.framework_id.is_some_and(|id| id.value != named) {
            return Err(Refused::Invalid(
                "Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'"
                    .to_owned(),
            ));
        }
        let suppressed = subscribe.suppressed_roles;
        let checked = roles::check(&info).and_then(|()| roles::check_suppressed(&info, &suppressed));
        // Its own id names directories, as those that the master gives do.
        let checked = checked.and_then(|()| match named.is_empty() {
            true => Ok(()),
            false => check_id(&named).map_err(|why| format!("'FrameworkInfo.id' is invalid: {why}")),
        });
        if let Err(why) = checked.and_then(|()| self.not_completed(&named)) {
            self.turn_away(&stream, why);
            return Ok(());
        }
        let suppressed = suppressed.into_iter().collect();
        let id = match named.is_empty() {
            true => {
                let id = format!("{}-{:04}", self.info.id, self.next_framework);
                self.next_framework += 1;
                self.counts.add(counts::REGISTERED);
                self.admit(now, id.clone(), info, &stream, suppressed);
                id
            }
            false => {
                self.counts.add(counts::REREGISTERED);
                self.fail_over(now, &named, info, &stream, suppressed);
                named
            }
        };
        let mut event = event_of(event::Type::Subscribed);
        event.subscribed = Some(event::Subscribed {
            framework_id: FrameworkId { value: id.clone() },
            heartbeat_interval_seconds: Some(HEARTBEAT_INTERVAL.as_secs_f64()),
            master_info: Some(self.info.clone()),
        });
        self.send(&id, event);
        self.send(&id, event_of(event::Type::Heartbeat));
        self.send_again(&id);
        self.allocate(now);
        Ok(())
    }

    /// Has a framework that is there again told what it did not acknowledge before, without waiting until that is due.
    fn send_again(&mut self, framework: &str) {
        let Some(known) = self.frameworks.get(framework) else {
            return;
        };
        let agents: BTreeSet<String> = known
            .tasks
            .values()
            .map(|task| task.agent_id.value.clone())
            .collect();
        for agent in agents {
            let framework = framework.to_owned();
            self.tell_agent(&agent, ToAgent::SendAgain { framework });
        }
    }

    fn admit(
        &mut self,
        now: Now,
        id: String,
        mut info: FrameworkInfo,
        stream: &str,
        suppressed: BTreeSet<String>,
    ) {
        info.id = Some(FrameworkId { value: id.clone() });
        let mut framework = Framework::new(now, info);
        framework.stream = Some(stream.to_owned());
        framework.suppressed = suppressed;
        self.frameworks.insert(id.clone(), framework);
        self.tell_framework(&id, told::framework_added);
    }

    /// A known framework comes back, or another instance of it takes over.
    fn fail_over(
        &mut self,
        now: Now,
        id: &str,
        mut info: FrameworkInfo,
        stream: &str,
        suppressed: BTreeSet<String>,
    ) {
        self.remove_offers_of(id);
        let Some(framework) = self.frameworks.get_mut(id) else {
            return self.admit(now, id.to_owned(), info, stream, suppressed);
        };
        let before = framework.stream.replace(stream.to_owned());
        // What agents keep of a framework does not change.
        info.checkpoint = framework.info.checkpoint;
        info.user.clone_from(&framework.info.user);
        framework.info = info;
        framework.suppressed = suppressed;
        framework.filters.forget(|_| true);
        framework.inverse_filters.clear();
        framework.waits.clear();
        framework.reregistered = now.wall;
        if std::mem::take(&mut framework.recovered) {
            framework.registered = now.wall;
        }
        framework.gone_at = None;
        if let Some(before) = before {
            self.turn_away(&before, "Framework failed over".to_owned());
        }
        self.tell_framework(id, told::framework_updated);
    }

    /// A framework says anew what it is.
    pub(super) fn update_framework(
        &mut self,
        now: Now,
        id: &str,
        call: scheduler::call::UpdateFramework,
    ) -> Result<(), Refused> {
        let mut info = call.framework_info;
        roles::check(&info)
            .and_then(|()| roles::check_suppressed(&info, &call.suppressed_roles))
            .map_err(|why| Refused::Invalid(format!("Supplied FrameworkInfo is not valid: {why}")))?;
        let Some(framework) = self.frameworks.get_mut(id) else {
            return Err(Refused::UnknownFramework);
        };
        roles::check_update(&framework.info, &info).map_err(Refused::Invalid)?;
        info.id.clone_from(&framework.info.id);
        framework.info = info;
        framework.suppressed = call.suppressed_roles.into_iter().collect();
        let roles = framework.roles();
        framework
            .filters
            .forget(|role| !roles.iter().any(|one| one == role));
        framework.waits.retain(|role, _| roles.contains(role));
        let left: Vec<String> = self
            .offers
            .iter()
            .filter(|(_, offer)| offer.framework == id && !roles.contains(&offer.role))
            .map(|(offer, _)| offer.clone())
            .collect();
        for offer in left {
            self.rescind(&offer);
        }
        self.tell_framework(id, told::framework_updated);
        self.allocate(now);
        Ok(())
    }

    /// Tells a scheduler why it is not subscribed, or no more.
    fn turn_away(&mut self, stream: &str, why: String) {
        let mut event = event_of(event::Type::Error);
        event.error = Some(event::Error { message: why });
        self.effects.push(Effect::Event {
            stream: stream.to_owned(),
            event: Box::new(event),
        });
        self.effects.push(Effect::Close {
            stream: stream.to_owned(),
        });
    }

    fn not_completed(&self, id: &str) -> Result<(), String> {
        match self.completed.iter().any(|framework| framework.id() == id) {
            true => Err("Framework has been removed".to_owned()),
            false => Ok(()),
        }
    }

    /// An event stream ended: its framework has its failover timeout to come back.
    pub(super) fn closed(&mut self, now: Now, stream: &str) {
        let mut all = self.frameworks.values_mut();
        let Some(framework) = all.find(|one| one.stream.as_deref() == Some(stream)) else {
            return;
        };
        framework.stream = None;
        framework.gone_at = Some(now.elapsed + framework.failover_timeout());
        let id = framework.id().to_owned();
        self.remove_offers_of(&id);
        self.tell_framework(&id, told::framework_updated);
        self.expire(now);
    }

    /// Gives up what had its time.
    pub(super) fn expire(&mut self, now: Now) {
        let gone = |framework: &&Framework| framework.gone_at.is_some_and(|at| at <= now.elapsed);
        let gone: Vec<String> = self
            .frameworks
            .values()
            .filter(gone)
            .map(|one| one.id().to_owned())
            .collect();
        for id in gone {
            self.teardown(now, &id);
        }
        for framework in self.frameworks.values_mut() {
            framework.filters.expire(now);
            framework.inverse_filters.retain(|_, until| *until > now.elapsed);
        }
    }

    /// Ends a framework and all that it runs.
    pub(super) fn teardown(&mut self, now: Now, id: &str) {
        self.remove_offers_of(id);
        let Some(mut framework) = self.frameworks.shift_remove(id) else {
            return;
        };
        if let Some(stream) = framework.stream.take() {
            self.effects.push(Effect::Close { stream });
        }
        let mut agents: BTreeSet<String> = BTreeSet::new();
        agents.extend(framework.tasks.values().map(|task| task.agent_id.value.clone()));
        for (agent, one) in &mut self.agents {
            let uses = one.executors_use(id);
            let before = one.executors.len();
            one.executors.retain(|(of, _), _| of != id);
            if one.executors.len() < before {
                agents.insert(agent.clone());
                one.available.add(&uses.unallocated());
            }
        }
        for agent in agents {
            self.give_back(&agent, &framework.used(Some(&agent)));
            self.tell_agent(
                &agent,
                ToAgent::Shutdown {
                    framework: id.to_owned(),
                },
            );
        }
        self.rescind_inverse_of(id);
        self.operations
            .retain(|_, operation| operation.framework_id.as_ref().is_none_or(|of| of.value != id));
        self.tell(|_| told::framework_removed(&framework.info));
        framework.unregistered = Some(now.wall);
        framework.gone_at = None;
        let room = self.policy.max_completed_tasks_per_framework;
        let unreachable = std::mem::take(&mut framework.unreachable_tasks);
        for (_, mut task) in std::mem::take(&mut framework.tasks)
            .into_iter()
            .chain(unreachable)
        {
            if !crate::core::link::is_terminal(task.state()) {
                task.set_state(mesos_proto::v1::TaskState::TaskKilled);
            }
            framework.completed_tasks.push_back(task);
            if framework.completed_tasks.len() > room {
                framework.completed_tasks.pop_front();
            }
        }
        self.completed.push_back(framework);
        if self.completed.len() > self.policy.max_completed_frameworks {
            self.completed.pop_front();
        }
    }
}
