//! SyncGroup: the leader brings the assignment, everybody takes theirs.

use super::{ClassicGroup, Effect, GROUP_BYTES_MAX, Now, State, TOO_MANY_BYTES, Token};
use crate::{core::groups::Synced, wire::ResponseError};
use bytes::Bytes;
use std::{collections::BTreeMap, sync::Arc};

/// A SyncGroup request.
#[derive(Debug, Clone)]
pub(crate) struct SyncRequest {
    pub(crate) token: Token,
    pub(crate) member_id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) generation: i32,
    /// Absent before version 5.
    pub(crate) protocol_type: Option<Arc<str>>,
    /// Absent before version 5.
    pub(crate) protocol: Option<Arc<str>>,
    /// By member id; only the leader's counts.
    pub(crate) assignments: BTreeMap<String, Bytes>,
}

impl ClassicGroup {
    /// A member wants its assignment.
    pub(crate) fn sync(&mut self, now: Now, request: SyncRequest, out: &mut Vec<Effect>) {
        if let Err(code) = self.validate_sync(&request) {
            out.push(Effect::Sync(request.token, Err(code)));
            return;
        }
        match self.state {
            State::Empty => out.push(Effect::Sync(request.token, Err(ResponseError::UnknownMemberId))),
            State::PreparingRebalance => {
                out.push(Effect::Sync(
                    request.token,
                    Err(ResponseError::RebalanceInProgress),
                ));
            }
            State::CompletingRebalance => {
                self.synced(&request.member_id);
                let member = self.members.get_mut(&request.member_id);
                if let Some(superseded) = member.and_then(|member| member.syncing.replace(request.token)) {
                    out.push(Effect::Sync(superseded, Err(ResponseError::RebalanceInProgress)));
                }
                if self.is_leader(&request.member_id) {
                    self.assign(now, request.assignments, out);
                }
            }
            State::Stable => {
                self.synced(&request.member_id);
                let answer = self.assignment_of(&request.member_id);
                if let Some(member) = self.members.get_mut(&request.member_id) {
                    member.renew(now);
                }
                out.push(Effect::Sync(request.token, Ok(answer)));
            }
        }
    }

    fn validate_sync(&self, request: &SyncRequest) -> Result<(), ResponseError> {
        if request.assignments.values().map(Bytes::len).sum::<usize>() > GROUP_BYTES_MAX {
            return Err(TOO_MANY_BYTES);
        }
        self.validate_member(&request.member_id, request.instance_id.as_deref())?;
        if request.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        let differs = |asked: &Option<Arc<str>>, own: &Option<Arc<str>>| asked.is_some() && asked != own;
        if differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol, &self.protocol)
        {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn synced(&mut self, member_id: &str) {
        self.unsynced.remove(member_id);
        if self.unsynced.is_empty() {
            self.timer = None;
        }
    }

    fn assign(&mut self, now: Now, mut assignments: BTreeMap<String, Bytes>, out: &mut Vec<Effect>) {
        self.enter(now, State::Stable);
        out.push(Effect::Save);
        for (id, member) in &mut self.members {
            member.assignment = assignments.remove(&**id).unwrap_or_default();
        }
        for id in self.members.keys().cloned().collect::<Vec<_>>() {
            let answer = self.assignment_of(&id);
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            if let Some(token) = member.syncing.take() {
                member.renew(now);
                out.push(Effect::Sync(token, Ok(answer)));
            }
        }
    }

    fn assignment_of(&self, member_id: &str) -> Synced {
        let member = self.members.get(member_id);
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: member.map(|member| member.assignment.clone()).unwrap_or_default(),
        }
    }

    /// The assignment could not be stored: nobody may act on it, so everybody joins again.
    pub(crate) fn save_failed(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.state == State::Stable {
            self.reset_assignments(ResponseError::NotCoordinator, out);
            self.prepare(now, out);
        }
    }
}
