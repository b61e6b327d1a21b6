use super::{
    Master, Offer, event_of,
    model::{Agent, Filter, Framework},
};
use crate::core::{Now, resources::Resources};
use mesos_proto::v1::{self, AgentId, FrameworkId, OfferId, Url, resource::AllocationInfo, scheduler::event};
use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

/// Thousandths of a CPU below which it is not worth an offer, unless there is memory.
const MIN_CPUS: i64 = 10;
/// Thousandths of a MB, the same.
const MIN_MEM: i64 = 32_000;
/// Longest time for which resources may be refused: 365 days, as the original clamps it.
const REFUSE_S_MAX: f64 = 365.0 * 86_400.0;
const REFUSE_S_DEFAULT: f64 = 5.0;

impl Master {
    /// Offers what is available to who has the least, by dominant share: first among roles, then within one.
    pub(super) fn allocate(&mut self, now: Now) {
        let mut made: BTreeMap<String, Vec<v1::Offer>> = BTreeMap::new();
        for at in 0..self.agents.len() {
            while let Some((framework, role, resources)) = self.next_for(at, now) {
                let Some(offer) = self.offer(at, framework, role, resources) else {
                    break;
                };
                made.entry(offer.framework_id.value.clone())
                    .or_default()
                    .push(offer);
            }
        }
        for (framework, offers) in made {
            let mut event = event_of(event::Type::Offers);
            event.offers = Some(event::Offers { offers });
            self.send(&framework, event);
        }
    }

    /// Who is to be offered what an agent has left.
    fn next_for(&self, at: usize, now: Now) -> Option<(String, String, Resources)> {
        let (_, agent) = self.agents.get_index(at)?;
        if !worth_an_offer(&agent.available) {
            return None;
        }
        let mut candidates: Vec<(&Framework, String)> = Vec::new();
        for framework in self.frameworks.values().filter(|one| one.stream.is_some()) {
            let roles = framework.roles().into_iter();
            let wants = |role: &String| !framework.suppressed.contains(role);
            candidates.extend(roles.filter(wants).map(|role| (framework, role)));
        }
        let total = self.cluster_total();
        let mut of_role: BTreeMap<&str, f64> = BTreeMap::new();
        let mut ranked: Vec<(f64, &Framework, &str)> = Vec::with_capacity(candidates.len());
        for (framework, role) in &candidates {
            let share = dominant_share(&self.allocation_of(framework, role), &total);
            *of_role.entry(role).or_default() += share;
            ranked.push((share, *framework, role.as_str()));
        }
        let order = |one: f64, other: f64| one.partial_cmp(&other).unwrap_or(Ordering::Equal);
        ranked.sort_by(|one, other| {
            let roles = order(of_role[one.2], of_role[other.2]).then_with(|| one.2.cmp(other.2));
            roles.then_with(|| order(one.0, other.0))
        });
        ranked.into_iter().find_map(|(_, framework, role)| {
            let open = agent.available.open_to(role);
            let refused = |filter: &Filter| {
                filter.until > now.elapsed
                    && filter.role == role
                    && filter.agent == agent.id()
                    && filter.resources.contains(&open)
            };
            let wanted = worth_an_offer(&open) && !framework.filters.iter().any(refused);
            wanted.then(|| (framework.id().to_owned(), role.to_owned(), open))
        })
    }

    /// What a framework has under a role: used and offered.
    fn allocation_of(&self, framework: &Framework, role: &str) -> Resources {
        let mut has = Resources::default();
        for task in framework
            .tasks
            .values()
            .filter(|task| !crate::core::link::is_terminal(task.state()))
        {
            let of_role = task.resources.iter().filter(|one| {
                one.allocation_info
                    .as_ref()
                    .is_some_and(|info| info.role() == role)
            });
            has.add(&Resources::of(&of_role.cloned().collect::<Vec<_>>()).unwrap_or_default());
        }
        let own = |offer: &&Offer| offer.framework == framework.id() && offer.role == role;
        self.offers
            .values()
            .filter(own)
            .for_each(|offer| has.add(&offer.resources));
        has
    }

    fn cluster_total(&self) -> Resources {
        let mut total = Resources::default();
        self.agents.values().for_each(|agent| total.add(&agent.total));
        total
    }

    /// Takes resources from an agent and shows them to a framework.
    fn offer(&mut self, at: usize, framework: String, role: String, open: Resources) -> Option<v1::Offer> {
        let (_, agent) = self.agents.get_index_mut(at)?;
        agent.available.subtract(&open);
        let resources = open.allocated(&role);
        let id = format!("{}-O{}", self.info.id, self.next_offer);
        self.next_offer += 1;
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
            resources: resources.to_list(),
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
        Some(shown)
    }

    /// Makes resources available again.
    pub(super) fn give_back(&mut self, agent: &str, resources: &Resources) {
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.available.add(&resources.unallocated());
        }
    }

    /// Takes back every offer of a framework.
    pub(super) fn remove_offers_of(&mut self, framework: &str) {
        let (own, rest) = std::mem::take(&mut self.offers)
            .into_iter()
            .partition(|(_, offer)| offer.framework == framework);
        self.offers = rest;
        let own: indexmap::IndexMap<String, Offer> = own;
        for offer in own.values() {
            self.give_back(&offer.agent, &offer.resources);
        }
    }

    /// Remembers that a framework does not want these resources for a while.
    pub(super) fn refuse(
        &mut self,
        now: Now,
        offer: &Offer,
        left: &Resources,
        filters: Option<&v1::Filters>,
    ) {
        let seconds = filters.map_or(REFUSE_S_DEFAULT, v1::Filters::refuse_seconds);
        let seconds = match seconds.is_finite() {
            true => seconds.clamp(0.0, REFUSE_S_MAX),
            false => REFUSE_S_DEFAULT,
        };
        let Some(framework) = self.frameworks.get_mut(&offer.framework) else {
            return;
        };
        if seconds > 0.0 && !left.is_empty() {
            // One filter for an agent and a role is enough: a newer refusal replaces what it includes.
            let same = |filter: &Filter| filter.agent == offer.agent && filter.role == offer.role;
            let resources = left.unallocated();
            framework
                .filters
                .retain(|filter| !same(filter) || !resources.contains(&filter.resources));
            framework.filters.push(Filter {
                role: offer.role.clone(),
                agent: offer.agent.clone(),
                resources,
                until: now.elapsed + Duration::from_secs_f64(seconds),
            });
        }
    }

    pub(super) fn revive(&mut self, now: Now, id: &str, roles: &[String]) {
        let Some(framework) = self.frameworks.get_mut(id) else {
            return;
        };
        let named = |role: &String| roles.is_empty() || roles.contains(role);
        framework.filters.retain(|filter| !named(&filter.role));
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

fn worth_an_offer(resources: &Resources) -> bool {
    resources.scalar("cpus") >= MIN_CPUS || resources.scalar("mem") >= MIN_MEM
}

#[allow(clippy::cast_precision_loss, reason = "a share need not be exact")]
fn dominant_share(has: &Resources, total: &Resources) -> f64 {
    let share = |name| match total.scalar(name) {
        0 => 0.0,
        all => has.scalar(name) as f64 / all as f64,
    };
    ["cpus", "mem", "disk", "gpus"]
        .into_iter()
        .map(share)
        .fold(0.0, f64::max)
}

fn url(agent: &Agent) -> Url {
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
