//! The phases of a rebalance, and what happens when their time is up.

use super::{ClassicGroup, Effect, Member, Now, RebalanceTimer, State};
use crate::wire::ResponseError;
use bytes::Bytes;
use std::sync::Arc;

impl ClassicGroup {
    /// Looks at every deadline.
    pub(crate) fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.expire_members(now, out);
        let Some(timer) = self.timer.filter(|timer| timer.at_ms() <= now.elapsed_ms) else {
            return;
        };
        self.timer = None;
        match timer {
            RebalanceTimer::Initial {
                delay_ms,
                remaining_ms,
                ..
            } if self.member_added && remaining_ms > 0 => {
                self.member_added = false;
                let next_ms = self.limits.initial_rebalance_delay_ms.min(remaining_ms);
                self.timer = Some(RebalanceTimer::Initial {
                    at_ms: now.elapsed_ms + next_ms,
                    delay_ms: next_ms,
                    remaining_ms: (remaining_ms - delay_ms).max(0),
                });
            }
            RebalanceTimer::Initial { .. } | RebalanceTimer::Join { .. } => self.complete_join(now, out),
            RebalanceTimer::Sync { .. } => {
                let late: Vec<_> = self.unsynced.iter().cloned().collect();
                if !late.is_empty() {
                    late.iter().for_each(|id| self.remove(id, out));
                    self.prepare(now, out);
                }
            }
        }
    }

    fn expire_members(&mut self, now: Now, out: &mut Vec<Effect>) {
        let due = |at: &i64| *at <= now.elapsed_ms;
        let pending_before = self.pending.len();
        self.pending.retain(|_, at| !due(at));
        let expired: Vec<Arc<str>> = self
            .members
            .iter()
            .filter(|(_, member)| member.expires_at().as_ref().is_some_and(due))
            .map(|(id, _)| id.clone())
            .collect();
        if expired.is_empty() && pending_before == self.pending.len() {
            return;
        }
        expired.iter().for_each(|id| self.remove(id, out));
        self.members_left(now, !expired.is_empty(), out);
    }

    /// Goes on after members (`any`) or pending ids are gone.
    pub(super) fn members_left(&mut self, now: Now, any: bool, out: &mut Vec<Effect>) {
        match self.state {
            State::Empty => {}
            State::Stable | State::CompletingRebalance if any => self.prepare(now, out),
            State::Stable | State::CompletingRebalance => {}
            State::PreparingRebalance => self.complete_if_all_joined(now, out),
        }
    }

    /// Starts a rebalance, or goes on with the one under way.
    pub(super) fn rebalance_or_complete(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.state == State::PreparingRebalance {
            self.complete_if_all_joined(now, out);
        } else {
            self.prepare(now, out);
        }
    }

    /// Asks every member to join again.
    pub(crate) fn prepare(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.state == State::CompletingRebalance {
            self.reset_assignments(ResponseError::RebalanceInProgress, out);
        }
        self.unsynced.clear();
        self.initial = self.state == State::Empty;
        self.member_added = false;
        self.enter(now, State::PreparingRebalance);
        if self.initial {
            let delay_ms = self.limits.initial_rebalance_delay_ms;
            self.timer = Some(RebalanceTimer::Initial {
                at_ms: now.elapsed_ms + delay_ms,
                delay_ms,
                remaining_ms: (self.rebalance_timeout_ms() - delay_ms).max(0),
            });
        } else if self.all_joined() {
            self.complete_join(now, out);
        } else {
            let at_ms = now.elapsed_ms + self.rebalance_timeout_ms();
            self.timer = Some(RebalanceTimer::Join { at_ms });
        }
    }

    /// An initial rebalance is ended by its timer alone, so that a group starts with as many members as come.
    pub(super) fn complete_if_all_joined(&mut self, now: Now, out: &mut Vec<Effect>) {
        if !self.initial && self.all_joined() {
            self.complete_join(now, out);
        }
    }

    /// The join phase is over: who did not come is out, but for static members, whose session decides.
    fn complete_join(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.timer = None;
        let absent = |member: &Member| member.joining.is_none() && member.instance_id.is_none();
        let out_of_it: Vec<Arc<str>> = self
            .members
            .iter()
            .filter(|(_, member)| absent(member))
            .map(|(id, _)| id.clone())
            .collect();
        out_of_it.iter().for_each(|id| self.remove(id, out));
        if !self.elect_joined_leader() && !self.members.is_empty() {
            let at_ms = now.elapsed_ms + self.rebalance_timeout_ms();
            self.timer = Some(RebalanceTimer::Join { at_ms });
            return;
        }
        self.next_generation(now, out);
    }

    /// The leader must be someone who is here.
    fn elect_joined_leader(&mut self) -> bool {
        let here = |member: &Member| member.joining.is_some();
        if self
            .leader
            .as_ref()
            .and_then(|id| self.members.get(id))
            .is_some_and(here)
        {
            return true;
        }
        let Some((id, _)) = self.members.iter().find(|(_, member)| here(member)) else {
            return false;
        };
        self.leader = Some(id.clone());
        true
    }

    fn next_generation(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.generation += 1;
        self.initial = false;
        self.protocol = self.elect_protocol();
        self.subscribed = self.subscriptions();
        if self.members.is_empty() {
            self.leader = None;
            self.enter(now, State::Empty);
            out.push(Effect::Save);
            return;
        }
        self.enter(now, State::CompletingRebalance);
        for id in self.members.keys().cloned().collect::<Vec<_>>() {
            let joined = self.joined(&id);
            if let Some(member) = self.members.get_mut(&id) {
                member.is_new = false;
                member.renew(now);
                if let Some(token) = member.joining.take() {
                    out.push(Effect::Join(token, Ok(joined)));
                }
            }
            self.unsynced.insert(id);
        }
        let at_ms = now.elapsed_ms + self.rebalance_timeout_ms();
        self.timer = Some(RebalanceTimer::Sync { at_ms });
    }

    /// Forgets assignments; who waits for one is told why there is none.
    pub(super) fn reset_assignments(&mut self, code: ResponseError, out: &mut Vec<Effect>) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
            if let Some(token) = member.syncing.take() {
                out.push(Effect::Sync(token, Err(code)));
            }
        }
    }

    pub(super) fn awaiting_join(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.joining.is_some())
            .count()
    }

    fn all_joined(&self) -> bool {
        self.pending.is_empty() && self.awaiting_join() == self.members.len()
    }

    /// The most patient member decides.
    fn rebalance_timeout_ms(&self) -> i64 {
        let timeouts = self
            .members
            .values()
            .map(|member| i64::from(member.rebalance_timeout_ms));
        timeouts.max().unwrap_or(0)
    }
}
