//! Every configuration key of a broker, as Kafka 4.3 knows them. The table is data: `broker_keys.tsv`.

use super::definition::{
    Check::{self, Any, AtLeast, Between, BetweenOr, OneOf},
    Definition, Type,
};
use super::topic_keys::{TOPIC_KEYS, broker_synonyms};
use std::sync::LazyLock;

/// A key of the broker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BrokerKey {
    pub(crate) definition: Definition,
    /// Whether it can be changed while the broker runs.
    pub(crate) dynamic: bool,
}

/// Sorted by name.
pub(crate) static BROKER_KEYS: LazyLock<Vec<BrokerKey>> =
    LazyLock::new(|| lines().filter_map(parse).collect());

/// What is known of the key `name`.
pub(crate) fn find(name: &str) -> Option<&'static BrokerKey> {
    let found = BROKER_KEYS.binary_search_by(|key| key.definition.name.cmp(name));
    found.ok().map(|at| &BROKER_KEYS[at])
}

pub(super) fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("broker_keys.tsv").lines().skip(1)
}

fn parse(line: &'static str) -> Option<BrokerKey> {
    let mut columns = line.split('\t');
    let (name, kind, default) = (columns.next()?, columns.next()?, columns.next()?);
    let (check, change) = (columns.next()?, columns.next()?);
    Some(BrokerKey {
        definition: Definition {
            name,
            kind: kind_of(kind)?,
            default: Some(default).filter(|default| *default != "-"),
            check: check_of(check)?,
            documentation: columns.next().unwrap_or_else(|| of_topic(name)),
        },
        dynamic: change == "dynamic",
    })
}

/// What a key does that only stands behind a topic's key.
fn of_topic(name: &str) -> &'static str {
    let behind = |key: &&Definition| {
        broker_synonyms(key.name)
            .iter()
            .any(|(synonym, _)| *synonym == name)
    };
    let key = TOPIC_KEYS.iter().find(behind);
    key.map_or("", |key| key.documentation)
}

fn kind_of(name: &str) -> Option<Type> {
    Some(match name {
        "boolean" => Type::Boolean,
        "string" => Type::String,
        "int" => Type::Int,
        "short" => Type::Short,
        "long" => Type::Long,
        "double" => Type::Double,
        "list" => Type::List,
        "class" => Type::Class,
        "password" => Type::Password,
        _ => return None,
    })
}

fn check_of(text: &'static str) -> Option<Check> {
    let Some((min, max)) = text.split_once("..") else {
        return Some(if text == "any" { Any } else { OneOf(text) });
    };
    let min = min.parse().ok()?;
    Some(match max.split_once('|') {
        Some((max, or)) => BetweenOr(min, max.parse().ok()?, or.parse().ok()?),
        None if max.is_empty() => AtLeast(min),
        None => Between(min, max.parse().ok()?),
    })
}
