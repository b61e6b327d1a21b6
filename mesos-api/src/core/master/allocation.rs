use super::{
    Master, Offer, counts, event_of,
    model::{Agent, Framework},
    sorter::Sorter,
};
use crate::core::{
    Now,
    resources::{Resources, Scalars},
};
use mesos_proto::v1::{
    self, AgentId, FrameworkId, OfferId, Resource, Url, framework_info::capability, resource::AllocationInfo,
    scheduler::event,
};
use std::{collections::BTreeMap, time::Duration};

/// Thousandths of a CPU below which it is not worth an offer, unless there is memory.
const MIN_CPUS: i64 = 10;
/// Thousandths of a MB, the same.
const MIN_MEM: i64 = 32_000;
/// Agents up to which each newcomer is offered without waiting for the next cycle.
const PROMPT_AGENTS_MAX: usize = 100;
/// Longest time for which resources may be refused: 365 days, as the original clamps it.
const REFUSE_S_MAX: f64 = 365.0 * 86_400.0;
const REFUSE_S_DEFAULT: f64 = 5.0;

/// Why a framework is not offered what an agent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Not {
    /// It refused it a while ago.
    Filtered,
    /// It is reserved for others, or needs a capability that the framework lacks.
    Closed,
    /// Its role has all that it may have, or others were promised the rest.
    Quota,
}

impl Master {
    /// Allocates at once where there are few agents: many may come at the same time, and wait for the next cycle.
    pub(super) fn allocate_soon(&mut self, now: Now) {
        if self.agents.len() <= PROMPT_AGENTS_MAX {
            self.allocate(now);
        }
    }

    /// Offers what is available to who has the least, by dominant share of roles and, within one, of frameworks:
    /// first what was promised to roles, then the rest.
    pub(super) fn allocate(&mut self, now: Now) {
        self.counts.add(counts::ALLOCATION_RUNS);
        let mut sorter = Sorter::new(self);
        let count = self.agents.len();
        self.turn = self.turn.wrapping_add(1);
        let start = self.turn;
        let mut made: BTreeMap<String, Vec<v1::Offer>> = BTreeMap::new();
        let rounds: &[bool] = if self.quotas.is_empty() {
            &[false]
        } else {
            &[true, false]
        };
        for promised in rounds {
            for at in (0..count).map(|offset| start.wrapping_add(offset) % count) {
                while let Some((candidate, resources)) = self.pick(&mut sorter, at, *promised, now) {
                    let (framework, role) = sorter.names(candidate);
                    sorter.charge(candidate, &resources.scalars());
                    let Some(offer) = self.offer(at, framework, role, resources) else {
                        break;
                    };
                    made.entry(offer.framework_id.value.clone())
                        .or_default()
                        .push(offer);
                }
            }
        }
        self.note_round(now, &sorter);
        for (framework, offers) in made {
            let mut event = event_of(event::Type::Offers);
            event.offers = Some(event::Offers { offers });
            self.send(&framework, event);
        }
    }

