use super::{Master, Offer, sorter::Sorter};
use crate::core::Now;
use mesos_proto::v1::TaskInfo;
use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    time::Duration,
};

/// Refused tasks of a framework and role that are remembered.
const REFUSED_MAX: usize = 10;
/// How long a framework waits without an offer before a line of the log says why; then every so often.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Why a framework was offered nothing, at the last allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Why {
    /// It was, or it holds offers.
    #[default]
    Offered,
    Suppressed,
    Disconnected,
    NoAgents,
    /// How many agents: refused by itself, closed to it, kept by quotas; the rest is used or offered.
    Agents {
        filtered: u32,
        closed: u32,
        quota: u32,
        of: u32,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Offered => write!(f, "it is offered resources"),
            Why::Suppressed => write!(f, "it suppressed offers"),
            Why::Disconnected => write!(f, "it is not connected"),
            Why::NoAgents => write!(f, "there are no agents"),
            Why::Agents {
                filtered,
                closed,
                quota,
                of,
            } => {
                let busy = of.saturating_sub(filtered + closed + quota);
                write!(
                    f,
                    "of {of} agents it refused {filtered} a while ago, {closed} are reserved for others or need a \
                     capability, {quota} are kept by quotas, {busy} are offered or used"
                )
            }
        }
    }
}

/// A task that was not launched.
#[derive(Debug, Clone)]
pub(crate) struct RefusedTask {
    pub(crate) at: Duration,
    pub(crate) task: String,
    pub(crate) agent: String,
    pub(crate) why: String,
}

/// What a framework made of its offers under one role.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waits {
    pub(crate) offered: u64,
    pub(crate) declined: u64,
    pub(crate) launched: u64,
    /// Since 1970.
    pub(crate) last_offer: Option<Duration>,
    pub(crate) last_declined: Option<(Duration, String)>,
    pub(crate) why: Why,
    pub(crate) refused: VecDeque<RefusedTask>,
    /// In elapsed time.
    logged: Duration,
}

impl Master {
    fn waits(&mut self, framework: &str, role: &str) -> Option<&mut Waits> {
        let framework = self.frameworks.get_mut(framework)?;
        if !framework.waits.contains_key(role) {
            framework.waits.insert(role.to_owned(), Waits::default());
        }
        framework.waits.get_mut(role)
    }

    /// After an allocation: who got nothing, and why.
    pub(super) fn note_round(&mut self, now: Now, sorter: &Sorter) {
        let of = u32::try_from(self.agents.len()).unwrap_or(u32::MAX);
        let offers = self.offers.values();
        let holders: BTreeSet<(String, String)> = offers
            .map(|offer| (offer.framework.clone(), offer.role.clone()))
            .collect();
        for (framework, role, gets, [filtered, closed, quota]) in sorter.notes() {
            let holds = gets > 0 || holders.contains(&(framework.to_owned(), role.to_owned()));
            let Some(waits) = self.waits(framework, role) else {
                continue;
            };
            waits.offered += u64::from(gets);
            if gets > 0 {
                waits.last_offer = Some(now.wall);
            }
            waits.why = match of {
                _ if holds => Why::Offered,
                0 => Why::NoAgents,
                of => Why::Agents {
                    filtered,
                    closed,
                    quota,
                    of,
                },
            };
            if !holds && waits.logged + LOG_EVERY <= now.elapsed {
                waits.logged = now.elapsed;
                let why = waits.why;
                tracing::debug!(framework, role, %why, "no offers");
            }
        }
        for framework in self.frameworks.values_mut() {
            let connected = framework.stream.is_some();
            let suppressed = &framework.suppressed;
            for (role, waits) in &mut framework.waits {
                if !connected {
                    waits.why = Why::Disconnected;
                } else if suppressed.contains(role) {
                    waits.why = Why::Suppressed;
                }
            }
        }
    }

    pub(super) fn note_declined(&mut self, now: Now, offer: &Offer) {
        if let Some(waits) = self.waits(&offer.framework, &offer.role) {
            waits.declined += 1;
            waits.last_declined = Some((now.wall, offer.agent.clone()));
        }
    }

    pub(super) fn note_launched(&mut self, framework: &str, role: &str) {
        if let Some(waits) = self.waits(framework, role) {
            waits.launched += 1;
        }
    }

    pub(super) fn note_refused_task(&mut self, now: Now, framework: &str, task: &TaskInfo, why: &str) {
        let role = task
            .resources
            .first()
            .and_then(|one| one.allocation_info.as_ref());
        let role = role.map_or("*", |info| info.role()).to_owned();
        if let Some(waits) = self.waits(framework, &role) {
            waits.refused.push_back(RefusedTask {
                at: now.wall,
                task: task.task_id.value.clone(),
                agent: task.agent_id.value.clone(),
                why: why.to_owned(),
            });
            if waits.refused.len() > REFUSED_MAX {
                waits.refused.pop_front();
            }
        }
    }
}
