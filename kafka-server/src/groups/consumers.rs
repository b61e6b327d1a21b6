//! The calls of the consumer protocol (KIP-848).

use super::Groups;
use crate::{
    core::groups::{
        classic::State,
        consumer::{Beat, BeatAnswer, Catalog, ConsumerGroup, ConsumerLimits, EPOCH_JOIN},
        group::Protocol,
    },
    error::ApiError,
    topics::Image,
    wire::ResponseError,
};
use std::sync::Arc;
use uuid::Uuid;

impl Catalog for Image {
    fn topic(&self, name: &str) -> Option<(Uuid, i32)> {
        self.get(name)
            .map(|topic| (topic.record.uuid(), topic.record.partitions))
    }

    fn names(&self) -> Vec<&str> {
        self.iter().map(|topic| topic.record.name.as_str()).collect()
    }
}

impl Groups {
    /// ConsumerGroupHeartbeat, within the group's own `limits`.
    pub(crate) async fn beat(
        &self,
        group: &str,
        beat: Beat,
        image: Arc<Image>,
        limits: ConsumerLimits,
    ) -> Result<BeatAnswer, ApiError> {
        let missing = format!("Group {group} not found.");
        let other = format!("Group {group} is not a consumer group.");
        let id: Arc<str> = Arc::from(group);
        let joins = beat.epoch == EPOCH_JOIN;
        let upgrade = self.settings().migration.upgrade;
        let answer = self.act(group, joins, ResponseError::GroupIdNotFound, move |step| {
            if let Protocol::Classic(classic) = &mut step.slot.group.protocol {
                let upgraded = match classic.state() {
                    _ if !joins => None,
                    State::Empty => Some(ConsumerGroup::new(id, limits.clone())),
                    _ if !upgrade => None,
                    _ => {
                        let (now, out) = (step.now, &mut step.outcome.effects);
                        let unsaved = &mut step.slot.unsaved;
                        ConsumerGroup::from_classic(
                            now,
                            id,
                            limits.clone(),
                            classic,
                            image.as_ref(),
                            out,
                            unsaved,
                        )
                    }
                };
                let Some(upgraded) = upgraded else {
                    return Err(ApiError::new(ResponseError::GroupIdNotFound, other));
                };
                step.slot.group.protocol = Protocol::Consumer(upgraded);
                step.slot.image = None;
            }
            let Protocol::Consumer(group) = &mut step.slot.group.protocol else {
                return Err(ResponseError::UnknownServerError.into());
            };
            group.configure(limits.clone());
            let changed = step
                .slot
                .image
                .as_ref()
                .is_none_or(|seen| !Arc::ptr_eq(seen, &image));
            let answer = group.heartbeat(step.now, &beat, image.as_ref(), changed, &mut step.slot.unsaved)?;
            step.slot.image = Some(image);
            Ok(answer)
        });
        answer.await.map_err(|error| match error {
            ApiError {
                code: ResponseError::GroupIdNotFound,
                message: None,
            } => ApiError::new(ResponseError::GroupIdNotFound, missing),
            error => error,
        })
    }
}
