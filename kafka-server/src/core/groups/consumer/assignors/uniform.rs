//! As even as subscriptions allow, and as little moved as evenness allows.

use super::{Assignment, Spec};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Partition of a topic.
type Place = (Uuid, i32);

/// Targets of members that all subscribe to the same topics: sizes differ by one at the most. Who has one more than
/// others keeps it as long as somebody may; what then is left of these goes to the last members, as in Kafka.
pub(super) fn assign_alike(members: &[Spec<'_>], partitions: &BTreeMap<Uuid, i32>) -> Vec<Assignment> {
    let Some(first) = members.first() else {
        return Vec::new();
    };
    let all = places(first.topics.iter(), partitions);
    let (quota, mut extra) = (all.len() / members.len(), all.len() % members.len());
    let mut free: BTreeSet<Place> = all.into_iter().collect();
    let mut assigned = Vec::with_capacity(members.len());
    for member in members {
        let before = member
            .before
            .iter()
            .flat_map(|(topic, indexes)| indexes.iter().map(|index| (*topic, *index)));
        let most = quota + usize::from(extra > 0);
        // Whatever is free was not taken by a member before, and is still there.
        let kept: Vec<Place> = before.filter(|place| free.contains(place)).take(most).collect();
        kept.iter().for_each(|place| {
            free.remove(place);
        });
        extra -= usize::from(kept.len() > quota);
        assigned.push(kept);
    }
    let mut room: Vec<usize> = assigned
        .iter()
        .map(|kept| quota.saturating_sub(kept.len()))
        .collect();
    let unfilled = (0..members.len()).rev().filter(|at| assigned[*at].len() <= quota);
    unfilled.take(extra).for_each(|at| room[at] += 1);
    let mut free = free.into_iter();
    for (kept, room) in assigned.iter_mut().zip(room) {
        kept.extend(free.by_ref().take(room));
    }
    assigned.into_iter().map(collect).collect()
}

/// Targets of members with different subscriptions.
pub(super) fn assign_unlike(members: &[Spec<'_>], partitions: &BTreeMap<Uuid, i32>) -> Vec<Assignment> {
    let mut share = Share::new(members, partitions);
    share.keep(members);
    let topics = share.topics(partitions);
    share.hand_out(&topics);
    share.balance(&topics);
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

    /// The topics to deal with, in order: those with many partitions for each subscriber, then those with few
    /// subscribers to choose from, first.
    fn topics(&self, partitions: &BTreeMap<Uuid, i32>) -> Vec<Uuid> {
        let mut topics: Vec<Uuid> = self.subscribers.keys().copied().collect();
        let count = |topic: &Uuid| i64::from(partitions.get(topic).copied().unwrap_or(0));
        topics.sort_by(|a, b| {
            let (of_a, of_b) = (self.subscribers[a].len() as i64, self.subscribers[b].len() as i64);
            (count(b) * of_a)
                .cmp(&(count(a) * of_b))
                .then(of_a.cmp(&of_b))
                .then(a.cmp(b))
        });
        topics
    }

    /// Gives every free partition to one of the subscribers that have least, each in turn.
    fn hand_out(&mut self, topics: &[Uuid]) {
        for topic in topics {
            let of_topic = self.owner.range((*topic, 0)..=(*topic, i32::MAX));
            let free: Vec<Place> = of_topic
                .filter(|(_, owner)| owner.is_none())
                .map(|(place, _)| *place)
                .collect();
            let mut turns = Turns::of(self.by_size(topic));
            for place in free {
                if let Some(least) = turns.next(|at| self.owned[at].len()) {
                    self.give(place, least);
                }
            }
        }
    }

    /// Moves partitions from members with more to members with at least two less, until there is no such pair.
    /// Each move brings sizes closer together, so it ends.
    fn balance(&mut self, topics: &[Uuid]) {
        loop {
            let mut moved = false;
            for topic in topics {
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

    /// A partition of `topic` that is better off elsewhere: the last one of the member that has most.
    fn better(&self, topic: &Uuid) -> Option<(Place, usize)> {
        let members = self.by_size(topic);
        let last_of = |at: &usize| {
            let mut owned = self.owned[*at].range((*topic, 0)..=(*topic, i32::MAX));
            owned.next_back().map(|place| (*place, *at))
        };
        let to = *members.first()?;
        let (place, from) = members.iter().rev().find_map(last_of)?;
        (self.owned[from].len() > self.owned[to].len() + 1).then_some((place, to))
    }

    /// The subscribers of `topic`, those that have least first.
    fn by_size(&self, topic: &Uuid) -> Vec<usize> {
        let mut members = self.subscribers.get(topic).cloned().unwrap_or_default();
        members.sort_by_key(|at| self.owned[*at].len());
        members
    }
}

/// Members that take one partition each in turn: at first those that have least, and whoever they catch up with.
struct Turns {
    members: Vec<usize>,
    /// How many of them take part by now.
    level: usize,
    next: usize,
}

impl Turns {
    /// `members` are sorted by size.
    fn of(members: Vec<usize>) -> Self {
        Turns {
            members,
            level: 0,
            next: 0,
        }
    }

    fn next(&mut self, size: impl Fn(usize) -> usize) -> Option<usize> {
        if self.next == self.level {
            self.next = 0;
            let least = size(*self.members.first()?);
            let level = self.members.iter().take_while(|at| size(**at) == least);
            self.level = level.count();
        }
        self.next += 1;
        self.members.get(self.next - 1).copied()
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
