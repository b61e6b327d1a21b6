//! The consumer rebalance protocol (KIP-848): members heartbeat, the group assigns, each member moves at its own pace.
//!
//! Knows: member and group epochs, target and current assignments, who still holds a partition that another waits for.
//! Never: which topics there are, but through [`Catalog`]; how an assignment is computed, which is in `assignors`.
//!
//! Invariant: a partition is in the current assignment (assigned or being revoked) of one member at most.

pub(crate) mod assignors;
mod classic;
mod heartbeat;
mod leave;
mod migrate;
mod reconcile;
mod record;
pub(crate) mod subscription;
mod target;

pub(crate) use classic::ClassicFacts;
pub(crate) use heartbeat::{Beat, BeatAnswer};
pub(crate) use migrate::Migration;
pub(crate) use record::{ConsumerMemberRecord, ConsumerRecord};

use super::Now;
use crate::{error::ApiError, wire::ResponseError};
use assignors::Assignor;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// The epoch of a group that was just made, with nothing assigned: its first member finds it one further.
pub(crate) const EPOCH_FIRST: i32 = 1;
/// The epoch of a member that joins.
pub(crate) const EPOCH_JOIN: i32 = 0;
/// The epoch of a member that leaves.
#[cfg(test)]
pub(crate) const EPOCH_LEAVE: i32 = -1;
/// The epoch of a static member that will be back.
pub(crate) const EPOCH_LEAVE_STATIC: i32 = -2;

/// Partitions by topic id.
pub(crate) type Assignment = BTreeMap<Uuid, BTreeSet<i32>>;

/// The topics there are.
pub(crate) trait Catalog {
    /// Id and number of partitions.
    fn topic(&self, name: &str) -> Option<(Uuid, i32)>;
    /// Every name.
    fn names(&self) -> Vec<&str>;
}

/// What bounds consumer groups; each group may have its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsumerLimits {
    /// `consumer.session.timeout.ms`
    pub(crate) session_timeout_ms: i32,
    /// `consumer.heartbeat.interval.ms`
    pub(crate) heartbeat_interval_ms: i32,
    /// `consumer.assignment.interval.ms`: targets are computed no more often.
    pub(crate) assignment_interval_ms: i32,
    /// `group.consumer.max.size`
    pub(crate) members_max: usize,
    /// `group.consumer.assignors`: the first is for groups that do not choose.
    pub(crate) assignors: Vec<Assignor>,
}

/// How far a member is on the way to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Progress {
    /// It has all of its target.
    Stable,
    /// It must give partitions up before it goes on.
    UnrevokedPartitions,
    /// It waits for partitions that others have not given up.
    UnreleasedPartitions,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) rack_id: Option<Arc<str>>,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) names: BTreeSet<Arc<str>>,
    pub(crate) regex: Option<Arc<str>>,
    pub(crate) assignor: Option<Assignor>,
    pub(crate) epoch: i32,
    previous_epoch: i32,
    progress: Progress,
    pub(crate) assigned: Assignment,
    revoking: Assignment,
    pub(crate) target: Assignment,
    /// When it is given up.
    session_at_ms: i64,
    /// When it must have given up what it is asked to; or, in the classic protocol, have joined or synced.
    act_by_ms: Option<i64>,
    /// It speaks the classic protocol.
    pub(crate) classic: Option<ClassicFacts>,
}

/// A group whose members use the consumer protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsumerGroup {
    id: Arc<str>,
    limits: ConsumerLimits,
    /// Grows with every change of members, subscriptions or topics.
    epoch: i32,
    /// The epoch the targets were computed for.
    target_epoch: i32,
    /// When they were; not since the start of this process where absent.
    targeted_at_ms: Option<i64>,
    members: BTreeMap<Arc<str>, Member>,
    /// Member ids by `group.instance.id`.
    statics: BTreeMap<Arc<str>, Arc<str>>,
    /// Topics by the expressions members subscribe to.
    matches: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Subscribed topics as they were when last looked at.
    topics: BTreeMap<Arc<str>, (Uuid, i32)>,
    /// Who holds a partition, assigned or being revoked.
    holders: BTreeMap<(Uuid, i32), Arc<str>>,
}

/// What of a group must be stored, before any reply of the same step is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dirty {
    /// Epochs and expressions.
    pub(crate) header: bool,
    /// Members, changed or gone.
    pub(crate) members: BTreeSet<Arc<str>>,
}

