//! How partitions are shared among members.
//!
//! Knows: members, what they subscribe to, what they were meant to have before.
//! Never: what members have now, epochs, names of topics.

mod range;
mod uniform;

use super::Assignment;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// The assignors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Assignor {
    /// Even and sticky.
    Uniform,
    /// Runs of partitions of each topic, so that equal partitions of many topics meet.
    Range,
}

impl Assignor {
    /// The name clients use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Assignor::Uniform => "uniform",
            Assignor::Range => "range",
        }
    }

    /// By the name clients use.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        [Assignor::Uniform, Assignor::Range]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// A member as assignors see it.
#[derive(Debug, Clone)]
pub(crate) struct Spec<'a> {
    pub(crate) id: &'a Arc<str>,
    pub(crate) instance_id: Option<&'a Arc<str>>,
    pub(crate) topics: BTreeSet<Uuid>,
    /// Its former target.
    pub(crate) before: &'a Assignment,
}

/// Computes everybody's target. `partitions` has every subscribed topic.
pub(crate) fn assign(
    assignor: Assignor,
    members: &[Spec<'_>],
    partitions: &BTreeMap<Uuid, i32>,
) -> BTreeMap<Arc<str>, Assignment> {
    let assigned = match assignor {
        Assignor::Range => range::assign(members, partitions),
        Assignor::Uniform => {
            let same = members.windows(2).all(|pair| pair[0].topics == pair[1].topics);
            match same {
                true => uniform::assign_alike(members, partitions),
                false => uniform::assign_unlike(members, partitions),
            }
        }
    };
    members
        .iter()
        .map(|member| member.id.clone())
        .zip(assigned)
        .collect()
}

#[cfg(test)]
mod tests;
