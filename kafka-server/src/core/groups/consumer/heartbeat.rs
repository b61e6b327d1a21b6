//! ConsumerGroupHeartbeat: a member says who it is and what it has, and is told what it shall have.

use super::{
    Assignment, Catalog, ConsumerGroup, Dirty, EPOCH_JOIN, EPOCH_LEAVE_STATIC, Member, Now, Progress,
    assignors::Assignor, reconcile::is_part_of, subscription::compile,
};
use crate::{error::ApiError, wire::ResponseError};
use std::{collections::BTreeSet, sync::Arc};

/// A heartbeat. What is absent has not changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beat {
    pub(crate) member_id: Arc<str>,
    pub(crate) epoch: i32,
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) rack_id: Option<Arc<str>>,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    pub(crate) rebalance_timeout_ms: Option<i32>,
    pub(crate) names: Option<BTreeSet<Arc<str>>>,
    /// Empty: no expression any more.
    pub(crate) regex: Option<Arc<str>>,
    pub(crate) assignor: Option<Assignor>,
    /// What it has.
    pub(crate) owned: Option<Assignment>,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BeatAnswer {
    pub(crate) member_id: Arc<str>,
    pub(crate) epoch: i32,
    pub(crate) heartbeat_interval_ms: i32,
    /// Where it is new to the member.
    pub(crate) assignment: Option<Assignment>,
}

impl ConsumerGroup {
    /// Answers a heartbeat. `topics_changed`: topics may be others than at the last heartbeat of this group.
    pub(crate) fn heartbeat(
        &mut self,
        now: Now,
        beat: &Beat,
        catalog: &dyn Catalog,
        topics_changed: bool,
        dirty: &mut Dirty,
    ) -> Result<BeatAnswer, ApiError> {
        if beat.epoch < EPOCH_JOIN {
            return self.leave(beat, dirty);
        }
        if let Some(regex) = beat.regex.as_deref().filter(|regex| !regex.is_empty()) {
            compile(regex)?;
        }
        let id = self.admit(beat, dirty)?;
        let had = self
            .members
            .get(&id)
            .map(|member| member.assigned.clone())
            .unwrap_or_default();
        let mut changed = self.update(now, &id, beat, dirty);
        changed |= self.resolve(catalog, topics_changed);
        if changed || topics_changed {
            changed |= self.look_up(catalog);
        }
        if changed {
            self.bump(dirty);
        }
        self.retarget(now, dirty);
        self.reconcile(now, &id, beat.owned.as_ref(), dirty);
        let member = self.member(&id)?;
        let full = beat.rebalance_timeout_ms.is_some()
            && (beat.names.is_some() || beat.regex.is_some())
            && beat.owned.is_some();
        let tell = beat.epoch == EPOCH_JOIN || full || member.assigned != had;
        Ok(BeatAnswer {
            member_id: id.clone(),
            epoch: member.epoch,
            heartbeat_interval_ms: self.limits.heartbeat_interval_ms,
            assignment: tell.then(|| member.assigned.clone()),
        })
    }

    /// Finds the member, or makes one of who joins.
    fn admit(&mut self, beat: &Beat, dirty: &mut Dirty) -> Result<Arc<str>, ApiError> {
        let id = beat.member_id.clone();
        let known = self.members.contains_key(&id);
        if !known
            && beat.epoch == EPOCH_JOIN
            && self.members.len() >= self.limits.members_max
            && !self.returns(beat)
        {
            let most = self.limits.members_max;
            return Err(ApiError::new(
                ResponseError::GroupMaxSizeReached,
                format!("The consumer group has reached its maximum capacity of {most} members."),
            ));
        }
        match &beat.instance_id {
            Some(instance) if beat.epoch == EPOCH_JOIN => self.admit_static(instance.clone(), &id, dirty)?,
            Some(instance) => {
                self.static_member(instance, &id)?;
            }
            None if beat.epoch == EPOCH_JOIN && !known => {
                self.members.insert(id.clone(), Member::new());
            }
            None => {}
        }
        self.validate_beat(self.member(&id)?, beat)?;
        Ok(id)
    }

    /// It takes the place of a static member that is away.
    fn returns(&self, beat: &Beat) -> bool {
        beat.instance_id
            .as_ref()
            .is_some_and(|instance| self.statics.contains_key(instance))
    }

