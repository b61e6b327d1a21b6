//! The classic rebalance protocol: members join a generation, its leader assigns, everybody syncs.
//!
//! Knows: states, votes, static members, session and rebalance deadlines.
//! Never: what members' metadata means, but for the topics a consumer subscribes to.

mod heartbeat;
mod join;
mod leave;
mod rebalance;
mod record;
mod sync;

pub(crate) use join::JoinRequest;
pub(crate) use leave::{LeaveRequest, Left};
pub(crate) use record::{ClassicRecord, MemberRecord};
pub(crate) use sync::SyncRequest;

use super::{ClassicLimits, Effect, JoinedMember, Now, Refused, Token};
use crate::wire::{ResponseError, consumer_protocol};
use bytes::Bytes;
use indexmap::IndexMap;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How long a member that was never in a generation is kept: it cannot heartbeat yet.
const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 5 * 60 * 1000;

/// What the members of a group may say of themselves and be told, together. The original bounds it by what a record
/// of its topic of offsets may have, 1 MiB, and answers what is more as it is answered here.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// The answer to what is more.
const TOO_MANY_BYTES: ResponseError = ResponseError::UnknownServerError;

/// Protocol type of consumers.
pub(crate) const CONSUMER: &str = "consumer";

/// Where a group is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No members; offsets may be left.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// Members joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Every member can have its assignment.
    Stable,
}

impl State {
    /// The name clients see.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

/// One way a member can be assigned, and what it says for that case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protocol {
    pub(crate) name: Arc<str>,
    pub(crate) metadata: Bytes,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) session_timeout_ms: i32,
    /// In its order of preference.
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) assignment: Bytes,
    /// The JoinGroup that waits for the generation.
    joining: Option<Token>,
    /// The SyncGroup that waits for the assignment.
    syncing: Option<Token>,
    /// Not in any generation yet.
    is_new: bool,
    /// When it is given up, unless it waits for us.
    deadline_ms: i64,
}

impl Member {
    /// What it says for `protocol`.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|own| &*own.name == protocol);
        found.map(|own| own.metadata.clone()).unwrap_or_default()
    }

    fn vote(&self, candidates: &BTreeSet<Arc<str>>) -> Option<Arc<str>> {
        let mut names = self.protocols.iter().map(|own| &own.name);
        names.find(|name| candidates.contains(*name)).cloned()
    }

    /// A member that waits for us is not expected to heartbeat.
    fn expires_at(&self) -> Option<i64> {
        let excused = !self.is_new && (self.joining.is_some() || self.syncing.is_some());
        (!excused).then_some(self.deadline_ms)
    }

    fn renew(&mut self, now: Now) {
        self.deadline_ms = now.elapsed_ms + i64::from(self.session_timeout_ms);
    }
}

/// When the rebalance under way moves on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RebalanceTimer {
    /// A group that was empty waits for more members to come, and longer while they do.
    Initial {
        at_ms: i64,
        delay_ms: i64,
        remaining_ms: i64,
    },
    /// Members that have not joined by then are dropped.
    Join { at_ms: i64 },
    /// Members that have not synced by then are dropped.
    Sync { at_ms: i64 },
}

impl RebalanceTimer {
    fn at_ms(self) -> i64 {
        match self {
            RebalanceTimer::Initial { at_ms, .. }
            | RebalanceTimer::Join { at_ms }
            | RebalanceTimer::Sync { at_ms } => at_ms,
        }
    }
}

/// A classic group. A group that was never joined (it only holds offsets) is one without a protocol type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassicGroup {
    limits: ClassicLimits,
    state: State,
    /// When the state was entered, in ms since 1970; unknown in a group that only ever held offsets.
    state_since_ms: Option<i64>,
    generation: i32,
    protocol_type: Option<Arc<str>>,
    protocol: Option<Arc<str>>,
    leader: Option<Arc<str>>,
    members: IndexMap<Arc<str>, Member>,
    /// Member ids by `group.instance.id`.
    statics: BTreeMap<Arc<str>, Arc<str>>,
    /// Ids handed out that have not come back yet, and when they are forgotten.
    pending: BTreeMap<Arc<str>, i64>,
    /// Members of this generation that have not synced.
    unsynced: BTreeSet<Arc<str>>,
    /// What consumers subscribe to; unknown where their metadata does not say.
    subscribed: Option<BTreeSet<String>>,
    timer: Option<RebalanceTimer>,
    /// The rebalance began in an empty group.
    initial: bool,
    /// Somebody came during the initial delay.
    member_added: bool,
}

/// What a member says of itself.
fn said_bytes(protocols: &[Protocol]) -> usize {
    let said = protocols.iter().map(|one| one.name.len() + one.metadata.len());
    said.sum()
}

impl ClassicGroup {
    /// What the members but `id` say of themselves.
    fn bytes_without(&self, id: &str) -> usize {
        let others = self.members.iter().filter(|(other, _)| &***other != id);
        others.map(|(_, member)| said_bytes(&member.protocols)).sum()
    }

