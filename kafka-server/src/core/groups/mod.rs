//! Groups of consumers and their committed offsets.
//!
//! Knows: who is a member, which generation or epoch it is in, what it is assigned, when it is given up.
//! Never: where a reply goes (a [`Token`] stands for it), when a deadline is looked at (a tick says so), how state
//! is stored ([`Effect::Save`] says that it must be, before any reply of the same step is sent).

pub(crate) mod classic;
pub(crate) mod consumer;
pub(crate) mod group;
pub(crate) mod offsets;

use bytes::Bytes;
use std::sync::Arc;

use crate::wire::ResponseError;

/// Stands for a request that waits for its answer.
pub(crate) type Token = u64;

/// Both readings of the clock, in ms: deadlines use the one that never jumps, stored times the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// Since the broker started.
    pub(crate) elapsed_ms: i64,
    /// Since 1970.
    pub(crate) wall_ms: i64,
}

/// What a step asks of its caller, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The group's own record changed and must be stored before the replies of this step are sent.
    Save,
    /// Answers a JoinGroup.
    Join(Token, Result<Joined, Refused>),
    /// Answers a SyncGroup.
    Sync(Token, Result<Synced, ResponseError>),
}

/// A completed JoinGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<Arc<str>>,
    pub(crate) protocol: Option<Arc<str>>,
    pub(crate) leader: Arc<str>,
    pub(crate) member_id: Arc<str>,
    /// The leader need not compute an assignment: it stands.
    pub(crate) skip_assignment: bool,
    /// Everybody, where the member is the leader.
    pub(crate) members: Vec<JoinedMember>,
}

/// What a leader is told of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedMember {
    pub(crate) member_id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) metadata: Bytes,
}

/// A refused JoinGroup. The id tells a new member under which name to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: ResponseError,
    pub(crate) member_id: Arc<str>,
}

/// A completed SyncGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Synced {
    pub(crate) protocol_type: Option<Arc<str>>,
    pub(crate) protocol: Option<Arc<str>>,
    pub(crate) assignment: Bytes,
}

/// The broker's settings that bound classic groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassicLimits {
    /// `group.initial.rebalance.delay.ms`
    pub(crate) initial_rebalance_delay_ms: i64,
    /// `group.max.size`
    pub(crate) members_max: usize,
}