    fn admit_static(&mut self, instance: Arc<str>, id: &Arc<str>, dirty: &mut Dirty) -> Result<(), ApiError> {
        let Some(owner) = self.statics.get(&instance).cloned() else {
            self.members.entry(id.clone()).or_insert_with(Member::new);
            self.statics.insert(instance, id.clone());
            return Ok(());
        };
        if owner == *id {
            return Ok(());
        }
        let away = self
            .members
            .get(&owner)
            .is_some_and(|member| member.epoch == EPOCH_LEAVE_STATIC);
        if !away {
            let message = format!(
                "Static member {id} with instance id {instance} cannot join the group because the instance id is \
                 owned by {owner} member."
            );
            return Err(ApiError::new(ResponseError::UnreleasedInstanceId, message));
        }
        // It is the same member under another id: it has what its former self had.
        self.rename(&owner, id, dirty);
        self.statics.insert(instance, id.clone());
        Ok(())
    }

    /// The id under which the instance is a member, if it is `id`.
    pub(super) fn static_member(&self, instance: &Arc<str>, id: &Arc<str>) -> Result<Arc<str>, ApiError> {
        match self.statics.get(instance) {
            None => {
                let message = format!("Instance id {instance} is unknown.");
                Err(ApiError::new(ResponseError::UnknownMemberId, message))
            }
            Some(owner) if owner != id => {
                let message =
                    format!("Static member {id} with instance id {instance} was fenced by member {owner}.");
                Err(ApiError::new(ResponseError::FencedInstanceId, message))
            }
            Some(owner) => Ok(owner.clone()),
        }
    }

    /// The epoch must be the member's; or its last one, where the answer with the newer one may have been lost.
    fn validate_beat(&self, member: &Member, beat: &Beat) -> Result<(), ApiError> {
        let (received, known) = (beat.epoch, member.epoch);
        if received == EPOCH_JOIN || received == known {
            return Ok(());
        }
        let compared = if received > known { "greater" } else { "smaller" };
        let lost = || {
            beat.owned
                .as_ref()
                .is_some_and(|owned| is_part_of(owned, &member.assigned))
        };
        if received < known && received == member.previous_epoch && lost() {
            return Ok(());
        }
        let message = format!(
            "The consumer group member has a {compared} member epoch ({received}) than the one known by the group \
             coordinator ({known}). The member must abandon all its partitions and rejoin."
        );
        Err(ApiError::new(ResponseError::FencedMemberEpoch, message))
    }

    /// Takes over what the heartbeat says. Answers whether the subscription is another one.
    fn update(&mut self, now: Now, id: &Arc<str>, beat: &Beat, dirty: &mut Dirty) -> bool {
        let session_ms = i64::from(self.limits.session_timeout_ms);
        let Some(member) = self.members.get_mut(id) else {
            return false;
        };
        let before = member.clone();
        member.classic = None;
        if before.classic.is_some() {
            member.act_by_ms = None;
        }
        member.client_id = beat.client_id.clone();
        member.client_host = beat.client_host.clone();
        if beat.epoch == EPOCH_JOIN || beat.instance_id.is_some() {
            member.instance_id = beat.instance_id.clone();
        }
        member.rack_id = beat.rack_id.clone().or_else(|| member.rack_id.take());
        member.rebalance_timeout_ms = beat.rebalance_timeout_ms.unwrap_or(member.rebalance_timeout_ms);
        member.assignor = beat.assignor.or(member.assignor);
        if let Some(names) = &beat.names {
            member.names = names.clone();
        }
        if let Some(regex) = &beat.regex {
            member.regex = (!regex.is_empty()).then(|| regex.clone());
        }
        let changed = member.names != before.names || member.regex != before.regex;
        if *member != before {
            dirty.members.insert(id.clone());
        }
        member.session_at_ms = now.elapsed_ms + session_ms;
        changed
    }
}

impl Member {
    pub(super) fn new() -> Self {
        Member {
            instance_id: None,
            rack_id: None,
            client_id: Arc::from(""),
            client_host: Arc::from(""),
            rebalance_timeout_ms: -1,
            names: BTreeSet::new(),
            regex: None,
            assignor: None,
            epoch: EPOCH_JOIN,
            previous_epoch: EPOCH_JOIN,
            progress: Progress::Stable,
            assigned: Assignment::new(),
            revoking: Assignment::new(),
            target: Assignment::new(),
            session_at_ms: i64::MAX,
            act_by_ms: None,
            classic: None,
        }
    }
}
