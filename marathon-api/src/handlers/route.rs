//! Which line of THE TABLE a request means.

use super::Line;
use crate::wire::decoded;
use std::collections::BTreeMap;

type Parts = BTreeMap<&'static str, String>;

/// The line whose path fits; of several, the one that says the most.
pub(super) fn find<'a>(table: &'a [Line], method: &str, path: &str) -> Option<(&'a Line, Parts)> {
    let method = if method == "HEAD" { "GET" } else { method };
    let of_method = table.iter().filter(|line| line.method == method);
    let fitting = of_method.filter_map(|line| Some((line, fit(line.path, path)?)));
    fitting.max_by_key(|(line, _)| literals(line.path))
}

/// The methods by which a path can be asked.
pub(super) fn methods(table: &[Line], path: &str) -> Vec<&'static str> {
    let fitting = table.iter().filter(|line| fit(line.path, path).is_some());
    let mut methods: Vec<&str> = fitting.map(|line| line.method).collect();
    methods.sort_unstable();
    methods.dedup();
    methods
}

fn literals(pattern: &str) -> usize {
    pattern.split('/').filter(|part| !part.starts_with('{')).count()
}

/// What the parts of a pattern stand for in a path. A pattern has one part that stands for several at the most.
fn fit(pattern: &'static str, path: &str) -> Option<Parts> {
    let wanted: Vec<&'static str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let given: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decoded)
        .collect();
    let greedy = wanted.iter().position(|part| part.ends_with("+}"));
    let (before, after) = match greedy {
        Some(at) => (at, wanted.len() - at - 1),
        None => (wanted.len(), 0),
    };
    let fits = match greedy {
        Some(_) => given.len() > before + after,
        None => given.len() == before,
    };
    if !fits {
        return None;
    }
    let mut parts = Parts::new();
    let single = |parts: &mut Parts, part: &'static str, given: &str| match name(part) {
        Some(name) => {
            parts.insert(name, given.to_owned());
            true
        }
        None => part == given,
    };
    let (head, rest) = given.split_at(before);
    let (middle, tail) = rest.split_at(rest.len() - after);
    let pairs = wanted.iter().take(before).zip(head);
    let pairs = pairs.chain(wanted.iter().skip(wanted.len() - after).zip(tail));
    for (part, given) in pairs {
        if !single(&mut parts, part, given) {
            return None;
        }
    }
    if let Some(name) = greedy.and_then(|at| name(wanted[at])) {
        parts.insert(name, middle.join("/"));
    }
    Some(parts)
}

/// What a part of a pattern is called, if it stands for something.
fn name(part: &'static str) -> Option<&'static str> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    Some(name.strip_suffix('+').unwrap_or(name))
}
