//! The calls of the classic protocol, to groups of either protocol.

use super::{Groups, Step, Waiting};
use crate::{
    core::groups::{
        Joined, Refused, Synced,
        classic::{ClassicGroup, JoinRequest, LeaveRequest, Left, SyncRequest},
        group::Protocol,
    },
    error::ApiError,
    topics::Image,
    wire::ResponseError,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// An answer that is there, or that others must contribute to.
enum Answer<T> {
    Now(T),
    Later(oneshot::Receiver<T>),
}

impl<T> Answer<T> {
    /// `lost` where the group is gone.
    async fn get(self, lost: impl FnOnce() -> T) -> T {
        match self {
            Answer::Now(answer) => answer,
            Answer::Later(receiver) => receiver.await.unwrap_or_else(|_| lost()),
        }
    }
}

impl Groups {
    /// JoinGroup: answers when the generation is complete.
    pub(crate) async fn join(
        &self,
        group: &str,
        mut request: JoinRequest,
        image: Arc<Image>,
    ) -> Result<Joined, Refused> {
        let id = request.member_id.clone();
        let refused = |code| Refused {
            code,
            member_id: id.clone(),
        };
        if group.is_empty() {
            return Err(refused(ResponseError::InvalidGroupId));
        }
        let settings = self.settings();
        let allowed = settings.session_timeout_min_ms..=settings.session_timeout_max_ms;
        if !allowed.contains(&request.session_timeout_ms) {
            return Err(refused(ResponseError::InvalidSessionTimeout));
        }
        let stem = request.instance_id.as_ref().unwrap_or(&request.client_id);
        request.new_id = format!("{stem}-{}", self.inner.random.uuid()).into();
        let create = request.member_id.is_empty();
        let limits = settings.classic;
        let answer = self.act(group, create, ResponseError::UnknownMemberId, move |step| {
            join(step, request, image, limits)
        });
        match answer.await {
            Ok(answer) => {
                answer
                    .get(|| Err(refused(ResponseError::CoordinatorNotAvailable)))
                    .await
            }
            Err(error) => Err(refused(error.code)),
        }
    }

    /// SyncGroup: answers when the leader has assigned.
    pub(crate) async fn sync(&self, group: &str, mut request: SyncRequest) -> Result<Synced, ResponseError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let answer = self.act(group, false, ResponseError::UnknownMemberId, move |step| {
            if let Protocol::Consumer(group) = &mut step.slot.group.protocol {
                return Ok(Answer::Now(group.sync_classic(step.now, &request)));
            }
            let (sender, receiver) = oneshot::channel();
            request.token = step.slot.wait(Waiting::Sync(sender));
            if let Protocol::Classic(group) = &mut step.slot.group.protocol {
                group.sync(step.now, request, &mut step.outcome.effects);
            }
            Ok(Answer::Later(receiver))
        });
        let answer = answer.await.map_err(|error| error.code)?;
        answer.get(|| Err(ResponseError::CoordinatorNotAvailable)).await
    }

    /// Heartbeat.
    pub(crate) async fn heartbeat(
        &self,
        group: &str,
        member_id: Arc<str>,
        instance_id: Option<Arc<str>>,
        generation: i32,
    ) -> Result<(), ApiError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId.into());
        }
        self.act(group, false, ResponseError::UnknownMemberId, move |step| {
            let alive = match &mut step.slot.group.protocol {
                Protocol::Classic(group) => {
                    group.heartbeat(step.now, &member_id, instance_id.as_deref(), generation)
                }
                Protocol::Consumer(group) => {
                    group.heartbeat_classic(step.now, &member_id, instance_id.as_ref(), generation)
                }
            };
            alive.map_err(ApiError::from)
        })
        .await
    }

    /// LeaveGroup: an answer for each member, in their order.
    pub(crate) async fn leave(&self, group: &str, leaving: Vec<LeaveRequest>) -> Result<Vec<Left>, ApiError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId.into());
        }
        self.act(group, false, ResponseError::UnknownMemberId, move |step| {
            let slot = &mut *step.slot;
            Ok(match &mut slot.group.protocol {
                Protocol::Classic(group) => group.leave(step.now, &leaving, &mut step.outcome.effects),
                Protocol::Consumer(group) => group.leave_classic(&leaving, &mut slot.unsaved),
            })
        })
        .await
    }
}

fn join(
    step: &mut Step<'_>,
    mut request: JoinRequest,
    image: Arc<Image>,
    limits: crate::core::groups::ClassicLimits,
) -> Result<Answer<Result<Joined, Refused>>, ApiError> {
    let slot = &mut *step.slot;
    if let Protocol::Consumer(group) = &mut slot.group.protocol {
        if !group.is_empty() {
            let changed = slot.image.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &image));
            let joined = group.join_classic(step.now, &request, image.as_ref(), changed, &mut slot.unsaved);
            slot.image = Some(image);
            return Ok(Answer::Now(joined));
        }
        if !request.member_id.is_empty() {
            return Err(ResponseError::UnknownMemberId.into());
        }
        slot.group.protocol = Protocol::Classic(ClassicGroup::new(limits));
    }
    let (sender, receiver) = oneshot::channel();
    request.token = slot.wait(Waiting::Join(sender));
    if let Protocol::Classic(group) = &mut slot.group.protocol {
        group.join(step.now, request, &mut step.outcome.effects);
    }
    Ok(Answer::Later(receiver))
}