impl ConsumerGroup {
    /// A group without members.
    pub(crate) fn new(id: Arc<str>, limits: ConsumerLimits) -> Self {
        ConsumerGroup {
            id,
            limits,
            epoch: EPOCH_FIRST,
            target_epoch: EPOCH_FIRST,
            targeted_at_ms: None,
            members: BTreeMap::new(),
            statics: BTreeMap::new(),
            matches: BTreeMap::new(),
            topics: BTreeMap::new(),
            holders: BTreeMap::new(),
        }
    }

    /// Bounds from now on.
    pub(crate) fn configure(&mut self, limits: ConsumerLimits) {
        self.limits = limits;
    }

    pub(crate) fn epoch(&self) -> i32 {
        self.epoch
    }

    pub(crate) fn target_epoch(&self) -> i32 {
        self.target_epoch
    }

    /// Members by id.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&Arc<str>, &Member)> {
        self.members.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The name clients see.
    pub(crate) fn state(&self) -> &'static str {
        let reconciled =
            |member: &Member| member.progress == Progress::Stable && member.epoch == self.target_epoch;
        if self.members.is_empty() {
            "Empty"
        } else if self.epoch > self.target_epoch {
            "Assigning"
        } else if self.members.values().all(reconciled) {
            "Stable"
        } else {
            "Reconciling"
        }
    }

    /// The assignor most members ask for.
    pub(crate) fn assignor(&self) -> Assignor {
        let first = self
            .limits
            .assignors
            .first()
            .copied()
            .unwrap_or(Assignor::Uniform);
        let votes = |assignor: Assignor| {
            self.members
                .values()
                .filter(|one| one.assignor == Some(assignor))
                .count()
        };
        let best = self
            .limits
            .assignors
            .iter()
            .copied()
            .rev()
            .max_by_key(|assignor| votes(*assignor));
        best.filter(|assignor| votes(*assignor) > 0).unwrap_or(first)
    }

    /// Whether a member reads `topic`.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        self.members.values().any(|member| {
            let matched = member.regex.as_ref().and_then(|regex| self.matches.get(regex));
            member.names.contains(topic) || matched.is_some_and(|topics| topics.contains(topic))
        })
    }

    /// Checks who may commit offsets now.
    pub(crate) fn validate_commit(
        &self,
        member_id: &str,
        epoch: i32,
        old_version: bool,
    ) -> Result<(), ApiError> {
        if epoch < 0 && self.members.is_empty() {
            return Ok(()); // an admin, or a consumer that manages its partitions by itself
        }
        let member = self.member(member_id)?;
        if old_version && member.classic.is_none() {
            return Err(ResponseError::UnsupportedVersion.into());
        }
        self.validate_epoch(member, epoch)
    }

    /// Checks who may read offsets.
    pub(crate) fn validate_fetch(&self, member_id: &str, epoch: i32) -> Result<(), ApiError> {
        let member = self.member(member_id)?;
        self.validate_epoch(member, epoch)
    }

    fn validate_epoch(&self, member: &Member, epoch: i32) -> Result<(), ApiError> {
        if member.epoch == epoch {
            return Ok(());
        }
        if member.classic.is_some() {
            return Err(ResponseError::IllegalGeneration.into());
        }
        let known = member.epoch;
        Err(ApiError::new(
            ResponseError::StaleMemberEpoch,
            format!("The received member epoch {epoch} does not match the expected member epoch {known}."),
        ))
    }

    fn member(&self, member_id: &str) -> Result<&Member, ApiError> {
        self.members.get(member_id).ok_or_else(|| {
            let group = &self.id;
            ApiError::new(
                ResponseError::UnknownMemberId,
                format!("Member {member_id} is not a member of group {group}."),
            )
        })
    }

    /// When [`ConsumerGroup::tick`] next has something to do.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        let of = |member: &Member| {
            member
                .act_by_ms
                .map_or(member.session_at_ms, |at| at.min(member.session_at_ms))
        };
        self.members.values().map(of).min()
    }

    /// Records who holds what, after a change of one member's assignment.
    fn hold(&mut self, member_id: &Arc<str>) {
        self.holders.retain(|_, holder| holder != member_id);
        let Some(member) = self.members.get(member_id) else {
            return;
        };
        for (topic, partitions) in member.assigned.iter().chain(&member.revoking) {
            for partition in partitions {
                self.holders.insert((*topic, *partition), member_id.clone());
            }
        }
    }

    fn bump(&mut self, dirty: &mut Dirty) {
        self.epoch += 1;
        dirty.header = true;
    }
}

#[cfg(test)]
mod tests;
