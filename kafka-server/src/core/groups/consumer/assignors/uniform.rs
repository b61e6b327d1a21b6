//! As even as subscriptions allow, and as little moved as evenness allows.

use super::{Assignment, Spec};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Partition of a topic.
type Place = (Uuid, i32);

/// Targets of members that all subscribe to the same topics: sizes differ by one at the most.
pub(super) fn assign_alike(members: &[Spec<'_>], partitions: &BTreeMap<Uuid, i32>) -> Vec<Assignment> {
    let Some(first) = members.first() else {
        return Vec::new();
    };
    let all = places(first.topics.iter(), partitions);
    let (quota, mut extra) = (all.len() / members.len(), all.len() % members.len());
    let mut free: BTreeSet<Place> = all.iter().copied().collect();
    let mut room = Vec::with_capacity(members.len());
    let mut assigned = Vec::with_capacity(members.len());
    for member in members {
        let more = usize::from(extra > 0);
        extra -= more;
        let most = quota + more;
        let before = member
            .before
            .iter()
            .flat_map(|(topic, indexes)| indexes.iter().map(|index| (*topic, *index)));
        // Whatever is free was not taken by a member before, and is still there.
        let kept: Vec<Place> = before.filter(|place| free.contains(place)).take(most).collect();
        kept.iter().for_each(|place| {
            free.remove(place);
        });
        room.push(most - kept.len());
        assigned.push(collect(kept));
    }
    let mut free = free.into_iter();
    for (member, room) in assigned.iter_mut().zip(room) {
        for (topic, index) in free.by_ref().take(room) {
            member.entry(topic).or_default().insert(index);
        }
    }
    assigned
}

/// Targets of members with different subscriptions.
pub(super) fn assign_unlike(members: &[Spec<'_>], partitions: &BTreeMap<Uuid, i32>) -> Vec<Assignment> {
    let mut share = Share::new(members, partitions);
    share.keep(members);
    share.hand_out(partitions);
    share.balance();
    share.owned.into_iter().map(collect).collect()
}

/// A distribution under way. Members by their position.
struct Share {
    /// Who subscribes to a topic.
    subscribers: BTreeMap<Uuid, Vec<usize>>,
    owner: BTreeMap<Place, Option<usize>>,
    owned: Vec<BTreeSet<Place>>,
}

impl Share {
    fn new(members: &[Spec<'_>], partitions: &BTreeMap<Uuid, i32>) -> Self {
        let mut subscribers: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            for topic in member
                .topics
                .iter()
                .filter(|topic| partitions.contains_key(*topic))
            {
                subscribers.entry(*topic).or_default().push(at);
            }
        }
        let owner = places(subscribers.keys(), partitions)
            .into_iter()
            .map(|place| (place, None))
            .collect();
        Share {
            subscribers,
            owner,
            owned: vec![BTreeSet::new(); members.len()],
        }
    }

    fn give(&mut self, place: Place, to: usize) {
        if let Some(Some(from)) = self.owner.insert(place, Some(to)) {
            self.owned[from].remove(&place);
        }
        self.owned[to].insert(place);
    }

    /// Leaves partitions where they were, where the member still subscribes to them.
    fn keep(&mut self, members: &[Spec<'_>]) {
        for (at, member) in members.iter().enumerate() {
            for (topic, indexes) in member
                .before
                .iter()
                .filter(|(topic, _)| member.topics.contains(*topic))
            {
                for index in indexes {
                    if self.owner.get(&(*topic, *index)) == Some(&None) {
                        self.give((*topic, *index), at);
                    }
                }
            }
        }
    }

    /// Gives every free partition to the subscriber that has least; those with few subscribers to choose from, and
    /// many partitions for each of them, first.
    fn hand_out(&mut self, partitions: &BTreeMap<Uuid, i32>) {
        let mut topics: Vec<Uuid> = self.subscribers.keys().copied().collect();
        let count = |topic: &Uuid| i64::from(partitions.get(topic).copied().unwrap_or(0));
        topics.sort_by(|a, b| {
            let (of_a, of_b) = (self.subscribers[a].len() as i64, self.subscribers[b].len() as i64);
            (count(b) * of_a)
                .cmp(&(count(a) * of_b))
                .then(of_a.cmp(&of_b))
                .then(a.cmp(b))
        });
        for topic in topics {
            let free: Vec<Place> = self
                .of_topic(topic)
                .filter(|(_, owner)| owner.is_none())
                .map(|(place, _)| *place)
                .collect();
            for place in free {
                if let Some(least) = self.least(&topic) {
                    self.give(place, least);
                }
            }
        }
    }

    /// Moves partitions from members with more to members with at least two less, until there is no such pair.
    /// Each move brings sizes closer together, so it ends.
    fn balance(&mut self) {
        let topics: Vec<Uuid> = self.subscribers.keys().copied().collect();
        loop {
            let mut moved = false;
            for topic in &topics {
                while let Some((place, to)) = self.better(topic) {
                    self.give(place, to);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// A partition of `topic` that is better off elsewhere.
    fn better(&self, topic: &Uuid) -> Option<(Place, usize)> {
        let to = self.least(topic)?;
        let owners = self
            .of_topic(*topic)
            .filter_map(|(place, owner)| owner.map(|owner| (*place, owner)));
        let (place, from) = owners.max_by_key(|(_, owner)| self.owned[*owner].len())?;
        (self.owned[from].len() > self.owned[to].len() + 1).then_some((place, to))
    }

    fn least(&self, topic: &Uuid) -> Option<usize> {
        self.subscribers
            .get(topic)?
            .iter()
            .copied()
            .min_by_key(|at| self.owned[*at].len())
    }

    fn of_topic(&self, topic: Uuid) -> impl Iterator<Item = (&Place, &Option<usize>)> {
        self.owner.range((topic, 0)..=(topic, i32::MAX))
    }
}

fn places<'a>(topics: impl Iterator<Item = &'a Uuid>, partitions: &BTreeMap<Uuid, i32>) -> Vec<Place> {
    let of = |topic: &'a Uuid| {
        let count = partitions.get(topic).copied().unwrap_or(0);
        (0..count).map(move |index| (*topic, index))
    };
    topics.flat_map(of).collect()
}

fn collect(places: impl IntoIterator<Item = Place>) -> Assignment {
    let mut assignment = Assignment::new();
    for (topic, index) in places {
        assignment.entry(topic).or_default().insert(index);
    }
    assignment
}
