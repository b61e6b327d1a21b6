use super::{Effect, Members, NO_EPOCH, Producer, State, Transaction, exhausted};
use crate::wire::ResponseError;

impl Transaction {
    /// A producer asks for its id and epoch. Whatever epoch it is given fences all those before.
    pub(super) fn init(
        &self,
        now_ms: i64,
        expected: Option<Producer>,
        timeout_ms: i32,
        fresh: Option<i64>,
    ) -> Result<Effect, ResponseError> {
        if expected.is_some_and(|producer| !self.may_be(producer)) {
            return Err(ResponseError::ProducerFenced);
        }
        match self.state {
            State::PrepareCommit | State::PrepareAbort => Err(ResponseError::ConcurrentTransactions),
            State::Ongoing => Ok(Effect::AbortFirst(self.fenced(now_ms, fresh)?)),
            State::Empty | State::CompleteCommit | State::CompleteAbort => {
                let mut next = self.changed(State::Empty, now_ms);
                next.timeout_ms = timeout_ms;
                next.members = Members::default();
                next.start_ms = -1;
                let current = expected.is_none_or(|producer| producer.epoch == self.epoch);
                if self.epoch_exhausted() && current {
                    next.producer_id = fresh.ok_or(ResponseError::UnknownServerError)?;
                    next.epoch = 0;
                    next.last_epoch = expected.map_or(NO_EPOCH, |_| self.epoch);
                } else {
                    (next.epoch, next.last_epoch) = self.next_epoch(expected)?;
                }
                Ok(Effect::Store(next))
            }
        }
    }

    /// Whether a producer that says who it was may still be the newest one. Its epoch is looked at later.
    fn may_be(&self, expected: Producer) -> bool {
        self.epoch == NO_EPOCH
            || expected.id == self.producer_id
            || (expected.id == self.previous_producer_id && exhausted(expected.epoch))
    }

    /// The epoch to give, and the one by which a retry of this call is told.
    fn next_epoch(&self, expected: Option<Producer>) -> Result<(i16, i16), ResponseError> {
        match expected {
            None => Ok((self.epoch + 1, NO_EPOCH)),
            Some(producer) if self.epoch == NO_EPOCH || producer.epoch == self.epoch => {
                Ok((self.epoch + 1, self.epoch))
            }
            // The answer to the same call was lost: it is given once more. A newer producer would have cleared this.
            Some(producer) if producer.epoch == self.last_epoch => Ok((self.epoch, self.last_epoch)),
            Some(_) => Err(ResponseError::ProducerFenced),
        }
    }
}
