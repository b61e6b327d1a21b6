//! Who waits for whom: a graph without circles.

use super::{
    Core,
    model::{Cause, Entry, Name, Pending},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
};

/// Runs that a job may be owed beside its schedule.
pub(super) const PENDING_MAX: usize = 100;

impl Core {
    /// Notes whom a job waits for.
    pub(super) fn link(&mut self, entry: &Entry) {
        for parent in entry.kept.job.parents().into_iter().flatten() {
            let children = self.children.entry(Name::from(parent.as_str())).or_default();
            children.insert(entry.name.clone());
        }
    }

    /// Forgets whom a job waits for.
    pub(super) fn unlink(&mut self, name: &Name) {
        let Some(entry) = self.jobs.get(name) else {
            return;
        };
        for parent in entry.kept.job.parents().into_iter().flatten() {
            if let Some(children) = self.children.get_mut(parent.as_str()) {
                children.remove(name);
                if children.is_empty() {
                    self.children.remove(parent.as_str());
                }
            }
        }
    }

    pub(super) fn children_of(&self, name: &str) -> Vec<Name> {
        let children = self.children.get(name);
        children.into_iter().flatten().cloned().collect()
    }

    /// Whether `name` would wait for itself if it waited for `parents`.
    pub(super) fn makes_circle(&self, name: &str, parents: &BTreeSet<String>) -> bool {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut next: VecDeque<&str> = parents.iter().map(String::as_str).collect();
        while let Some(one) = next.pop_front() {
            if one == name {
                return true;
            }
            if seen.insert(one)
                && let Some(entry) = self.jobs.get(one)
            {
                next.extend(entry.kept.job.parents().into_iter().flatten().map(String::as_str));
            }
        }
        false
    }

    /// A job has ended well: those are owed whose parents all have, since they were last owed.
    pub(super) fn fire_children(&mut self, now: i64, parent: &str) {
        for name in self.children_of(parent) {
            let Some(entry) = self.jobs.get_mut(&name) else {
                continue;
            };
            let edges = &mut entry.kept.edges;
            *edges.entry(parent.to_owned()).or_default() += 1;
            let parents = entry.kept.job.parents();
            let all = parents
                .into_iter()
                .flatten()
                .all(|one| edges.get(one).is_some_and(|times| *times > 0));
            if all {
                edges.clear();
                if !entry.kept.job.disabled {
                    entry.owe(now, None, Cause::Parents);
                }
            }
            self.touch(&name);
            self.place(now, &name);
        }
    }

    /// The graph for people, as Graphviz reads it.
    pub(crate) fn dot(&self) -> String {
        let mut text = "digraph G {\n".to_owned();
        let numbers: BTreeMap<&str, usize> = self.jobs.keys().map(|name| &**name).zip(1..).collect();
        for (name, number) in &numbers {
            let _ = writeln!(text, "  {number} [ label=\"{name}\" ];");
        }
        for (parent, child) in self.links() {
            if let (Some(parent), Some(child)) = (numbers.get(parent), numbers.get(child)) {
                let _ = writeln!(text, "  {parent} -> {child};");
            }
        }
        text.push_str("}\n");
        text
    }

    /// Each job and each of its children.
    pub(crate) fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.children.iter();
        all.flat_map(|(parent, children)| children.iter().map(move |child| (&**parent, &**child)))
    }
}

impl Entry {
    /// A run is owed from now on. Answers whether there was room for it.
    pub(super) fn owe(&mut self, now: i64, arguments: Option<String>, cause: Cause) -> bool {
        if self.kept.pending.len() >= PENDING_MAX {
            tracing::warn!(job = %self.name, "is owed too many runs to be owed another one");
            return false;
        }
        // The time is part of a task's id: no two of a job have the same.
        let due = now.max(self.kept.owed.saturating_add(1));
        self.kept.owed = due;
        self.kept.pending.push_back(Pending {
            due,
            not_before: now,
            attempt: 0,
            failures: 0,
            arguments,
            cause,
        });
        true
    }
}
