use super::{Effect, Members, NO_PRODUCER_ID, Producer, State, Transaction, Version};
use crate::wire::ResponseError;

impl Transaction {
    /// V1: the epoch stays, so an answered end and its retry look the same.
    pub(super) fn end_v1(
        &self,
        now_ms: i64,
        producer: Producer,
        commit: bool,
    ) -> Result<Effect, ResponseError> {
        self.admit(producer)?;
        match (self.state, commit) {
            (State::Ongoing, _) => {
                let mut next = self.changed(prepared(commit), now_ms);
                next.version = Version::V1;
                next.next_producer_id = NO_PRODUCER_ID;
                Ok(Effect::Store(next))
            }
            (State::CompleteCommit, true) | (State::CompleteAbort, false) => Ok(Effect::Nothing),
            (State::PrepareCommit, true) | (State::PrepareAbort, false) => {
                Err(ResponseError::ConcurrentTransactions)
            }
            _ => Err(ResponseError::InvalidTxnState),
        }
    }

    /// V2: each end bumps the epoch, so the client's epoch tells a retry from the end of the next transaction.
    pub(super) fn end_v2(
        &self,
        now_ms: i64,
        producer: Producer,
        commit: bool,
        fresh: Option<i64>,
    ) -> Result<Effect, ResponseError> {
        // Only these rules bump at an end. An end of V1 keeps its epoch, so the epoch before it is somebody else's.
        let after_bump = self.version == Version::V2 && producer.epoch.checked_add(1) == Some(self.epoch);
        let after_rotation =
            self.previous_producer_id == producer.id && producer.epoch == i16::MAX - 1 && self.epoch == 0;
        let retry = after_bump || after_rotation;
        let current = producer.epoch == self.epoch;
        if producer.id != self.producer_id && !after_rotation {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        let known = match self.state {
            State::Empty | State::Ongoing => current,
            State::PrepareCommit | State::PrepareAbort => after_bump || current,
            State::CompleteCommit | State::CompleteAbort => retry || current,
        };
        if !known {
            return Err(ResponseError::ProducerFenced);
        }
        match (self.state, commit) {
            (State::Ongoing, _) => Ok(Effect::Store(self.bumped(commit, now_ms, fresh)?)),
            // The next end may arrive while this one is carried out. The original fences its producer if so.
            (State::PrepareCommit | State::PrepareAbort, _) if current => {
                Err(ResponseError::ConcurrentTransactions)
            }
            (State::PrepareCommit, true) | (State::PrepareAbort, false) => {
                Err(ResponseError::ConcurrentTransactions)
            }
            (State::CompleteCommit, true) | (State::CompleteAbort, false) if retry => Ok(Effect::Nothing),
            // An abort of nothing: the client cannot know whether the batches it gave up on had begun a transaction.
            (State::CompleteCommit | State::CompleteAbort | State::Empty, false) if !retry => {
                let mut next = self.bumped(false, now_ms, fresh)?;
                next.start_ms = now_ms;
                Ok(Effect::Store(next))
            }
            _ => Err(ResponseError::InvalidTxnState),
        }
    }

    /// Aborted on the coordinator's own account, under an epoch its producer does not have.
    pub(super) fn fenced(&self, now_ms: i64, fresh: Option<i64>) -> Result<Box<Self>, ResponseError> {
        self.bumped(false, now_ms, fresh)
    }

    /// Decided, with the epoch bumped and, where that was the last one, with a producer id to go on with.
    fn bumped(&self, commit: bool, now_ms: i64, fresh: Option<i64>) -> Result<Box<Self>, ResponseError> {
        let mut next = self.changed(prepared(commit), now_ms);
        next.version = Version::V2;
        next.epoch = self.epoch.saturating_add(1);
        next.last_epoch = self.epoch;
        next.next_producer_id = NO_PRODUCER_ID;
        if self.epoch_exhausted() {
            next.next_producer_id = fresh.ok_or(ResponseError::UnknownServerError)?;
        }
        Ok(next)
    }

    /// What a decided transaction becomes once its markers are written.
    pub(crate) fn completed(&self, now_ms: i64) -> Box<Self> {
        let state = match self.state {
            State::PrepareCommit => State::CompleteCommit,
            _ => State::CompleteAbort,
        };
        let mut next = self.changed(state, now_ms);
        if self.version == Version::V2 && self.next_producer_id != NO_PRODUCER_ID {
            next.producer_id = self.next_producer_id;
            next.epoch = 0;
        }
        next.next_producer_id = NO_PRODUCER_ID;
        next.members = Members::default();
        next
    }
}

fn prepared(commit: bool) -> State {
    if commit {
        State::PrepareCommit
    } else {
        State::PrepareAbort
    }
}
