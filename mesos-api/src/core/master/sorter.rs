use super::{Master, allocation::Not, roles};
use crate::core::resources::{Resources, Scalars};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

/// What stands for the frameworks of a role itself beside the roles below it.
const SELF: &str = ".";

/// A role, with what it and those below it have.
struct Node {
    name: String,
    weight: f64,
    has: Scalars,
    /// Its dominant share, by its weight.
    share: f64,
}

/// A framework under one of its roles, waiting for offers.
struct Candidate {
    framework: String,
    role: String,
    /// Nodes from the uppermost role down to the role's own frameworks.
    path: Vec<usize>,
    has: Scalars,
    share: f64,
    gets: u32,
    not: [u32; 3],
}

/// What was promised and what is allowed, as far as it is not there yet.
#[derive(Default)]
struct Promises {
    /// What a role may still have, by the roles that have a limit.
    room: BTreeMap<String, Scalars>,
    limited: BTreeMap<String, Vec<String>>,
    /// What a role is still to get of what it was promised.
    owed: BTreeMap<String, Scalars>,
    /// Unreserved and not yet allocated, of all agents.
    free: Scalars,
}

/// Who is next: the order of one allocation.
pub(super) struct Sorter {
    nodes: Vec<Node>,
    candidates: Vec<Candidate>,
    order: Vec<usize>,
    dirty: bool,
    total: Scalars,
    promises: Promises,
}

impl Sorter {
    pub(super) fn new(master: &Master) -> Self {
        let mut sorter = Sorter {
            nodes: Vec::new(),
            candidates: Vec::new(),
            order: Vec::new(),
            dirty: true,
            total: master.cluster_total(),
            promises: promises(master),
        };
        let mut known: HashMap<String, usize> = HashMap::new();
        for framework in master.frameworks.values() {
            for (role, has) in &framework.allocated {
                for node in sorter.path(role, &mut known, master) {
                    sorter.nodes[node].has.add_all(has);
                }
            }
            if framework.stream.is_none() {
                continue;
            }
            let roles = framework.roles().into_iter();
            for role in roles.filter(|role| !framework.suppressed.contains(role)) {
                let has = framework.allocated.get(&role).cloned().unwrap_or_default();
                let path = sorter.path(&role, &mut known, master);
                sorter.candidates.push(Candidate {
                    framework: framework.id().to_owned(),
                    path,
                    role,
                    share: has.dominant_share(&sorter.total),
                    has,
                    gets: 0,
                    not: [0; 3],
                });
            }
        }
        for node in &mut sorter.nodes {
            node.share = node.has.dominant_share(&sorter.total) / node.weight;
        }
        sorter.order = (0..sorter.candidates.len()).collect();
        sorter
    }

    /// The nodes of a role, made where they are new.
    fn path(&mut self, role: &str, known: &mut HashMap<String, usize>, master: &Master) -> Vec<usize> {
        let own = format!("{role}/{SELF}");
        let names = roles::line_of(role).chain([own.as_str()]);
        names
            .map(|name| match known.get(name) {
                Some(at) => *at,
                None => {
                    self.nodes.push(Node {
                        name: name.to_owned(),
                        weight: master.weights.get(name).copied().unwrap_or(1.0),
                        has: Scalars::default(),
                        share: 0.0,
                    });
                    known.insert(name.to_owned(), self.nodes.len() - 1);
                    self.nodes.len() - 1
                }
            })
            .collect()
    }

    /// Candidates, who has the least first.
    pub(super) fn order(&mut self) -> Vec<usize> {
        if std::mem::take(&mut self.dirty) {
            let (nodes, candidates) = (&self.nodes, &self.candidates);
            self.order
                .sort_by(|one, other| compare(nodes, &candidates[*one], &candidates[*other]));
        }
        self.order.clone()
    }

    pub(super) fn names_of(&self, candidate: usize) -> (&str, &str) {
        let candidate = &self.candidates[candidate];
        (&candidate.framework, &candidate.role)
    }

    pub(super) fn names(&self, candidate: usize) -> (String, String) {
        let (framework, role) = self.names_of(candidate);
        (framework.to_owned(), role.to_owned())
    }

