//! Members that go: by themselves, for a while, or because they are not heard of.

use super::{Assignment, Beat, BeatAnswer, ConsumerGroup, Dirty, EPOCH_LEAVE_STATIC, Now};
use crate::error::ApiError;
use std::sync::Arc;

impl ConsumerGroup {
    /// A heartbeat that says goodbye.
    pub(super) fn leave(&mut self, beat: &Beat, dirty: &mut Dirty) -> Result<BeatAnswer, ApiError> {
        let id = match &beat.instance_id {
            Some(instance) => self.static_member(instance, &beat.member_id)?,
            None => {
                self.member(&beat.member_id)?;
                beat.member_id.clone()
            }
        };
        match self.members.get_mut(&id) {
            // A static member's partitions are kept for it until its session ends.
            Some(member) if beat.epoch == EPOCH_LEAVE_STATIC => {
                member.epoch = EPOCH_LEAVE_STATIC;
                member.revoking = Assignment::new();
                member.act_by_ms = None;
                self.hold(&id);
                dirty.members.insert(id.clone());
            }
            _ => self.remove(&id, dirty),
        }
        Ok(BeatAnswer {
            member_id: id,
            epoch: beat.epoch,
            heartbeat_interval_ms: 0,
            assignment: None,
        })
    }

    /// Forgets a member; what it held is free.
    pub(super) fn remove(&mut self, id: &Arc<str>, dirty: &mut Dirty) {
        let Some(member) = self.members.remove(id) else {
            return;
        };
        if let Some(instance) = &member.instance_id
            && self.statics.get(instance) == Some(id)
        {
            self.statics.remove(instance);
        }
        self.hold(id);
        dirty.members.insert(id.clone());
        self.bump(dirty);
    }

    /// Looks at every deadline.
    pub(crate) fn tick(&mut self, now: Now, dirty: &mut Dirty) {
        let late = |at_ms: i64| at_ms <= now.elapsed_ms;
        let gone: Vec<Arc<str>> = self
            .members
            .iter()
            .filter(|(_, member)| late(member.session_at_ms) || member.act_by_ms.is_some_and(late))
            .map(|(id, _)| id.clone())
            .collect();
        gone.iter().for_each(|id| self.remove(id, dirty));
    }
}
