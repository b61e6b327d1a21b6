//! Members of a consumer group that still speak the classic protocol: each JoinGroup is answered at once with the
//! member's own epoch as generation, and SyncGroup tells what the group assigned.

use super::{Assignment, Catalog, ConsumerGroup, Dirty, EPOCH_JOIN, Member, Now, Progress};
use crate::{
    core::groups::{
        Joined, Refused, Synced,
        classic::{CONSUMER, JoinRequest, LeaveRequest, Left, SyncRequest},
    },
    wire::{
        ResponseError,
        consumer_protocol::{self, NamedPartitions, Subscription},
    },
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// What a member of the classic protocol says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClassicFacts {
    pub(crate) session_timeout_ms: i32,
    /// Version of its metadata, and so of the assignments it understands.
    pub(crate) version: i16,
    /// Names and metadata, in its order of preference.
    pub(crate) protocols: Vec<(String, Vec<u8>)>,
}

impl ConsumerGroup {
    /// JoinGroup of a member of the classic protocol.
    pub(crate) fn join_classic(
        &mut self,
        now: Now,
        request: &JoinRequest,
        catalog: &dyn Catalog,
        topics_changed: bool,
        dirty: &mut Dirty,
    ) -> Result<Joined, Refused> {
        let refused = |code, id: &Arc<str>| Refused {
            code,
            member_id: id.clone(),
        };
        let asked = &request.member_id;
        if !self.members.contains_key(asked) && self.members.len() >= self.limits.members_max {
            return Err(refused(ResponseError::GroupMaxSizeReached, asked));
        }
        let first = request.protocols.first();
        let subscription = first.and_then(|first| consumer_protocol::read_subscription(&first.metadata));
        let Some(subscription) = subscription.filter(|_| self.supports_classic(request)) else {
            return Err(refused(ResponseError::InconsistentGroupProtocol, asked));
        };
        let id = self.admit_classic(request, dirty)?;
        let mut changed = self.update_classic(now, &id, request, &subscription, dirty);
        changed |= self.resolve(catalog, topics_changed);
        if changed || topics_changed {
            changed |= self.look_up(catalog);
        }
        if changed {
            self.bump(dirty);
        }
        self.retarget(now, dirty);
        let owned = by_id(&subscription.owned, catalog);
        self.reconcile(now, &id, Some(&owned), dirty);
        let member = self.member(&id).map_err(|error| refused(error.code, &id))?;
        Ok(Joined {
            generation: member.epoch,
            protocol_type: Some(CONSUMER.into()),
            protocol: request.protocols.first().map(|first| first.name.clone()),
            leader: Arc::from(""),
            member_id: id,
            skip_assignment: false,
            members: Vec::new(),
        })
    }

    /// Members of the classic protocol must have one in common, in case they are left alone.
    fn supports_classic(&self, request: &JoinRequest) -> bool {
        let common = self.common_protocols(&request.member_id);
        let fits = |name: &str| common.as_ref().is_none_or(|common| common.contains(name));
        &*request.protocol_type == CONSUMER && request.protocols.iter().any(|protocol| fits(&protocol.name))
    }

    /// Protocols of every member but `except` that speaks the classic protocol; `None`: there is no such member.
    fn common_protocols(&self, except: &str) -> Option<BTreeSet<String>> {
        let others = self.members.iter().filter(|(id, _)| &***id != except);
        let names = others
            .filter_map(|(_, member)| member.classic.as_ref())
            .map(|facts| {
                facts
                    .protocols
                    .iter()
                    .map(|(name, _)| name.clone())
                    .collect::<BTreeSet<String>>()
            });
        names.reduce(|common, more| common.intersection(&more).cloned().collect())
    }

