//! What of a classic group outlives the process: the generation, who is in it, and what they were assigned.

use super::{ClassicGroup, ClassicLimits, Member, Now, Protocol, State};
use bytes::Bytes;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// A classic group as it is stored: always at rest, empty or stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClassicRecord {
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: Option<String>,
    pub(crate) state_since_ms: Option<i64>,
    pub(crate) members: Vec<MemberRecord>,
}

/// A member as it is stored, with its metadata for the chosen protocol only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) session_timeout_ms: i32,
    pub(crate) metadata: Vec<u8>,
    pub(crate) assignment: Vec<u8>,
}

impl ClassicGroup {
    /// What to store. Members that were never assigned anything are not in it.
    pub(crate) fn record(&self) -> ClassicRecord {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let member = |(id, member): (&Arc<str>, &Member)| MemberRecord {
            id: id.to_string(),
            instance_id: member.instance_id.as_deref().map(str::to_owned),
            client_id: member.client_id.to_string(),
            client_host: member.client_host.to_string(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            metadata: member.metadata(protocol).to_vec(),
            assignment: member.assignment.to_vec(),
        };
        let owned = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        ClassicRecord {
            generation: self.generation,
            protocol_type: owned(&self.protocol_type),
            protocol: owned(&self.protocol),
            leader: owned(&self.leader),
            state_since_ms: self.state_since_ms,
            members: self.members.iter().map(member).collect(),
        }
    }

    /// The group as it was stored, each member with a whole session before it.
    pub(crate) fn restore(now: Now, limits: ClassicLimits, record: ClassicRecord) -> Self {
        let mut group = ClassicGroup::new(limits);
        group.generation = record.generation;
        group.protocol_type = record.protocol_type.map(Arc::from);
        group.protocol = record.protocol.map(Arc::from);
        group.leader = record.leader.map(Arc::from);
        group.state_since_ms = record.state_since_ms;
        group.state = if record.members.is_empty() {
            State::Empty
        } else {
            State::Stable
        };
        let name = group.protocol.clone().unwrap_or_default();
        let mut members = IndexMap::new();
        let mut statics = BTreeMap::new();
        for stored in record.members {
            let id: Arc<str> = stored.id.into();
            let instance_id: Option<Arc<str>> = stored.instance_id.map(Arc::from);
            if let Some(instance) = &instance_id {
                statics.insert(instance.clone(), id.clone());
            }
            let mut member = Member {
                instance_id,
                client_id: stored.client_id.into(),
                client_host: stored.client_host.into(),
                rebalance_timeout_ms: stored.rebalance_timeout_ms,
                session_timeout_ms: stored.session_timeout_ms,
                protocols: vec![Protocol {
                    name: name.clone(),
                    metadata: Bytes::from(stored.metadata),
                }],
                assignment: Bytes::from(stored.assignment),
                joining: None,
                syncing: None,
                is_new: false,
                deadline_ms: 0,
            };
            member.renew(now);
            members.insert(id, member);
        }
        group.members = members;
        group.statics = statics;
        group.subscribed = group.subscriptions();
        group
    }
}
