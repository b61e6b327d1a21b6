use super::{Effect, Framework, Master, Refused, StreamId, event_of};
use crate::core::{Now, link::ToAgent};
use indexmap::IndexMap;
use mesos_proto::v1::{
    FrameworkId, FrameworkInfo,
    framework_info::capability,
    scheduler::{self, event},
};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// What a failover timeout may be at the most: a year.
const FAILOVER_TIMEOUT_MAX_S: f64 = 365.0 * 86_400.0;

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
        if let Err(why) = check(&info).and_then(|()| self.not_completed(&named)) {
            self.turn_away(&stream, why);
            return Ok(());
        }
        let suppressed = subscribe.suppressed_roles.into_iter().collect();
        let id = match named.is_empty() {
            true => self.admit(now, info, &stream, suppressed),
            false => self.fail_over(now, named, info, &stream, suppressed),
        };
        let mut event = event_of(event::Type::Subscribed);
        event.subscribed = Some(event::Subscribed {
            framework_id: FrameworkId { value: id.clone() },
            heartbeat_interval_seconds: Some(self.policy.heartbeat_interval.as_secs_f64()),
            master_info: Some(self.info.clone()),
        });
        self.send(&id, event);
        self.send(&id, event_of(event::Type::Heartbeat));
        self.allocate(now);
        Ok(())
    }

    fn admit(&mut self, now: Now, info: FrameworkInfo, stream: &str, suppressed: BTreeSet<String>) -> String {
        let id = format!("{}-{:04}", self.info.id, self.next_framework);
        self.next_framework += 1;
        self.insert(now, id, info, stream, suppressed)
    }

    fn insert(
        &mut self,
        now: Now,
        id: String,
        mut info: FrameworkInfo,
        stream: &str,
        suppressed: BTreeSet<String>,
    ) -> String {
        info.id = Some(FrameworkId { value: id.clone() });
        let framework = Framework {
            info,
            stream: Some(stream.to_owned()),
            suppressed,
            filters: Vec::new(),
            tasks: IndexMap::new(),
            completed_tasks: VecDeque::new(),
            registered: now.wall,
            reregistered: now.wall,
            unregistered: None,
            gone_at: None,
        };
        self.frameworks.insert(id.clone(), framework);
        id
    }

    /// A known framework comes back, or another instance of it takes over.
    fn fail_over(
        &mut self,
        now: Now,
        id: String,
        info: FrameworkInfo,
        stream: &str,
        suppressed: BTreeSet<String>,
    ) -> String {
        self.remove_offers_of(&id);
        let Some(framework) = self.frameworks.get_mut(&id) else {
            return self.insert(now, id, info, stream, suppressed);
        };
        let before = framework.stream.replace(stream.to_owned());
        framework.info = info;
        framework.suppressed = suppressed;
        framework.filters.clear();
        framework.reregistered = now.wall;
        framework.gone_at = None;
        if let Some(before) = before {
            self.turn_away(&before, "Framework failed over".to_owned());
        }
        id
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
        let timeout = framework
            .info
            .failover_timeout()
            .clamp(0.0, FAILOVER_TIMEOUT_MAX_S);
        framework.gone_at = Some(now.elapsed + Duration::from_secs_f64(timeout));
        let id = framework.id().to_owned();
        self.remove_offers_of(&id);
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
            framework.filters.retain(|filter| filter.until > now.elapsed);
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
        let agents: BTreeSet<String> = framework
            .tasks
            .values()
            .map(|task| task.agent_id.value.clone())
            .collect();
        for agent in agents {
            self.give_back(&agent, &framework.used(Some(&agent)));
            self.tell_agent(
                &agent,
                ToAgent::Shutdown {
                    framework: id.to_owned(),
                },
            );
        }
        framework.unregistered = Some(now.wall);
        framework.gone_at = None;
        let room = self.policy.max_completed_tasks_per_framework;
        for (_, mut task) in std::mem::take(&mut framework.tasks) {
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

/// What the original asks of a framework that subscribes.
fn check(info: &FrameworkInfo) -> Result<(), String> {
    let multi_role = info
        .capabilities
        .iter()
        .any(|one| one.r#type == Some(capability::Type::MultiRole as i32));
    if multi_role && info.role.is_some() {
        return Err(
            "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable".to_owned(),
        );
    }
    if !multi_role && !info.roles.is_empty() {
        return Err(
            "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable".to_owned(),
        );
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = info.roles.iter().find(|role| !seen.insert(*role)) {
        return Err(format!("'FrameworkInfo.roles' contains duplicate items: {twice}"));
    }
    info.roles
        .iter()
        .chain(&info.role)
        .find_map(|role| bad_role(role))
        .map_or(Ok(()), |why| {
            Err(format!("'FrameworkInfo.roles' contains invalid role: {why}"))
        })
}

/// Why a name is none of a role.
fn bad_role(role: &str) -> Option<String> {
    if role.is_empty() {
        return Some("Empty role name is invalid".to_owned());
    }
    if role.starts_with('/') || role.ends_with('/') {
        return Some(format!("Role '{role}' cannot start or end with a slash"));
    }
    let wrong = |part: &str| {
        part.is_empty()
            || part == "."
            || part == ".."
            || part.starts_with('-')
            || part.contains(char::is_whitespace)
    };
    let parts = || role.split('/');
    (parts().any(wrong) || role.contains('/') && parts().any(|part| part == "*"))
        .then(|| format!("Role '{role}' is invalid"))
}