    /// A candidate is offered something.
    pub(super) fn charge(&mut self, candidate: usize, scalars: &Scalars) {
        let candidate = &mut self.candidates[candidate];
        candidate.gets += 1;
        candidate.has.add_all(scalars);
        candidate.share = candidate.has.dominant_share(&self.total);
        for node in &candidate.path {
            let node = &mut self.nodes[*node];
            node.has.add_all(scalars);
            node.share = node.has.dominant_share(&self.total) / node.weight;
        }
        self.promises.free.subtract_all(scalars);
        for above in roles::line_of(&candidate.role) {
            for all in [&mut self.promises.room, &mut self.promises.owed] {
                if let Some(left) = all.get_mut(above) {
                    left.subtract_all(scalars);
                }
            }
        }
        self.dirty = true;
    }

    /// Notes why a candidate is not offered an agent.
    pub(super) fn note(&mut self, candidate: usize, why: Not) {
        self.candidates[candidate].not[why as usize] += 1;
    }

    /// Who got how many offers, and how many agents were not offered for which reason.
    pub(super) fn notes(&self) -> impl Iterator<Item = (&str, &str, u32, [u32; 3])> {
        let all = self.candidates.iter();
        all.map(|one| (one.framework.as_str(), one.role.as_str(), one.gets, one.not))
    }

    /// What a candidate may be offered of what is open to it. Reservations are outside of what is promised and
    /// limited here: they count as had already.
    pub(super) fn within_quota(
        &self,
        candidate: usize,
        open: &Resources,
        promised: bool,
    ) -> Option<Resources> {
        let role = &self.candidates[candidate].role;
        let promises = &self.promises;
        let above = || roles::line_of(role);
        let owed = |name: &str| {
            let of = above().filter_map(|above| promises.owed.get(above));
            of.map(|owed| owed.get(name)).max().unwrap_or(0).max(0)
        };
        let owes = above().any(|above| {
            promises
                .owed
                .get(above)
                .is_some_and(|owed| owed.iter().any(|(_, left)| left > 0))
        });
        if promised && !owes {
            return None;
        }
        let most = |name: &str| {
            let limits = above().filter(|above| {
                promises
                    .limited
                    .get(*above)
                    .is_some_and(|names| names.iter().any(|one| one == name))
            });
            let room = limits
                .filter_map(|above| promises.room.get(above))
                .map(|room| room.get(name))
                .min();
            // What others were promised stays where it is.
            let others: i64 = promises
                .owed
                .iter()
                .filter(|(of, _)| !above().any(|above| above == of.as_str()))
                .map(|(_, owed)| owed.get(name).max(0))
                .sum();
            let spare = (promises.free.get(name) - others).max(0);
            let promise = (promised && owed(name) > 0).then(|| owed(name));
            [room, promise, (others > 0).then_some(spare)]
                .into_iter()
                .flatten()
                .min()
        };
        Some(open.at_most(most))
    }
}

fn promises(master: &Master) -> Promises {
    let mut promises = Promises::default();
    if master.quotas.is_empty() {
        return promises;
    }
    let consumed = master.consumed();
    for (role, quota) in &master.quotas {
        let has = consumed.get(role).cloned().unwrap_or_default();
        let left = |all: &BTreeMap<String, i64>| {
            let mut left = Scalars::default();
            all.iter()
                .for_each(|(name, amount)| left.add(name, amount - has.get(name)));
            left
        };
        promises.room.insert(role.clone(), left(&quota.limits));
        promises.owed.insert(role.clone(), left(&quota.guarantees));
        let names = quota.limits.keys().cloned().collect();
        promises.limited.insert(role.clone(), names);
    }
    for agent in master.agents.values().filter(|agent| agent.is_active()) {
        promises.free.add_all(&agent.available.unreserved().scalars());
    }
    promises
}

fn compare(nodes: &[Node], one: &Candidate, other: &Candidate) -> Ordering {
    let by = |one: f64, other: f64| one.partial_cmp(&other).unwrap_or(Ordering::Equal);
    let differing = one.path.iter().zip(&other.path).find(|(one, other)| one != other);
    if let Some((one, other)) = differing {
        let (one, other) = (&nodes[*one], &nodes[*other]);
        return by(one.share, other.share).then_with(|| one.name.cmp(&other.name));
    }
    by(one.share, other.share)
}