    fn admit_classic(&mut self, request: &JoinRequest, dirty: &mut Dirty) -> Result<Arc<str>, Refused> {
        let refused = |code, id: &Arc<str>| Refused {
            code,
            member_id: id.clone(),
        };
        let (asked, new_id) = (&request.member_id, &request.new_id);
        match &request.instance_id {
            None if asked.is_empty() && request.member_id_required => {
                Err(refused(ResponseError::MemberIdRequired, new_id))
            }
            None => {
                let id = if asked.is_empty() { new_id } else { asked };
                self.members.entry(id.clone()).or_insert_with(Member::new);
                Ok(id.clone())
            }
            Some(instance) if asked.is_empty() => {
                // It takes over at once: in the classic protocol nobody says that it will be back.
                if let Some(owner) = self.statics.get(instance).cloned() {
                    self.rename(&owner, new_id, dirty);
                } else {
                    self.members.insert(new_id.clone(), Member::new());
                }
                self.statics.insert(instance.clone(), new_id.clone());
                Ok(new_id.clone())
            }
            Some(instance) => {
                let found = self.static_member(instance, asked);
                found.map_err(|error| refused(error.code, asked))
            }
        }
    }

    fn update_classic(
        &mut self,
        now: Now,
        id: &Arc<str>,
        request: &JoinRequest,
        subscription: &Subscription,
        dirty: &mut Dirty,
    ) -> bool {
        let Some(member) = self.members.get_mut(id) else {
            return false;
        };
        let names: BTreeSet<Arc<str>> = subscription
            .topics
            .iter()
            .map(|name| Arc::from(name.as_str()))
            .collect();
        let changed = member.names != names || member.regex.is_some();
        member.names = names;
        member.regex = None;
        member.assignor = None;
        member.instance_id = request.instance_id.clone();
        member.rack_id = subscription.rack_id.as_deref().map(Arc::from);
        member.client_id = request.client_id.clone();
        member.client_host = request.client_host.clone();
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        let protocols = request.protocols.iter();
        member.classic = Some(ClassicFacts {
            session_timeout_ms: request.session_timeout_ms,
            version: subscription.version,
            protocols: protocols
                .map(|own| (own.name.to_string(), own.metadata.to_vec()))
                .collect(),
        });
        member.session_at_ms = now.elapsed_ms + i64::from(request.session_timeout_ms);
        member.act_by_ms = Some(now.elapsed_ms + i64::from(request.rebalance_timeout_ms.max(0)));
        dirty.members.insert(id.clone());
        changed
    }

