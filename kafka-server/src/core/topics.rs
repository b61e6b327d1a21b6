//! Which topics may be made, and with how many partitions.

use std::collections::BTreeMap;

/// Letters of a topic's name at the most.
const NAME_CHARS_MAX: usize = 249;
/// Partitions that one request may make.
pub(crate) const REQUEST_PARTITIONS_MAX: usize = 10_000;

/// Why a topic cannot be made or changed, in the words of Kafka.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("Topic name is invalid: {0}")]
    Name(String),
    #[error("Topic '{name}' collides with existing topic: {other}")]
    Collision { name: String, other: String },
    #[error("Topic '{0}' already exists.")]
    Exists(String),
    #[error("Number of partitions was set to an invalid non-positive value.")]
    PartitionCount,
    #[error("{0}")]
    Partitions(String),
    #[error("Excessively large number of partitions per request.")]
    TooManyPartitions,
    #[error("Replication factor must be larger than 0, or -1 to use the default value.")]
    ReplicationFactor,
    #[error(
        "Unable to replicate the partition {0} time(s): The target replication factor of {0} cannot be reached \
         because only 1 broker(s) are registered or some brokers have all their log directories cordoned."
    )]
    TooFewBrokers(i16),
    #[error("{0}")]
    Assignment(String),
    #[error("{0}")]
    Config(String),
    #[error("{0}")]
    Request(String),
}

/// A topic that somebody asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// -1: as many as the broker makes by default.
    pub(crate) partitions: i32,
    /// -1: as the broker makes by default.
    pub(crate) replication_factor: i16,
    /// Brokers by partition, where the caller chose them.
    pub(crate) assignments: Vec<(i32, Vec<i32>)>,
    pub(crate) config: BTreeMap<String, Option<String>>,
}

impl Wanted {
    /// A topic named `name` that leaves everything to the broker.
    pub(crate) fn by_default(name: &str) -> Self {
        Wanted {
            name: name.to_owned(),
            partitions: -1,
            replication_factor: -1,
            ..Wanted::default()
        }
    }

    /// How many partitions it gets on the one broker `me`.
    pub(crate) fn partition_count(&self, me: i32, default: i32) -> Result<i32, Fault> {
        if !self.assignments.is_empty() {
            return self.assigned(me);
        }
        match self.replication_factor {
            -1 | 1 => {}
            ..1 => return Err(Fault::ReplicationFactor),
            factor => return Err(Fault::TooFewBrokers(factor)),
        }
        match self.partitions {
            -1 => Ok(default.max(1)),
            ..1 => Err(Fault::PartitionCount),
            count => Ok(count),
        }
    }

    fn assigned(&self, me: i32) -> Result<i32, Fault> {
        let manual = "A manual partition assignment was specified, but";
        if self.replication_factor != -1 {
            return Err(Fault::Request(format!(
                "{manual} replication factor was not set to -1."
            )));
        }
        if self.partitions != -1 {
            return Err(Fault::Request(format!(
                "{manual} numPartitions was not set to -1."
            )));
        }
        let mut indexes = Vec::new();
        for (index, brokers) in &self.assignments {
            if indexes.contains(index) {
                let why = format!("Found multiple manual partition assignments for partition {index}");
                return Err(Fault::Assignment(why));
            }
            indexes.push(*index);
            check_assignment(brokers, me)?;
        }
        indexes.sort_unstable();
        if (0..).zip(&indexes).any(|(at, index)| at != *index) {
            let why = "partitions should be a consecutive 0-based integer sequence";
            return Err(Fault::Assignment(why.to_owned()));
        }
        i32::try_from(indexes.len()).map_err(|_| Fault::TooManyPartitions)
    }

    /// What is to be set on it; a key without a value is refused.
    pub(crate) fn settings(&self) -> Result<BTreeMap<String, String>, Fault> {
        let absent: Vec<&str> = self
            .config
            .iter()
            .filter(|(_, value)| value.is_none())
            .map(|(key, _)| key.as_str())
            .collect();
        if !absent.is_empty() {
            let why = format!("Null value not supported for topic configs: {}", absent.join(","));
            return Err(Fault::Config(why));
        }
        let set = |(key, value): (&String, &Option<String>)| Some((key.clone(), value.clone()?));
        Ok(self.config.iter().filter_map(set).collect())
    }
}

/// Whether a partition may be placed on `brokers`, where there is only `me`.
pub(crate) fn check_assignment(brokers: &[i32], me: i32) -> Result<(), Fault> {
    let refuse = |why: String| Err(Fault::Assignment(why));
    if brokers.is_empty() {
        return refuse("The manual partition assignment includes an empty replica list.".to_owned());
    }
    let mut sorted = brokers.to_vec();
    sorted.sort_unstable();
    for (at, broker) in sorted.iter().enumerate() {
        if *broker != me {
            return refuse(format!(
                "The manual partition assignment includes broker {broker}, but no such broker is registered."
            ));
        }
        if at > 0 {
            return refuse(format!(
                "The manual partition assignment includes the broker {broker} more than once."
            ));
        }
    }
    Ok(())
}

/// Whether `name` may be a topic's.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let why = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.chars().count() > NAME_CHARS_MAX {
        format!("the length of '{name}' is longer than the max allowed length {NAME_CHARS_MAX}")
    } else if !name.chars().all(legal) {
        format!("'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
    } else {
        return Ok(());
    };
    Err(Fault::Name(why))
}

/// Whether the names of two metrics would be the same, which are made of topics' names with `_` for `.`.
pub(crate) fn collide(one: &str, other: &str) -> bool {
    let same = |a: u8, b: u8| a == b || (matches!(a, b'.' | b'_') && matches!(b, b'.' | b'_'));
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| same(a, b))
}

/// Whether the topic is the brokers' own.
pub(crate) fn is_internal(name: &str) -> bool {
    matches!(
        name,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

/// How many partitions a topic of `now` has to get so that there are `count`.
pub(crate) fn added_partitions(
    name: &str,
    now: i32,
    count: i32,
    assignments: Option<&[Vec<i32>]>,
    me: i32,
) -> Result<i32, Fault> {
    if count == now {
        return Err(Fault::Partitions(format!(
            "Topic already has {now} partition(s)."
        )));
    }
    if count < now {
        return Err(Fault::Partitions(format!(
            "The topic {name} currently has {now} partition(s); {count} would not be an increase."
        )));
    }
    let added = count - now;
    if added as usize > REQUEST_PARTITIONS_MAX {
        return Err(Fault::TooManyPartitions);
    }
    if let Some(assignments) = assignments {
        if assignments.len() != added as usize {
            return Err(Fault::Assignment(format!(
                "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
                assignments.len()
            )));
        }
        for brokers in assignments {
            check_assignment(brokers, me)?;
        }
    }
    Ok(added)
}

#[cfg(test)]
mod tests;
