//! From the classic protocol to this one and back, while members stay.

use super::{
    Catalog, ClassicFacts, ConsumerGroup, ConsumerLimits, Dirty, Member, Now,
    classic::{by_id, by_name},
};
use crate::{
    core::groups::{
        ClassicLimits, Effect,
        classic::{self, CONSUMER, ClassicGroup, ClassicRecord, MemberRecord},
    },
    wire::{ResponseError, consumer_protocol},
};
use std::{collections::BTreeSet, sync::Arc};

/// `group.consumer.migration.policy`: which way live groups may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Migration {
    pub(crate) upgrade: bool,
    pub(crate) downgrade: bool,
}

impl Migration {
    /// By the name in the configuration; both ways where it is not one.
    pub(crate) fn by_name(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        Migration {
            upgrade: name != "disabled" && name != "downgrade",
            downgrade: name != "disabled" && name != "upgrade",
        }
    }
}

impl ConsumerGroup {
    /// The group that goes on where `classic` is, with the same members and what they have. Who waits in the classic
    /// group is told to join again. `None`: not all of its members are consumers that can be understood.
    pub(crate) fn from_classic(
        now: Now,
        id: Arc<str>,
        limits: ConsumerLimits,
        classic: &mut ClassicGroup,
        catalog: &dyn Catalog,
        out: &mut Vec<Effect>,
        dirty: &mut Dirty,
    ) -> Option<Self> {
        if !classic.uses_consumer_protocol() || classic.members().count() > limits.members_max {
            return None;
        }
        let mut group = ConsumerGroup::new(id, limits);
        group.epoch = classic.generation();
        group.target_epoch = classic.generation();
        for (id, member) in classic.members() {
            let mut member = from_classic(now, classic.generation(), member, catalog)?;
            // A client's assignor may have given a partition away twice; the group never does.
            for (topic, indexes) in &mut member.assigned {
                indexes.retain(|index| !group.holders.contains_key(&(*topic, *index)));
            }
            member.target = member.assigned.clone();
            if let Some(instance) = &member.instance_id {
                group.statics.insert(instance.clone(), id.clone());
            }
            group.members.insert(id.clone(), member);
            group.hold(id);
            dirty.members.insert(id.clone());
        }
        group.look_up(catalog);
        dirty.header = true;
        classic.dissolve(ResponseError::RebalanceInProgress, out);
        Some(group)
    }

    /// The classic group that goes on where this one is, once no member speaks the consumer protocol any more. Its
    /// members are asked to join again. `None`: somebody still does, or nobody is there.
    pub(crate) fn to_classic(
        &self,
        now: Now,
        limits: ClassicLimits,
        out: &mut Vec<Effect>,
        dirty: &mut Dirty,
    ) -> Option<ClassicGroup> {
        let all_classic = self.members.values().all(|member| member.classic.is_some());
        if self.members.is_empty() || !all_classic || self.members.len() > limits.members_max {
            return None;
        }
        let facts = self.members.values().filter_map(|member| member.classic.as_ref());
        let names = facts.map(|facts| {
            facts
                .protocols
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<BTreeSet<_>>()
        });
        let common = names.reduce(|common, more| &common & &more)?;
        let preferred = &self.members.values().next()?.classic.as_ref()?.protocols;
        let protocol = preferred
            .iter()
            .map(|(name, _)| name)
            .find(|name| common.contains(name.as_str()))?
            .clone();
        // The newest epoch that a member was told: the one that the last leave made is known to nobody, and a member
        // whose generation is refused would give up its partitions in place of joining again.
        let told = self.members.values().map(|member| member.epoch).max();
        let record = ClassicRecord {
            generation: told.unwrap_or(self.epoch),
            protocol_type: Some(CONSUMER.to_owned()),
            leader: self.members.keys().next().map(ToString::to_string),
            state_since_ms: Some(now.wall_ms),
            members: self
                .members
                .iter()
                .filter_map(|(id, member)| self.to_record(id, member, &protocol))
                .collect(),
            protocol: Some(protocol),
        };
        let mut classic = ClassicGroup::restore(now, limits, record);
        dirty.members.extend(self.members.keys().cloned());
        dirty.header = true;
        classic.prepare(now, out);
        Some(classic)
    }

    fn to_record(&self, id: &Arc<str>, member: &Member, protocol: &str) -> Option<MemberRecord> {
        let facts = member.classic.as_ref()?;
        let (_, metadata) = facts.protocols.iter().find(|(name, _)| name == protocol)?;
        let assigned = by_name(&member.assigned, &self.names_by_id());
        Some(MemberRecord {
            id: id.to_string(),
            instance_id: member.instance_id.as_deref().map(str::to_owned),
            client_id: member.client_id.to_string(),
            client_host: member.client_host.to_string(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: facts.session_timeout_ms,
            metadata: metadata.clone(),
            assignment: consumer_protocol::write_assignment(facts.version, &assigned).to_vec(),
        })
    }
}

fn from_classic(
    now: Now,
    generation: i32,
    member: &classic::Member,
    catalog: &dyn Catalog,
) -> Option<Member> {
    let first = member.protocols.first()?;
    let subscription = consumer_protocol::read_subscription(&first.metadata)?;
    let assigned = match member.assignment.is_empty() {
        true => Vec::new(),
        false => consumer_protocol::read_assignment(&member.assignment)?,
    };
    let protocols = member.protocols.iter();
    Some(Member {
        instance_id: member.instance_id.clone(),
        rack_id: subscription.rack_id.map(Arc::from),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        names: subscription.topics.into_iter().map(Arc::from).collect(),
        epoch: generation,
        previous_epoch: generation,
        assigned: by_id(&assigned, catalog),
        session_at_ms: now.elapsed_ms + i64::from(member.session_timeout_ms),
        classic: Some(ClassicFacts {
            session_timeout_ms: member.session_timeout_ms,
            version: subscription.version,
            protocols: protocols
                .map(|own| (own.name.to_string(), own.metadata.to_vec()))
                .collect(),
        }),
        ..Member::new()
    })
}

#[cfg(test)]
mod tests;