    /// SyncGroup of a member of the classic protocol.
    pub(crate) fn sync_classic(&mut self, now: Now, request: &SyncRequest) -> Result<Synced, ResponseError> {
        let names = self.names_by_id();
        let target_epoch = self.target_epoch;
        let member = self.classic_member(
            &request.member_id,
            request.instance_id.as_ref(),
            request.generation,
        )?;
        let Some(facts) = member.classic.clone() else {
            return Err(ResponseError::UnknownMemberId);
        };
        let protocol: Option<Arc<str>> = facts.protocols.first().map(|(name, _)| name.as_str().into());
        let differs = request
            .protocol_type
            .as_deref()
            .is_some_and(|asked| asked != CONSUMER)
            || request.protocol.is_some() && request.protocol != protocol;
        if differs {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        if target_epoch > member.epoch && member.progress != Progress::UnrevokedPartitions {
            member.act_soon(now);
            return Err(ResponseError::RebalanceInProgress);
        }
        member.act_by_ms = None;
        member.session_at_ms = now.elapsed_ms + i64::from(facts.session_timeout_ms);
        let assigned = by_name(&member.assigned, &names);
        Ok(Synced {
            protocol_type: Some(CONSUMER.into()),
            protocol,
            assignment: consumer_protocol::write_assignment(facts.version, &assigned),
        })
    }

    /// Heartbeat of a member of the classic protocol: it is told to join again when there is something for it.
    pub(crate) fn heartbeat_classic(
        &mut self,
        now: Now,
        member_id: &Arc<str>,
        instance_id: Option<&Arc<str>>,
        generation: i32,
    ) -> Result<(), ResponseError> {
        let (target_epoch, retargets) = (self.target_epoch, self.retargets(now));
        let free = self
            .classic_member(member_id, instance_id, generation)
            .map(|member| member.target.clone())?;
        let waits = self.waits_for_others(member_id, &free);
        let member = self.classic_member(member_id, instance_id, generation)?;
        let session_ms = member
            .classic
            .as_ref()
            .map_or(0, |facts| facts.session_timeout_ms);
        member.session_at_ms = now.elapsed_ms + i64::from(session_ms);
        let rejoin = member.epoch < target_epoch
            || retargets
            || member.progress == Progress::UnrevokedPartitions
            || member.progress == Progress::UnreleasedPartitions && !waits;
        if rejoin {
            member.act_soon(now);
            return Err(ResponseError::RebalanceInProgress);
        }
        Ok(())
    }

    /// LeaveGroup: an answer for each member, in their order.
    pub(crate) fn leave_classic(&mut self, leaving: &[LeaveRequest], dirty: &mut Dirty) -> Vec<Left> {
        let mut answers = Vec::with_capacity(leaving.len());
        for who in leaving {
            let found = match &who.instance_id {
                Some(instance) if who.member_id.is_empty() => self
                    .statics
                    .get(instance)
                    .cloned()
                    .ok_or(ResponseError::UnknownMemberId),
                Some(instance) => self
                    .static_member(instance, &who.member_id)
                    .map_err(|error| error.code),
                None => self
                    .member(&who.member_id)
                    .map(|_| who.member_id.clone())
                    .map_err(|error| error.code),
            };
            if let Ok(id) = &found {
                self.remove(id, dirty);
            }
            answers.push(found.map(|_| ()));
        }
        answers
    }

    fn classic_member(
        &mut self,
        id: &Arc<str>,
        instance_id: Option<&Arc<str>>,
        generation: i32,
    ) -> Result<&mut Member, ResponseError> {
        if let Some(instance) = instance_id {
            self.static_member(instance, id).map_err(|error| error.code)?;
        }
        let member = self.members.get_mut(id).filter(|member| member.classic.is_some());
        let member = member.ok_or(ResponseError::UnknownMemberId)?;
        match member.epoch == generation {
            true => Ok(member),
            false => Err(ResponseError::IllegalGeneration),
        }
    }

    /// Whether somebody else still holds a part of `target`.
    fn waits_for_others(&self, member_id: &Arc<str>, target: &Assignment) -> bool {
        let mut places = target
            .iter()
            .flat_map(|(topic, indexes)| indexes.iter().map(|index| (*topic, *index)));
        places.any(|place| self.holders.get(&place).is_some_and(|holder| holder != member_id))
    }

    pub(in crate::core::groups) fn names_by_id(&self) -> BTreeMap<Uuid, Arc<str>> {
        self.topics
            .iter()
            .map(|(name, (id, _))| (*id, name.clone()))
            .collect()
    }

    /// Gives a static member's place to another id.
    pub(super) fn rename(&mut self, owner: &Arc<str>, id: &Arc<str>, dirty: &mut Dirty) {
        if let Some(mut member) = self.members.remove(owner) {
            member.epoch = EPOCH_JOIN;
            member.previous_epoch = EPOCH_JOIN;
            member.progress = Progress::Stable;
            self.members.insert(id.clone(), member);
        }
        self.hold(owner);
        self.hold(id);
        dirty.members.extend([owner.clone(), id.clone()]);
    }
}

impl Member {
    /// It must join again before its rebalance timeout.
    fn act_soon(&mut self, now: Now) {
        let by_ms = now.elapsed_ms + i64::from(self.rebalance_timeout_ms.max(0));
        self.act_by_ms.get_or_insert(by_ms);
    }
}

/// Partitions by topic id; of topics that are gone there are none.
pub(in crate::core::groups) fn by_id(partitions: &NamedPartitions, catalog: &dyn Catalog) -> Assignment {
    let topic = |(name, indexes): &(String, Vec<i32>)| {
        catalog
            .topic(name)
            .map(|(id, _)| (id, indexes.iter().copied().collect()))
    };
    partitions.iter().filter_map(topic).collect()
}

/// Partitions by topic name.
pub(in crate::core::groups) fn by_name(
    assignment: &Assignment,
    names: &BTreeMap<Uuid, Arc<str>>,
) -> NamedPartitions {
    let topic = |(id, indexes): (&Uuid, &BTreeSet<i32>)| {
        names
            .get(id)
            .map(|name| (name.to_string(), indexes.iter().copied().collect()))
    };
    assignment.iter().filter_map(topic).collect()
}
