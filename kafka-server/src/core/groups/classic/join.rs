//! JoinGroup: new members, members that come back, static members that take over.

use super::{
    ClassicGroup, Effect, GROUP_BYTES_MAX, Member, NEW_MEMBER_JOIN_TIMEOUT_MS, Now, Protocol, Refused, State,
    TOO_MANY_BYTES, Token, said_bytes,
};
use crate::{core::groups::Joined, wire::ResponseError};
use bytes::Bytes;
use std::sync::Arc;

/// A JoinGroup request.
#[derive(Debug, Clone)]
pub(crate) struct JoinRequest {
    pub(crate) token: Token,
    /// Empty where the member is new.
    pub(crate) member_id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    /// The id a new member is given.
    pub(crate) new_id: Arc<str>,
    pub(crate) session_timeout_ms: i32,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) protocol_type: Arc<str>,
    pub(crate) protocols: Vec<Protocol>,
    /// New members are told their id first and join with it (version 4 and later).
    pub(crate) member_id_required: bool,
    /// The client understands that its assignment stands (version 9 and later).
    pub(crate) can_skip_assignment: bool,
}

impl ClassicGroup {
    /// A member wants to be in the next generation.
    pub(crate) fn join(&mut self, now: Now, request: JoinRequest, out: &mut Vec<Effect>) {
        if !self.has_room_for(&request.member_id) {
            self.remove(&request.member_id, out);
            return refuse(&request, ResponseError::GroupMaxSizeReached, "", out);
        }
        let id = request.member_id.clone();
        if !self.supports(&request.protocol_type, &request.protocols) {
            refuse(&request, ResponseError::InconsistentGroupProtocol, &id, out);
        } else if said_bytes(&request.protocols) + self.bytes_without(&id) > GROUP_BYTES_MAX {
            refuse(&request, TOO_MANY_BYTES, &id, out);
        } else if id.is_empty() {
            self.join_new(now, request, out);
        } else if self.pending.contains_key(&id) {
            if request.instance_id.is_some() {
                return refuse(&request, ResponseError::UnknownMemberId, &id, out);
            }
            self.add(now, id, request, out);
        } else {
            match self.validate_member(&id, request.instance_id.as_deref()) {
                Ok(()) => self.join_again(now, request, out),
                Err(code) => refuse(&request, code, &id, out),
            }
        }
    }

