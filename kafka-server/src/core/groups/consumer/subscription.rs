//! What members subscribe to: names, and expressions over names.

use super::{Catalog, ConsumerGroup, Member};
use crate::{error::ApiError, wire::ResponseError};
use regex::{Regex, RegexBuilder};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// What a compiled expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// An expression that must match a whole name. Linear in time, as the original's engine.
pub(crate) fn compile(expression: &str) -> Result<Regex, ApiError> {
    // Compiled as it is first, so that nothing in it can reach beyond what is put around it.
    let checked = RegexBuilder::new(expression).size_limit(REGEX_BYTES_MAX).build();
    let whole = checked.and_then(|_| {
        RegexBuilder::new(&format!("^(?:{expression})$"))
            .size_limit(REGEX_BYTES_MAX)
            .build()
    });
    whole.map_err(|why| {
        let why = why.to_string();
        let why = why
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        let message =
            format!("SubscribedTopicRegex `{expression}` is not a valid regular expression: {why}.");
        ApiError::new(ResponseError::InvalidRegularExpression, message)
    })
}

impl ConsumerGroup {
    /// Finds the topics of expressions: of all (`again`), or of those not known yet. Forgets unused ones.
    /// Answers whether any expression matches other topics than before.
    pub(super) fn resolve(&mut self, catalog: &dyn Catalog, again: bool) -> bool {
        let used: BTreeSet<Arc<str>> = self
            .members
            .values()
            .filter_map(|member| member.regex.clone())
            .collect();
        let mut changed = false;
        self.matches.retain(|expression, _| used.contains(expression));
        for expression in used {
            if !again && self.matches.contains_key(&expression) {
                continue;
            }
            let found: BTreeSet<Arc<str>> = match compile(&expression) {
                Ok(regex) => catalog
                    .names()
                    .into_iter()
                    .filter(|name| regex.is_match(name))
                    .map(Arc::from)
                    .collect(),
                Err(_) => BTreeSet::new(), // refused when it came, so only one that an older version stored
            };
            changed |= self.matches.get(&expression) != Some(&found);
            self.matches.insert(expression, found);
        }
        changed
    }

    /// Looks subscribed topics up. Answers whether any came, went or grew.
    pub(super) fn look_up(&mut self, catalog: &dyn Catalog) -> bool {
        let mut topics = BTreeMap::new();
        for member in self.members.values() {
            for name in self.names_of(member) {
                if let Some(topic) = catalog.topic(&name) {
                    topics.insert(name, topic);
                }
            }
        }
        let changed = topics != self.topics;
        self.topics = topics;
        changed
    }

    fn names_of(&self, member: &Member) -> BTreeSet<Arc<str>> {
        let matched = member.regex.as_ref().and_then(|regex| self.matches.get(regex));
        member
            .names
            .iter()
            .chain(matched.into_iter().flatten())
            .cloned()
            .collect()
    }

    /// Ids of the topics a member subscribes to, of those that there are.
    pub(super) fn ids_of(&self, member: &Member) -> BTreeSet<Uuid> {
        let names = self.names_of(member).into_iter();
        names
            .filter_map(|name| self.topics.get(&name).map(|(id, _)| *id))
            .collect()
    }
}
