//! A group of either protocol, with its offsets.

use super::{
    Effect, Now,
    classic::{ClassicGroup, Committer, State},
    consumer::{ConsumerGroup, Dirty, EPOCH_FIRST},
    offsets::{Expiry, Offsets, Place},
};
use crate::{error::ApiError, wire::ResponseError};

/// Which protocol a group's members speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Protocol {
    Classic(ClassicGroup),
    Consumer(ConsumerGroup),
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) protocol: Protocol,
    pub(crate) offsets: Offsets,
}

impl Group {
    /// A group without offsets.
    pub(crate) fn new(protocol: Protocol) -> Self {
        Group {
            protocol,
            offsets: Offsets::default(),
        }
    }

    /// Checks who may commit offsets now, and takes the commit for a sign of life.
    /// `old_version`: the request is of a version from before member epochs.
    pub(crate) fn validate_commit(
        &mut self,
        now: Now,
        who: &Committer<'_>,
        old_version: bool,
    ) -> Result<(), ApiError> {
        match &mut self.protocol {
            Protocol::Classic(group) => {
                group.validate_commit(who)?;
                group.committed(now, who.member_id);
                Ok(())
            }
            Protocol::Consumer(group) => {
                group.validate_commit(who.member_id, who.generation, old_version && !who.transactional)
            }
        }
    }

    /// Checks who may read offsets. `None`: not a member, so anybody.
    pub(crate) fn validate_fetch(&self, member: Option<(&str, i32)>) -> Result<(), ApiError> {
        match (&self.protocol, member) {
            (Protocol::Classic(_), _) | (_, None) => Ok(()),
            (Protocol::Consumer(group), Some((id, epoch))) => group.validate_fetch(id, epoch),
        }
    }

    /// Checks whether offsets may be deleted at all.
    pub(crate) fn validate_offset_delete(&self) -> Result<(), ResponseError> {
        match &self.protocol {
            Protocol::Classic(group) if group.state() != State::Empty && !group.uses_consumer_protocol() => {
                Err(ResponseError::NonEmptyGroup)
            }
            Protocol::Classic(_) | Protocol::Consumer(_) => Ok(()),
        }
    }

    /// Whether a member reads `topic`, as far as can be known.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.protocol {
            Protocol::Classic(group) => group.is_subscribed_to(topic),
            Protocol::Consumer(group) => group.is_subscribed_to(topic),
        }
    }

    /// The name of its state that clients see.
    pub(crate) fn state(&self) -> &'static str {
        match &self.protocol {
            Protocol::Classic(group) => group.state().name(),
            Protocol::Consumer(group) => group.state(),
        }
    }

    /// Nobody is in it: it may be deleted.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.protocol {
            Protocol::Classic(group) => group.is_empty(),
            Protocol::Consumer(group) => group.is_empty(),
        }
    }

    /// Nothing would be lost without it.
    pub(crate) fn is_blank(&self) -> bool {
        let never_used = match &self.protocol {
            Protocol::Classic(group) => group.is_empty() && group.generation() == 0,
            Protocol::Consumer(group) => group.is_empty() && group.epoch() == EPOCH_FIRST,
        };
        never_used && self.offsets.is_empty()
    }

    /// Offsets whose time is up.
    pub(crate) fn expired_offsets(&self, now: Now, retention_ms: i64) -> Vec<Place> {
        let expiry = match &self.protocol {
            Protocol::Classic(group) => classic_expiry(group),
            Protocol::Consumer(_) => Expiry::SinceCommit,
        };
        self.offsets
            .expired(now, retention_ms, expiry, &|topic| self.is_subscribed_to(topic))
    }

    /// The last change could not be stored.
    pub(crate) fn save_failed(&mut self, now: Now, out: &mut Vec<Effect>) {
        match &mut self.protocol {
            Protocol::Classic(group) => group.save_failed(now, out),
            // What is unsaved is tried again with the next change.
            Protocol::Consumer(_) => {}
        }
    }

    /// Looks at every deadline.
    pub(crate) fn tick(&mut self, now: Now, out: &mut Vec<Effect>, dirty: &mut Dirty) {
        match &mut self.protocol {
            Protocol::Classic(group) => group.tick(now, out),
            Protocol::Consumer(group) => group.tick(now, dirty),
        }
    }

    /// When something is due by itself.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        match &self.protocol {
            Protocol::Classic(group) => group.next_deadline(),
            Protocol::Consumer(group) => group.next_deadline(),
        }
    }
}

/// Offsets of a group without members expire together, counted from when it lost them; those of topics that a stable
/// group does not read, and those of consumers outside of groups, each from its own commit.
fn classic_expiry(group: &ClassicGroup) -> Expiry {
    if group.protocol_type().is_none() {
        return Expiry::SinceCommit;
    }
    match group.state() {
        State::Empty => group.state_since_ms().map_or(Expiry::SinceCommit, Expiry::Since),
        State::Stable if group.uses_consumer_protocol() && group.knows_subscriptions() => Expiry::SinceCommit,
        _ => Expiry::Never,
    }
}
