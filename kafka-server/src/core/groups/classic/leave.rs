//! LeaveGroup: members that go by themselves, and static ones that an administrator removes.

use super::{ClassicGroup, Effect, Now};
use crate::wire::ResponseError;
use std::sync::Arc;

/// Who leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaveRequest {
    /// Empty where a static member is named by its instance alone.
    pub(crate) member_id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
}

/// What became of one who leaves.
pub(crate) type Left = Result<(), ResponseError>;

impl ClassicGroup {
    /// Removes members; answers for each, in their order.
    pub(crate) fn leave(&mut self, now: Now, leaving: &[LeaveRequest], out: &mut Vec<Effect>) -> Vec<Left> {
        let mut members = false;
        let mut pending = false;
        let mut answers = Vec::with_capacity(leaving.len());
        for who in leaving {
            if who.instance_id.is_none() && self.pending.remove(&who.member_id).is_some() {
                pending = true;
                answers.push(Ok(()));
                continue;
            }
            let found = self.find_leaving(who);
            if let Ok(id) = &found {
                self.remove(id, out);
                members = true;
            }
            answers.push(found.map(|_| ()));
        }
        if members || pending {
            self.members_left(now, members, out);
        }
        answers
    }

    fn find_leaving(&self, who: &LeaveRequest) -> Result<Arc<str>, ResponseError> {
        if who.member_id.is_empty() {
            let owner = who
                .instance_id
                .as_ref()
                .and_then(|instance| self.statics.get(instance));
            return owner.cloned().ok_or(ResponseError::UnknownMemberId);
        }
        self.validate_member(&who.member_id, who.instance_id.as_deref())?;
        Ok(who.member_id.clone())
    }
}
