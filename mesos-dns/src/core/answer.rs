//! What a question is answered with, by the original's rules.

use super::zone::{Service, Zone};
use ::core::net::{Ipv4Addr, Ipv6Addr};
use indexmap::IndexSet;

/// Which records are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    A,
    Aaaa,
    Srv,
    Soa,
    Ns,
    Any,
    /// Of which there is never one.
    Other,
}

/// How a question ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Found,
    /// There is such a name, without such records.
    NoData,
    /// There is no such name.
    NoName,
}

/// Records for an answer. The name of all but the additional ones is the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record<'z> {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Srv(&'z Service),
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'z> {
    pub(crate) outcome: Outcome,
    pub(crate) answers: Vec<Record<'z>>,
    /// How often the zone's own record stands in the authority section, and whether its server does.
    pub(crate) soa: usize,
    pub(crate) ns: bool,
    /// Addresses of the services' targets, by the targets' names.
    pub(crate) additional: Vec<(&'z str, Record<'z>)>,
}

/// Services whose targets' addresses are told with them.
const TARGETS_MAX: usize = 64;

/// Answers a question for a name in lower case, with `most` records of a kind at the most: where there are more, with others
/// each time, as `below` has it, which answers a number below another one.
pub(crate) fn answer<'z>(
    zone: &'z Zone,
    name: &str,
    kind: Kind,
    most: usize,
    below: &impl Fn(u64) -> u64,
) -> Answer<'z> {
    let records = zone.get(name);
    let mut answer = Answer {
        outcome: Outcome::Found,
        answers: Vec::new(),
        soa: 0,
        ns: false,
        additional: Vec::new(),
    };
    let asks = |one: Kind| kind == one || kind == Kind::Any;
    if let Some(records) = records {
        if asks(Kind::Srv) {
            let services: Vec<&Service> = some(&records.srv, most, below).collect();
            answer.additional = targets(zone, &services);
            answer.answers.extend(services.into_iter().map(Record::Srv));
        }
        if asks(Kind::A) {
            let addresses = some(&records.a, most, below);
            answer.answers.extend(addresses.copied().map(Record::A));
        }
        if asks(Kind::Aaaa) {
            let addresses = some(&records.aaaa, most, below);
            answer.answers.extend(addresses.copied().map(Record::Aaaa));
        }
        shuffle(&mut answer.answers, below);
    }
    answer.soa += usize::from(asks(Kind::Soa));
    answer.ns = asks(Kind::Ns);
    if answer.answers.is_empty() && !matches!(kind, Kind::Soa | Kind::Ns | Kind::Srv) {
        answer.outcome = match records.is_some() {
            true => Outcome::NoData,
            false => Outcome::NoName,
        };
        answer.soa += 1;
    }
    answer
}

/// All records of a name, or as many as can be told, from anywhere on.
fn some<'z, T, Below: Fn(u64) -> u64>(
    records: &'z IndexSet<T>,
    most: usize,
    below: &Below,
) -> impl Iterator<Item = &'z T> + use<'z, T, Below> {
    let from = match records.len() > most {
        true => usize::try_from(below(records.len() as u64)).unwrap_or_default(),
        false => 0,
    };
    let others = records.iter().take(from);
    records.iter().skip(from).chain(others).take(most)
}

/// One address of each kind for each of the services' targets.
fn targets<'z>(zone: &'z Zone, services: &[&'z Service]) -> Vec<(&'z str, Record<'z>)> {
    let mut told: Vec<&str> = Vec::new();
    let mut additional = Vec::new();
    for service in services {
        let target = service.target.as_str();
        if told.contains(&target) {
            continue;
        }
        if told.len() == TARGETS_MAX {
            break;
        }
        told.push(target);
        if let Some(at) = zone.get(target) {
            let a = at.a.first().map(|address| (target, Record::A(*address)));
            let aaaa = at.aaaa.first().map(|address| (target, Record::Aaaa(*address)));
            additional.extend(a.into_iter().chain(aaaa));
        }
    }
    additional
}

/// Puts records into another order each time, so that clients which take the first one share the load.
fn shuffle<T>(records: &mut [T], below: &impl Fn(u64) -> u64) {
    for at in 1..records.len() {
        let with = below(at as u64 + 1);
        records.swap(at, usize::try_from(with).unwrap_or(at));
    }
}