    /// In a rebalance those who came first are in; otherwise members are, and others while there is room.
    fn has_room_for(&self, member_id: &str) -> bool {
        let room = self.limits.members_max;
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                let known = self.members.get(member_id);
                known.is_some_and(|member| member.joining.is_some()) || self.awaiting_join() < room
            }
            State::CompletingRebalance | State::Stable => {
                self.members.contains_key(member_id) || self.members.len() < room
            }
        }
    }

    fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.members.is_empty() {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let candidates = self.candidates();
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|own| candidates.contains(&own.name))
    }

    fn join_new(&mut self, now: Now, request: JoinRequest, out: &mut Vec<Effect>) {
        let new_id = request.new_id.clone();
        let Some(instance) = request.instance_id.clone() else {
            if request.member_id_required {
                let forgotten = now.elapsed_ms + i64::from(request.session_timeout_ms);
                self.pending.insert(new_id.clone(), forgotten);
                return refuse(&request, ResponseError::MemberIdRequired, &new_id, out);
            }
            return self.add(now, new_id, request, out);
        };
        match self.statics.get(&instance).cloned() {
            Some(old_id) => self.take_over(now, old_id, request, out),
            None => self.add(now, new_id, request, out),
        }
    }

    fn add(&mut self, now: Now, id: Arc<str>, request: JoinRequest, out: &mut Vec<Effect>) {
        self.pending.remove(&id);
        let member = Member {
            instance_id: request.instance_id.clone(),
            client_id: request.client_id,
            client_host: request.client_host,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            protocols: request.protocols,
            assignment: Bytes::new(),
            joining: Some(request.token),
            syncing: None,
            is_new: true,
            deadline_ms: now.elapsed_ms + NEW_MEMBER_JOIN_TIMEOUT_MS,
        };
        if self.state == State::PreparingRebalance && self.initial {
            self.member_added = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(request.protocol_type);
        }
        if let Some(instance) = request.instance_id {
            self.statics.insert(instance, id.clone());
        }
        self.leader.get_or_insert_with(|| id.clone());
        self.members.insert(id, member);
        self.rebalance_or_complete(now, out);
    }

    fn join_again(&mut self, now: Now, request: JoinRequest, out: &mut Vec<Effect>) {
        let id = request.member_id.clone();
        let unchanged = self
            .members
            .get(&id)
            .is_some_and(|member| member.protocols == request.protocols);
        // A leader that joins a stable group again asks for a rebalance: what it assigns from may have changed.
        let stands = unchanged
            && match self.state {
                State::CompletingRebalance => true,
                State::Stable => !self.is_leader(&id),
                State::Empty | State::PreparingRebalance => false,
            };
        if stands {
            if let Some(member) = self.members.get_mut(&id) {
                member.renew(now);
            }
            out.push(Effect::Join(request.token, Ok(self.joined(&id))));
        } else {
            self.update(request, &id, out);
            self.rebalance_or_complete(now, out);
        }
    }

    /// Takes over what the request says of a member, and lets it wait.
    fn update(&mut self, request: JoinRequest, id: &str, out: &mut Vec<Effect>) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        member.protocols = request.protocols;
        member.session_timeout_ms = request.session_timeout_ms;
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        if let Some(superseded) = member.joining.replace(request.token) {
            let code = ResponseError::RebalanceInProgress;
            let member_id = Arc::from(id);
            out.push(Effect::Join(superseded, Err(Refused { code, member_id })));
        }
    }

    /// A static member is back under a new id. Where nothing else changed, its assignment stands and nobody rebalances.
    fn take_over(&mut self, now: Now, old_id: Arc<str>, request: JoinRequest, out: &mut Vec<Effect>) {
        let new_id = request.new_id.clone();
        let told_leader = self.leader.clone();
        let Some(before) = self.replace(&old_id, &new_id, out) else {
            return refuse(&request, ResponseError::UnknownMemberId, "", out);
        };
        let (token, can_skip) = (request.token, request.can_skip_assignment);
        self.update(request, &new_id, out);
        if let Some(member) = self.members.get_mut(&new_id) {
            member.renew(now);
        }
        match self.state {
            State::Stable if self.elect_protocol() == self.protocol => {
                if let Some(member) = self.members.get_mut(&new_id) {
                    member.joining = None;
                }
                let mut joined = self.joined(&new_id);
                if can_skip {
                    joined.skip_assignment = self.is_leader(&new_id);
                } else {
                    // Told the old id as leader, an old client does not assign again.
                    joined.leader = told_leader.unwrap_or(before);
                    joined.members.clear();
                }
                out.push(Effect::Save);
                out.push(Effect::Join(token, Ok(joined)));
            }
            State::Stable | State::CompletingRebalance | State::Empty => self.prepare(now, out),
            State::PreparingRebalance => self.complete_if_all_joined(now, out),
        }
    }

    /// Renames a static member; whoever waits under the old id is fenced. Answers the old id.
    fn replace(&mut self, old_id: &Arc<str>, new_id: &Arc<str>, out: &mut Vec<Effect>) -> Option<Arc<str>> {
        let at = self.members.get_index_of(old_id)?;
        let mut member = self.members.shift_remove(old_id)?;
        let code = ResponseError::FencedInstanceId;
        if let Some(token) = member.joining.take() {
            let member_id = old_id.clone();
            out.push(Effect::Join(token, Err(Refused { code, member_id })));
        }
        if let Some(token) = member.syncing.take() {
            out.push(Effect::Sync(token, Err(code)));
        }
        if let Some(instance) = &member.instance_id {
            self.statics.insert(instance.clone(), new_id.clone());
        }
        if self.unsynced.remove(old_id) {
            self.unsynced.insert(new_id.clone());
        }
        if self.is_leader(old_id) {
            self.leader = Some(new_id.clone());
        }
        self.members.shift_insert(at, new_id.clone(), member);
        Some(old_id.clone())
    }

    /// What a member is told of the generation.
    pub(super) fn joined(&self, id: &Arc<str>) -> Joined {
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: id.clone(),
            skip_assignment: false,
            members: if self.is_leader(id) {
                self.roll()
            } else {
                Vec::new()
            },
        }
    }
}

fn refuse(request: &JoinRequest, code: ResponseError, member_id: &str, out: &mut Vec<Effect>) {
    let member_id = Arc::from(member_id);
    out.push(Effect::Join(request.token, Err(Refused { code, member_id })));
}
