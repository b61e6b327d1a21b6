//! A member's way from what it has to what it shall have: give up first, take what is free, wait for the rest.

use super::{Assignment, ConsumerGroup, Dirty, Now, Progress};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Where the next step leads.
struct Step {
    keep: Assignment,
    revoke: Assignment,
    take: Assignment,
    /// Somebody else still holds a part of the target.
    waits: bool,
}

impl ConsumerGroup {
    /// Takes the member one step further. `owned` is what it says it has, where it says so.
    pub(super) fn reconcile(
        &mut self,
        now: Now,
        member_id: &Arc<str>,
        owned: Option<&Assignment>,
        dirty: &mut Dirty,
    ) {
        let target_epoch = self.target_epoch;
        let Some(member) = self.members.get(member_id) else {
            return;
        };
        // Targets may be older than the subscription: what is no longer read is given up at once.
        let read = self.ids_of(member);
        let unread = member.assigned.keys().any(|topic| !read.contains(topic));
        let epoch = match member.progress {
            Progress::Stable if member.epoch == target_epoch && !unread => return,
            Progress::Stable | Progress::UnreleasedPartitions => member.epoch,
            Progress::UnrevokedPartitions if holds_any(owned, &member.revoking) => return,
            Progress::UnrevokedPartitions => target_epoch.min(member.epoch + 1),
        };
        let mut target = member.target.clone();
        target.retain(|topic, _| read.contains(topic));
        let step = self.next_step(member_id, &member.assigned, &target);
        let mut after = member.clone();
        if !step.revoke.is_empty() && holds_any(owned, &step.revoke) {
            after.set_epoch(epoch);
            after.progress = Progress::UnrevokedPartitions;
            after.assigned = step.keep;
            after.revoking = step.revoke;
            if after.classic.is_none() {
                after.act_by_ms = Some(now.elapsed_ms + i64::from(after.rebalance_timeout_ms.max(0)));
            }
        } else {
            after.set_epoch(target_epoch);
            after.progress = match step.waits {
                true => Progress::UnreleasedPartitions,
                false => Progress::Stable,
            };
            after.assigned = step.keep;
            for (topic, indexes) in step.take {
                after.assigned.entry(topic).or_default().extend(indexes);
            }
            after.revoking = Assignment::new();
            if after.classic.is_none() {
                after.act_by_ms = None;
            }
        }
        if Some(&after) != self.members.get(member_id) {
            self.members.insert(member_id.clone(), after);
            self.hold(member_id);
            dirty.members.insert(member_id.clone());
        }
    }

    fn next_step(&self, member_id: &Arc<str>, assigned: &Assignment, target: &Assignment) -> Step {
        let mut step = Step {
            keep: Assignment::new(),
            revoke: Assignment::new(),
            take: Assignment::new(),
            waits: false,
        };
        let put = |to: &mut Assignment, topic: &Uuid, index: i32| {
            to.entry(*topic).or_default().insert(index);
        };
        for (topic, index) in flat(assigned) {
            match contains(target, topic, index) {
                true => put(&mut step.keep, topic, index),
                false => put(&mut step.revoke, topic, index),
            }
        }
        for (topic, index) in flat(target).filter(|(topic, index)| !contains(assigned, topic, *index)) {
            // What the member itself gives up with this very step is not in its target.
            match self.holders.get(&(*topic, index)) {
                Some(holder) if holder != member_id => step.waits = true,
                _ => put(&mut step.take, topic, index),
            }
        }
        step
    }
}

impl super::Member {
    pub(super) fn set_epoch(&mut self, epoch: i32) {
        if self.epoch != epoch {
            self.previous_epoch = self.epoch;
            self.epoch = epoch;
        }
    }
}

/// Whether the member may still hold any of `revoking`: it says so, or does not say.
fn holds_any(owned: Option<&Assignment>, revoking: &Assignment) -> bool {
    match owned {
        None => true,
        Some(owned) => flat(revoking).any(|(topic, index)| contains(owned, topic, index)),
    }
}

/// Whether all of `part` is in `whole`.
pub(super) fn is_part_of(part: &Assignment, whole: &Assignment) -> bool {
    flat(part).all(|(topic, index)| contains(whole, topic, index))
}

fn contains(assignment: &BTreeMap<Uuid, std::collections::BTreeSet<i32>>, topic: &Uuid, index: i32) -> bool {
    assignment
        .get(topic)
        .is_some_and(|indexes| indexes.contains(&index))
}

fn flat(assignment: &Assignment) -> impl Iterator<Item = (&Uuid, i32)> {
    assignment
        .iter()
        .flat_map(|(topic, indexes)| indexes.iter().map(move |index| (topic, *index)))
}
