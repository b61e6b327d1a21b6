use crate::core::resources::Resources;
use mesos_proto::v1::{Resource, value::Scalar};
use std::collections::BTreeMap;

/// How far somebody may go beyond his resources, by their names.
type Limits = BTreeMap<String, Scalar>;

/// What a container may use of its machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// Thousandths of processors that it has when others want them, too.
    pub(crate) cpus_milli: u64,
    /// Those that it has at the most, where that is bounded.
    pub(crate) cpus_max_milli: Option<u64>,
    pub(crate) memory_bytes: u64,
    /// What it has at the most, where that is bounded.
    pub(crate) memory_max: Option<u64>,
}

impl Share {
    /// What those have together that share a container.
    pub(super) fn of<'a>(all: impl Iterator<Item = (&'a [Resource], Option<&'a Limits>)>) -> Self {
        let (mut cpus, mut memory) = (Sum::default(), Sum::default());
        for (resources, limits) in all {
            let resources = Resources::of(resources).unwrap_or_default();
            let limit = |name| limits.and_then(|limits| limits.get(name)).map(|one| one.value);
            cpus.add(resources.scalar("cpus"), limit("cpus"));
            memory.add(resources.scalar("mem"), limit("mem"));
        }
        Share {
            cpus_milli: cpus.has,
            // Idle processors are anybody's, unless somebody says otherwise.
            cpus_max_milli: cpus.most.filter(|_| cpus.bounded),
            memory_bytes: bytes(memory.has),
            memory_max: memory.most.filter(|most| *most > 0).map(bytes),
        }
    }
}

/// Thousandths of a resource.
struct Sum {
    has: u64,
    /// Nothing, where one of them has no limit.
    most: Option<u64>,
    /// One of them has a limit of its own.
    bounded: bool,
}

impl Default for Sum {
    fn default() -> Self {
        Sum {
            has: 0,
            most: Some(0),
            bounded: false,
        }
    }
}

impl Sum {
    fn add(&mut self, has: i64, limit: Option<f64>) {
        let has = u64::try_from(has).unwrap_or(0);
        let most = limit.map_or(Some(has), thousandths);
        self.has = self.has.saturating_add(has);
        self.most = self.most.zip(most).map(|(sum, one)| sum.saturating_add(one));
        self.bounded |= limit.is_some();
    }
}

/// Nothing, where there is no end.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a limit is no negative number"
)]
fn thousandths(limit: f64) -> Option<u64> {
    limit.is_finite().then_some((limit.max(0.0) * 1000.0) as u64)
}

/// Of thousandths of a megabyte.
fn bytes(thousandths: u64) -> u64 {
    thousandths.saturating_mul(1 << 20) / 1000
}

#[cfg(test)]
mod tests;
