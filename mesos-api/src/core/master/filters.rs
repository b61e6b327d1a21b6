use crate::core::{Now, resources::Resources};
use std::{collections::HashMap, time::Duration};

/// Refusals of one role and agent that are kept: a newer one takes the place of the oldest.
const KEPT_MAX: usize = 8;

/// What a framework does not want for a while.
#[derive(Debug, Clone)]
struct Filter {
    resources: Resources,
    /// In elapsed time.
    until: Duration,
}

/// What a framework refused, by role and agent.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters(HashMap<String, HashMap<String, Vec<Filter>>>);

impl Filters {
    pub(super) fn add(&mut self, role: &str, agent: &str, resources: Resources, until: Duration) {
        let of_role = self.0.entry(role.to_owned()).or_default();
        let kept = of_role.entry(agent.to_owned()).or_default();
        // A newer refusal takes the place of what it includes.
        kept.retain(|filter| filter.until > until || !resources.contains(&filter.resources));
        kept.push(Filter { resources, until });
        if kept.len() > KEPT_MAX {
            kept.remove(0);
        }
    }

    /// Whether all of `resources` was refused.
    pub(super) fn refuse(&self, role: &str, agent: &str, resources: &Resources, now: Now) -> bool {
        let kept = self.0.get(role).and_then(|of_role| of_role.get(agent));
        kept.is_some_and(|kept| {
            let refuses =
                |filter: &Filter| filter.until > now.elapsed && filter.resources.contains(resources);
            kept.iter().any(refuses)
        })
    }

    pub(super) fn forget(&mut self, role: impl Fn(&str) -> bool) {
        self.0.retain(|own, _| !role(own));
    }

    pub(super) fn expire(&mut self, now: Now) {
        self.0.retain(|_, of_role| {
            of_role.retain(|_, kept| {
                kept.retain(|filter| filter.until > now.elapsed);
                !kept.is_empty()
            });
            !of_role.is_empty()
        });
    }
}
