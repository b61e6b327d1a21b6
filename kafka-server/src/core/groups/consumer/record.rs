//! What of a consumer group outlives the process: its epochs, and each member by itself.

use super::{
    Assignment, ClassicFacts, ConsumerGroup, ConsumerLimits, Member, Now, Progress, assignors::Assignor,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// A group without its members, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsumerRecord {
    epoch: i32,
    target_epoch: i32,
    topics: Vec<(String, [u8; 16], i32)>,
    matches: BTreeMap<String, BTreeSet<String>>,
}

/// Partitions of a topic, as they are stored.
type Places = Vec<([u8; 16], Vec<i32>)>;

/// A member as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsumerMemberRecord {
    instance_id: Option<String>,
    rack_id: Option<String>,
    client_id: String,
    client_host: String,
    rebalance_timeout_ms: i32,
    names: BTreeSet<String>,
    regex: Option<String>,
    assignor: Option<Assignor>,
    epoch: i32,
    previous_epoch: i32,
    progress: Progress,
    assigned: Places,
    revoking: Places,
    target: Places,
    classic: Option<ClassicFacts>,
}

impl ConsumerGroup {
    /// The group without its members.
    pub(crate) fn record(&self) -> ConsumerRecord {
        let topic =
            |(name, (id, count)): (&Arc<str>, &(Uuid, i32))| (name.to_string(), id.into_bytes(), *count);
        let matched = |(regex, names): (&Arc<str>, &BTreeSet<Arc<str>>)| {
            (regex.to_string(), names.iter().map(ToString::to_string).collect())
        };
        ConsumerRecord {
            epoch: self.epoch,
            target_epoch: self.target_epoch,
            topics: self.topics.iter().map(topic).collect(),
            matches: self.matches.iter().map(matched).collect(),
        }
    }

    /// A member; `None`: it is gone.
    pub(crate) fn member_record(&self, id: &str) -> Option<ConsumerMemberRecord> {
        let member = self.members.get(id)?;
        let owned = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        Some(ConsumerMemberRecord {
            instance_id: owned(&member.instance_id),
            rack_id: owned(&member.rack_id),
            client_id: member.client_id.to_string(),
            client_host: member.client_host.to_string(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            names: member.names.iter().map(ToString::to_string).collect(),
            regex: owned(&member.regex),
            assignor: member.assignor,
            epoch: member.epoch,
            previous_epoch: member.previous_epoch,
            progress: member.progress,
            assigned: places(&member.assigned),
            revoking: places(&member.revoking),
            target: places(&member.target),
            classic: member.classic.clone(),
        })
    }

    /// The group as it was stored, each member with a whole session before it.
    pub(crate) fn restore(
        now: Now,
        id: Arc<str>,
        limits: ConsumerLimits,
        record: ConsumerRecord,
        members: BTreeMap<Arc<str>, ConsumerMemberRecord>,
    ) -> Self {
        let session_at_ms = now.elapsed_ms + i64::from(limits.session_timeout_ms);
        let mut group = ConsumerGroup::new(id, limits);
        group.epoch = record.epoch;
        group.target_epoch = record.target_epoch;
        let topic = |(name, id, count): (String, [u8; 16], i32)| (name.into(), (Uuid::from_bytes(id), count));
        group.topics = record.topics.into_iter().map(topic).collect();
        let matched = |(regex, names): (String, BTreeSet<String>)| {
            (Arc::from(regex), names.into_iter().map(Arc::from).collect())
        };
        group.matches = record.matches.into_iter().map(matched).collect();
        for (id, stored) in members {
            if let Some(instance) = &stored.instance_id {
                group.statics.insert(instance.as_str().into(), id.clone());
            }
            group
                .members
                .insert(id.clone(), member(now, session_at_ms, stored));
            group.hold(&id);
        }
        group
    }
}

fn member(now: Now, session_at_ms: i64, stored: ConsumerMemberRecord) -> Member {
    let revoking = stored.progress == Progress::UnrevokedPartitions;
    let act_by_ms = now.elapsed_ms + i64::from(stored.rebalance_timeout_ms.max(0));
    let classic_ms = stored
        .classic
        .as_ref()
        .map(|facts| i64::from(facts.session_timeout_ms));
    let session_at_ms = classic_ms.map_or(session_at_ms, |timeout_ms| now.elapsed_ms + timeout_ms);
    Member {
        instance_id: stored.instance_id.map(Arc::from),
        rack_id: stored.rack_id.map(Arc::from),
        client_id: stored.client_id.into(),
        client_host: stored.client_host.into(),
        rebalance_timeout_ms: stored.rebalance_timeout_ms,
        names: stored.names.into_iter().map(Arc::from).collect(),
        regex: stored.regex.map(Arc::from),
        assignor: stored.assignor,
        epoch: stored.epoch,
        previous_epoch: stored.previous_epoch,
        progress: stored.progress,
        assigned: assignment(stored.assigned),
        revoking: assignment(stored.revoking),
        target: assignment(stored.target),
        session_at_ms,
        act_by_ms: revoking.then_some(act_by_ms),
        classic: stored.classic,
    }
}

fn places(assignment: &Assignment) -> Places {
    let topic = |(id, indexes): (&Uuid, &BTreeSet<i32>)| (id.into_bytes(), indexes.iter().copied().collect());
    assignment.iter().map(topic).collect()
}

fn assignment(places: Places) -> Assignment {
    let topic = |(id, indexes): ([u8; 16], Vec<i32>)| (Uuid::from_bytes(id), indexes.into_iter().collect());
    places.into_iter().map(topic).collect()
}