    /// Who is to be offered what of an agent.
    fn pick(&self, sorter: &mut Sorter, at: usize, promised: bool, now: Now) -> Option<(usize, Resources)> {
        let (_, agent) = self.agents.get_index(at)?;
        if !agent.is_active() || !worth_an_offer(&agent.available) {
            return None;
        }
        for candidate in sorter.order() {
            let (framework, role) = sorter.names_of(candidate);
            let Some(framework) = self.frameworks.get(framework) else {
                continue;
            };
            match self.offerable(sorter, candidate, framework, role, agent, promised, now) {
                Ok(resources) => return Some((candidate, resources)),
                Err(why) => sorter.note(candidate, why),
            }
        }
        None
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "it is the one question of the allocation, asked in one place"
    )]
    fn offerable(
        &self,
        sorter: &Sorter,
        candidate: usize,
        framework: &Framework,
        role: &str,
        agent: &Agent,
        promised: bool,
        now: Now,
    ) -> Result<Resources, Not> {
        use capability::Type as Can;
        if agent.total.scalar("gpus") > 0 && !framework.has(Can::GpuResources) {
            return Err(Not::Closed);
        }
        let refined = framework.has(Can::ReservationRefinement);
        let shared = framework.has(Can::SharedResources);
        let may = |kind: &Resource| {
            crate::core::resources::is_open_to(kind, role)
                && (refined || kind.reservations.len() < 2)
                && (shared || kind.shared.is_none())
        };
        let open = agent.available.filter(may);
        if !worth_an_offer(&open) {
            return Err(Not::Closed);
        }
        let open = match self.quotas.is_empty() {
            true => open,
            false => match sorter.within_quota(candidate, &open, promised) {
                Some(open) if worth_an_offer(&open) => open,
                _ => return Err(Not::Quota),
            },
        };
        match framework.filters.refuse(role, agent.id(), &open, now) {
            true => Err(Not::Filtered),
            false => Ok(open),
        }
    }

    pub(super) fn cluster_total(&self) -> Scalars {
        let mut total = Scalars::default();
        self.agents
            .values()
            .for_each(|agent| total.add_all(&agent.total.scalars()));
        total
    }

    /// What each role, and those below it, have of what quotas count: used, offered or reserved.
    pub(crate) fn consumed(&self) -> BTreeMap<String, Scalars> {
        let mut all: BTreeMap<String, Scalars> = BTreeMap::new();
        let mut count = |role: &str, scalars: &Scalars| {
            for above in super::roles::line_of(role) {
                all.entry(above.to_owned()).or_default().add_all(scalars);
            }
        };
        for framework in self.frameworks.values() {
            framework
                .allocated
                .iter()
                .for_each(|(role, has)| count(role, has));
        }
        for agent in self.agents.values() {
            for kind in agent.available.reserved().to_refined() {
                let one = Resources::of(std::slice::from_ref(&kind)).unwrap_or_default();
                count(
                    crate::core::resources::reserved_role(&kind).unwrap_or("*"),
                    &one.scalars(),
                );
            }
        }
        all
    }

    pub(super) fn next_offer_id(&mut self) -> String {
        let id = format!("{}-O{}", self.info.id, self.next_offer);
        self.next_offer += 1;
        id
    }

    /// Takes resources from an agent and shows them to a framework.
    fn offer(&mut self, at: usize, framework: String, role: String, open: Resources) -> Option<v1::Offer> {
        let id = self.next_offer_id();
        let unavailability = match self.schedule.windows.is_empty() {
            true => None,
            false => self.unavailability(self.agents.get_index(at)?.1),
        };
        let (_, agent) = self.agents.get_index_mut(at)?;
        agent.available.subtract(&open);
        let resources = open.allocated(&role);
        let to = self.frameworks.get_mut(&framework)?;
        to.allocated
            .entry(role.clone())
            .or_default()
            .add_all(&resources.scalars());
        let to_many = to.has(capability::Type::MultiRole);
        let executors = agent.executors.keys().filter(|(of, _)| *of == framework);
        let executor_ids = executors
            .map(|(_, id)| v1::ExecutorId { value: id.clone() })
            .collect();
        let shown = v1::Offer {
            id: OfferId { value: id.clone() },
            framework_id: FrameworkId {
                value: framework.clone(),
            },
            agent_id: AgentId {
                value: agent.id().to_owned(),
            },
            hostname: agent.info.hostname.clone(),
            url: Some(url(agent)),
            resources: match to.has(capability::Type::ReservationRefinement) {
                true => resources.to_refined(),
                false => resources.to_list(),
            },
            executor_ids,
            unavailability,
            attributes: agent.info.attributes.clone(),
            allocation_info: Some(AllocationInfo {
                role: Some(role.clone()),
            }),
            ..v1::Offer::default()
        };
        let offer = Offer {
            framework,
            agent: agent.id().to_owned(),
            role,
            resources,
            shown: shown.clone(),
        };
        self.offers.insert(id, offer);
        Some(match to_many {
            true => shown,
            false => of_one_role(shown),
        })
    }

    /// Makes resources available again.
    pub(super) fn give_back(&mut self, agent: &str, resources: &Resources) {
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.available.add(&resources.unallocated());
        }
    }

    /// Takes resources from a framework, which are available again.
    pub(super) fn release(&mut self, framework: &str, agent: &str, resources: &Resources) {
        self.give_back(agent, resources);
        if let Some(framework) = self.frameworks.get_mut(framework) {
            for (role, scalars) in resources.by_role() {
                framework
                    .allocated
                    .entry(role)
                    .or_default()
                    .subtract_all(&scalars);
            }
        }
    }

    /// Takes back every offer of a framework, of which it need not be told.
    pub(super) fn remove_offers_of(&mut self, framework: &str) {
        let own = self
            .offers
            .iter()
            .filter(|(_, offer)| offer.framework == framework);
        let own: Vec<String> = own.map(|(id, _)| id.clone()).collect();
        for id in own {
            if let Some(offer) = self.offers.swap_remove(&id) {
                self.release(framework, &offer.agent, &offer.resources);
            }
        }
    }

    /// Remembers that a framework does not want these resources for a while.
    pub(super) fn refuse(
        &mut self,
        now: Now,
        framework: &str,
        offer: &Offer,
        left: &Resources,
        filters: Option<&v1::Filters>,
    ) {
        let seconds = filters.map_or(REFUSE_S_DEFAULT, v1::Filters::refuse_seconds);
        let seconds = match seconds.is_finite() {
            true => seconds.clamp(0.0, REFUSE_S_MAX),
            false => REFUSE_S_DEFAULT,
        };
        let Some(framework) = self.frameworks.get_mut(framework) else {
            return;
        };
        if seconds > 0.0 && !left.is_empty() {
            let until = now.elapsed + Duration::from_secs_f64(seconds);
            let left = left.unallocated();
            framework.filters.add(&offer.role, &offer.agent, left, until);
        }
    }

    pub(super) fn revive(&mut self, now: Now, id: &str, roles: &[String]) {
        let Some(framework) = self.frameworks.get_mut(id) else {
            return;
        };
        let named = |role: &str| roles.is_empty() || roles.iter().any(|one| one == role);
        framework.filters.forget(named);
        framework.suppressed.retain(|role| !named(role));
        self.allocate(now);
    }

    pub(super) fn suppress(&mut self, id: &str, roles: &[String]) {
        let Some(framework) = self.frameworks.get_mut(id) else {
            return;
        };
        let all = framework.roles();
        let named = all
            .into_iter()
            .filter(|role| roles.is_empty() || roles.contains(role));
        framework.suppressed.extend(named);
    }
}

/// An offer as a framework of one role is sent it: those do not know that resources are allocated, and compare them
/// with ones that are not.
fn of_one_role(mut offer: v1::Offer) -> v1::Offer {
    offer.allocation_info = None;
    for one in &mut offer.resources {
        one.allocation_info = None;
    }
    offer
}

fn worth_an_offer(resources: &Resources) -> bool {
    resources.scalar("cpus") >= MIN_CPUS || resources.scalar("mem") >= MIN_MEM
}

pub(super) fn url(agent: &Agent) -> Url {
    Url {
        scheme: "http".to_owned(),
        address: v1::Address {
            hostname: Some(agent.info.hostname.clone()),
            ip: Some(agent.info.hostname.clone()),
            port: agent.info.port(),
        },
        path: Some("/slave(1)".to_owned()),
        ..Url::default()
    }
}
