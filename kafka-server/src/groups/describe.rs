//! What administrators see of groups, and their deletion.

use super::Groups;
use crate::{
    core::groups::{
        classic::{CONSUMER, Member, State},
        consumer::Member as ConsumerMember,
        group::{Group, Protocol},
        offsets::Change,
    },
    error::ApiError,
    wire::ResponseError,
};
use bytes::Bytes;
use std::sync::Arc;

/// One line of ListGroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: Arc<str>,
    pub(crate) protocol_type: Arc<str>,
    pub(crate) state: &'static str,
    pub(crate) kind: &'static str,
    /// How many members it has.
    pub(crate) members: usize,
}

/// A classic group as DescribeGroups tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) state: &'static str,
    pub(crate) protocol_type: Arc<str>,
    /// The chosen protocol, once the group is stable.
    pub(crate) protocol: Arc<str>,
    pub(crate) members: Vec<DescribedMember>,
}

/// A consumer group as ConsumerGroupDescribe tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescribedConsumer {
    pub(crate) state: &'static str,
    pub(crate) epoch: i32,
    pub(crate) target_epoch: i32,
    pub(crate) assignor: &'static str,
    pub(crate) members: Vec<(Arc<str>, ConsumerMember)>,
}

/// A member as DescribeGroups tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescribedMember {
    pub(crate) id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    pub(crate) metadata: Bytes,
    pub(crate) assignment: Bytes,
}

impl Groups {
    /// Every group, sorted by id.
    pub(crate) async fn list(&self) -> Vec<Listed> {
        let mut listed = Vec::new();
        for id in self.ids() {
            listed.extend(self.listed(id).await);
        }
        listed
    }

    /// The line of one group, unless it is gone.
    pub(crate) async fn listed(&self, id: Arc<str>) -> Option<Listed> {
        let line = |group: &Group| match &group.protocol {
            Protocol::Classic(classic) => Listed {
                id: id.clone(),
                protocol_type: classic.protocol_type().cloned().unwrap_or_default(),
                state: classic.state().name(),
                kind: "Classic",
                members: classic.members().count(),
            },
            Protocol::Consumer(consumer) => Listed {
                id: id.clone(),
                protocol_type: Arc::from(CONSUMER),
                state: consumer.state(),
                kind: "Consumer",
                members: consumer.members().count(),
            },
        };
        self.look(&id, line).await
    }

    /// DescribeGroups of one group.
    pub(crate) async fn describe(&self, id: &str) -> Result<Described, ApiError> {
        let described = self.look(id, |group| {
            let Protocol::Classic(classic) = &group.protocol else {
                return Err("is not a classic group");
            };
            let stable = classic.state() == State::Stable;
            let protocol = classic.protocol().filter(|_| stable).cloned().unwrap_or_default();
            let member = |(id, member): (&Arc<str>, &Member)| DescribedMember {
                id: id.clone(),
                instance_id: member.instance_id.clone(),
                client_id: member.client_id.clone(),
                client_host: member.client_host.clone(),
                metadata: if stable {
                    member.metadata(&protocol)
                } else {
                    Bytes::new()
                },
                assignment: if stable {
                    member.assignment.clone()
                } else {
                    Bytes::new()
                },
            };
            Ok(Described {
                state: classic.state().name(),
                protocol_type: classic.protocol_type().cloned().unwrap_or_default(),
                members: classic.members().map(member).collect(),
                protocol,
            })
        });
        let refuse = |why| ApiError::new(ResponseError::GroupIdNotFound, format!("Group {id} {why}."));
        described.await.unwrap_or(Err("not found")).map_err(refuse)
    }

    /// ConsumerGroupDescribe of one group.
    pub(crate) async fn describe_consumer(&self, id: &str) -> Result<DescribedConsumer, ApiError> {
        let described = self.look(id, |group| match &group.protocol {
            Protocol::Consumer(group) => Ok(DescribedConsumer {
                state: group.state(),
                epoch: group.epoch(),
                target_epoch: group.target_epoch(),
                assignor: group.assignor().name(),
                members: group
                    .members()
                    .map(|(id, member)| (id.clone(), member.clone()))
                    .collect(),
            }),
            Protocol::Classic(_) => Err("is not a consumer group"),
        });
        let refuse = |why| ApiError::new(ResponseError::GroupIdNotFound, format!("Group {id} {why}."));
        described.await.unwrap_or(Err("not found")).map_err(refuse)
    }

    /// DeleteGroups of one group.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), ApiError> {
        self.act(id, false, ResponseError::GroupIdNotFound, |step| {
            let group = &step.slot.group;
            if !group.is_empty() {
                return Err(ResponseError::NonEmptyGroup.into());
            }
            let held = group.offsets.all_held().into_iter();
            step.outcome
                .changes
                .extend(group.offsets.places().into_iter().map(Change::Remove));
            step.outcome
                .changes
                .extend(held.map(|(producer_id, place)| Change::Release(producer_id, place)));
            step.outcome.delete = true;
            Ok(())
        })
        .await
    }
}
