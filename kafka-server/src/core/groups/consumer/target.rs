//! The target assignment: what everybody shall have.

use super::{Assignment, ConsumerGroup, Dirty, Member, Now, assignors};
use assignors::Spec;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

impl ConsumerGroup {
    /// Whether the group has changed since targets were computed, and may compute them again.
    pub(super) fn retargets(&self, now: Now) -> bool {
        let interval_ms = i64::from(self.limits.assignment_interval_ms);
        let rested = |at_ms: i64| now.elapsed_ms >= at_ms.saturating_add(interval_ms);
        self.epoch > self.target_epoch && self.targeted_at_ms.is_none_or(rested)
    }

    /// Computes targets anew where that is due. Where many come and go at once, they share what one of them sets off.
    pub(super) fn retarget(&mut self, now: Now, dirty: &mut Dirty) {
        if !self.retargets(now) {
            return;
        }
        let partitions: BTreeMap<Uuid, i32> = self.topics.values().copied().collect();
        let spec = |(id, member): (&'_ Arc<str>, &'_ Member)| (id.clone(), self.ids_of(member));
        let topics: BTreeMap<Arc<str>, _> = self.members.iter().map(spec).collect();
        let specs: Vec<Spec<'_>> = self
            .members
            .iter()
            .map(|(id, member)| Spec {
                id,
                instance_id: member.instance_id.as_ref(),
                topics: topics.get(id).cloned().unwrap_or_default(),
                before: &member.target,
            })
            .collect();
        let targets = assignors::assign(self.assignor(), &specs, &partitions);
        for (id, target) in targets {
            self.set_target(&id, target, dirty);
        }
        self.target_epoch = self.epoch;
        self.targeted_at_ms = Some(now.elapsed_ms);
        dirty.header = true;
    }

    fn set_target(&mut self, id: &Arc<str>, target: Assignment, dirty: &mut Dirty) {
        if let Some(member) = self.members.get_mut(id)
            && member.target != target
        {
            member.target = target;
            dirty.members.insert(id.clone());
        }
    }
}