    /// A group without members.
    pub(crate) fn new(limits: ClassicLimits) -> Self {
        ClassicGroup {
            limits,
            state: State::Empty,
            state_since_ms: None,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: IndexMap::new(),
            statics: BTreeMap::new(),
            pending: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            subscribed: None,
            timer: None,
            initial: false,
            member_added: false,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn state_since_ms(&self) -> Option<i64> {
        self.state_since_ms
    }

    pub(crate) fn generation(&self) -> i32 {
        self.generation
    }

    pub(crate) fn protocol_type(&self) -> Option<&Arc<str>> {
        self.protocol_type.as_ref()
    }

    pub(crate) fn protocol(&self) -> Option<&Arc<str>> {
        self.protocol.as_ref()
    }

    /// Members in the order they came.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&Arc<str>, &Member)> {
        self.members.iter()
    }

    /// Nobody is in it, and nobody was told to come back.
    pub(crate) fn is_empty(&self) -> bool {
        self.state == State::Empty && self.pending.is_empty()
    }

    /// Its members are consumers, so what they subscribe to can be known.
    pub(crate) fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether a member reads `topic`, as far as can be known.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol() && !self.members.is_empty(),
        }
    }

    /// Whether it is known what members subscribe to.
    pub(crate) fn knows_subscriptions(&self) -> bool {
        self.subscribed.is_some()
    }

    /// When [`ClassicGroup::tick`] next has something to do.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        let members = self.members.values().filter_map(Member::expires_at);
        let pending = self.pending.values().copied();
        let timer = self.timer.map(RebalanceTimer::at_ms);
        members.chain(pending).chain(timer).min()
    }

    /// Checks that the member is in the group under this id and instance.
    fn validate_member(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), ResponseError> {
        if let Some(instance) = instance_id {
            match self.statics.get(instance) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(owner) if &**owner != member_id => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ResponseError::UnknownMemberId)
        }
    }

    /// Checks who may commit offsets now.
    pub(crate) fn validate_commit(&self, who: &Committer<'_>) -> Result<(), ResponseError> {
        if who.generation < 0 && self.state == State::Empty {
            return Ok(()); // an admin, or a consumer that manages its partitions by itself
        }
        if who.generation >= 0 || !who.member_id.is_empty() || who.instance_id.is_some() {
            self.validate_member(who.member_id, who.instance_id)?;
            if who.generation != self.generation {
                return Err(ResponseError::IllegalGeneration);
            }
        } else if !who.transactional && self.state != State::Empty {
            return Err(ResponseError::UnknownMemberId);
        }
        if !who.transactional && self.state == State::CompletingRebalance {
            return Err(ResponseError::RebalanceInProgress);
        }
        Ok(())
    }

    /// A commit is a sign of life.
    pub(crate) fn committed(&mut self, now: Now, member_id: &str) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.renew(now);
        }
    }

    fn enter(&mut self, now: Now, state: State) {
        self.state = state;
        self.state_since_ms = Some(now.wall_ms);
    }

    /// Protocols that every member supports.
    fn candidates(&self) -> BTreeSet<Arc<str>> {
        let mut members = self.members.values();
        let names = |member: &Member| -> BTreeSet<Arc<str>> {
            member.protocols.iter().map(|own| own.name.clone()).collect()
        };
        let Some(first) = members.next() else {
            return BTreeSet::new();
        };
        members.fold(names(first), |common, member| {
            common.intersection(&names(member)).cloned().collect()
        })
    }

    /// The candidate with the most votes; each member votes for the first it prefers.
    fn elect_protocol(&self) -> Option<Arc<str>> {
        let candidates = self.candidates();
        let mut votes: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for vote in self
            .members
            .values()
            .filter_map(|member| member.vote(&candidates))
        {
            *votes.entry(vote).or_default() += 1;
        }
        votes
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(name, _)| name)
    }

    /// Topics of every member's subscription; `None` where they cannot be known.
    fn subscriptions(&self) -> Option<BTreeSet<String>> {
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        if !self.uses_consumer_protocol() {
            return None;
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(consumer_protocol::subscribed_topics(&member.metadata(protocol))?);
        }
        Some(topics)
    }

    fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// What the leader is told of everybody.
    fn roll(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let line = |(id, member): (&Arc<str>, &Member)| JoinedMember {
            member_id: id.clone(),
            instance_id: member.instance_id.clone(),
            metadata: member.metadata(protocol),
        };
        self.members.iter().map(line).collect()
    }

    /// Answers everybody who waits: the group goes on under another protocol.
    pub(crate) fn dissolve(&mut self, code: ResponseError, out: &mut Vec<Effect>) {
        for (id, member) in &mut self.members {
            if let Some(token) = member.joining.take() {
                let member_id = id.clone();
                out.push(Effect::Join(token, Err(Refused { code, member_id })));
            }
            if let Some(token) = member.syncing.take() {
                out.push(Effect::Sync(token, Err(code)));
            }
        }
    }

    /// Takes a member out, and answers whatever it waits for.
    fn remove(&mut self, member_id: &str, out: &mut Vec<Effect>) {
        let Some(member) = self.members.shift_remove(member_id) else {
            return;
        };
        let code = ResponseError::UnknownMemberId;
        if let Some(token) = member.joining {
            let member_id = Arc::from("");
            out.push(Effect::Join(token, Err(Refused { code, member_id })));
        }
        if let Some(token) = member.syncing {
            out.push(Effect::Sync(token, Err(code)));
        }
        if let Some(instance) = &member.instance_id {
            self.statics.remove(instance);
        }
        self.unsynced.remove(member_id);
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
    }
}

/// Who commits offsets, and in which generation or epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committer<'a> {
    pub(crate) member_id: &'a str,
    pub(crate) instance_id: Option<&'a str>,
    pub(crate) generation: i32,
    pub(crate) transactional: bool,
}

#[cfg(test)]
mod tests;
