//! What of groups is stored, before it is told; and loaded again.

use super::{Cell, Inner, Slot, refuse};
use crate::{
    core::groups::{
        Effect,
        classic::ClassicGroup,
        consumer::{ConsumerGroup, ConsumerMemberRecord},
        group::{Group, Protocol},
        offsets::Change,
    },
    error::ApiError,
    state::{self, groups::GroupRecord},
    wire::ResponseError,
};
use std::{collections::BTreeMap, sync::Arc};
use storage::{Batch, StorageError};

/// What a step leaves to be stored and told.
pub(super) struct Outcome {
    pub(super) effects: Vec<Effect>,
    /// Made once they are stored.
    pub(super) changes: Vec<Change>,
    /// The group is to be forgotten.
    pub(super) delete: bool,
}

impl Inner {
    /// Every stored group and offset.
    pub(super) async fn load(&self) -> Result<(), StorageError> {
        let kv = self.kv.as_ref();
        let mut groups = self.load_groups().await?;
        let empty = || Group::new(Protocol::Classic(ClassicGroup::new(self.settings.classic)));
        for stored in state::offsets::load(kv).await? {
            let group = groups.entry(stored.group).or_insert_with(empty);
            group.offsets.apply(Change::Commit(stored.place, stored.value));
        }
        for stored in state::offsets::load_pending(kv).await? {
            let group = groups.entry(stored.group).or_insert_with(empty);
            let (producer_id, pending) = stored.value;
            group
                .offsets
                .apply(Change::Hold(producer_id, stored.place, pending));
        }
        let mut cells = self.groups.lock();
        for (id, group) in groups {
            let mut slot = Slot::new(group);
            self.schedule(&id, &mut slot);
            cells.insert(id.clone(), Arc::new(Cell::new(id, slot)));
        }
        Ok(())
    }

    async fn load_groups(&self) -> Result<BTreeMap<Arc<str>, Group>, StorageError> {
        let now = self.now();
        let mut members: BTreeMap<String, BTreeMap<Arc<str>, ConsumerMemberRecord>> = BTreeMap::new();
        for stored in state::groups::load_members(self.kv.as_ref()).await? {
            members
                .entry(stored.group)
                .or_default()
                .insert(stored.id.into(), stored.member);
        }
        let mut groups = BTreeMap::new();
        for (id, record) in state::groups::load(self.kv.as_ref()).await? {
            let protocol = match record {
                GroupRecord::Classic(record) => {
                    Protocol::Classic(ClassicGroup::restore(now, self.settings.classic, record))
                }
                GroupRecord::Consumer(record) => {
                    let members = members.remove(&*id).unwrap_or_default();
                    let limits = self.settings.consumer.clone();
                    Protocol::Consumer(ConsumerGroup::restore(now, id.clone(), limits, record, members))
                }
            };
            groups.insert(id, Group::new(protocol));
        }
        Ok(groups)
    }

    /// Stores what a step changed, then answers whoever waited for it.
    pub(super) async fn settle(
        &self,
        id: &Arc<str>,
        slot: &mut Slot,
        mut outcome: Outcome,
    ) -> Result<(), ApiError> {
        let stored = self.store(id, slot, &outcome).await;
        match &stored {
            Ok(()) => {
                slot.unsaved = Default::default();
                outcome
                    .changes
                    .into_iter()
                    .for_each(|change| slot.group.offsets.apply(change));
            }
            Err(error) => {
                tracing::error!(group = %id, %error, "a change of the group could not be stored");
                // Whatever the group became by this step is stored with the next one.
                slot.unsaved.header |= outcome.effects.contains(&Effect::Save);
                outcome.effects.iter_mut().for_each(refuse);
                slot.group.save_failed(self.now(), &mut outcome.effects);
            }
        }
        for effect in outcome.effects {
            slot.deliver(effect);
        }
        if slot.group.is_empty() {
            slot.image = None; // it would keep deleted topics
        }
        if (outcome.delete && stored.is_ok())
            || (slot.group.is_blank() && slot.waiting.is_empty() && !slot.unsaved.header)
        {
            slot.gone = true;
            self.groups.lock().remove(id);
        }
        self.schedule(id, slot);
        stored.map_err(|_| ResponseError::NotCoordinator.into())
    }

    async fn store(&self, id: &str, slot: &Slot, outcome: &Outcome) -> Result<(), StorageError> {
        let mut batch = Batch::default();
        for change in &outcome.changes {
            state::offsets::write(&mut batch, id, change);
        }
        for member in &slot.unsaved.members {
            let record = match &slot.group.protocol {
                Protocol::Consumer(group) => group.member_record(member),
                Protocol::Classic(_) => None,
            };
            state::groups::put_member(&mut batch, id, member, record)?;
        }
        if outcome.delete {
            state::groups::delete(&mut batch, id);
        } else if slot.unsaved.header || outcome.effects.contains(&Effect::Save) {
            let record = match &slot.group.protocol {
                Protocol::Classic(group) => GroupRecord::Classic(group.record()),
                Protocol::Consumer(group) => GroupRecord::Consumer(group.record()),
            };
            state::groups::put(&mut batch, id, &record)?;
        }
        if batch.ops.is_empty() {
            return Ok(());
        }
        self.kv.commit(batch, self.durability).await
    }

    /// Has the timers look at the group when something is due. A wake-up that is too early does no harm.
    pub(super) fn schedule(&self, id: &Arc<str>, slot: &mut Slot) {
        let due = if slot.gone {
            None
        } else {
            slot.group.next_deadline()
        };
        let Some(at_ms) = due else {
            return;
        };
        if slot.wake_at_ms.is_none_or(|already| at_ms < already) {
            slot.wake_at_ms = Some(at_ms);
            self.timers.add(at_ms, id.clone());
        }
    }
}
