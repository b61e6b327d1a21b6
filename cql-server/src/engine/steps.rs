//! What a traced statement does, step by step, in the original's words as far as it does the same.

use super::Engine;
use crate::core::schema::Table;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// Steps of one request that are kept: each is a row that is written before the answer leaves.
const STEPS_MAX: usize = 1000;

/// The steps of one request so far, each with the time since the server's start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<Vec<(Duration, String)>>>);

impl Steps {
    /// All of them.
    pub(crate) fn take(&self) -> Vec<(Duration, String)> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Engine {
    /// Notes a step where somebody wants to know.
    pub(super) fn step(&self, steps: Option<&Steps>, told: impl FnOnce() -> String) {
        if let Some(steps) = steps {
            let mut all = steps.0.lock();
            if all.len() < STEPS_MAX {
                all.push((self.time.elapsed(), told()));
            }
        }
    }

    /// A text that has to be understood first.
    pub(super) fn step_parsing(&self, steps: Option<&Steps>, text: &str) {
        self.step(steps, || format!("Parsing {text}"));
        self.step(steps, || "Preparing statement".to_owned());
    }

    /// What was written is in the log, then where it is read.
    pub(super) fn step_written<'t>(&self, steps: Option<&Steps>, tables: impl Iterator<Item = &'t Table>) {
        let Some(steps) = steps else { return };
        self.step(Some(steps), || "Appending to commitlog".to_owned());
        for table in tables {
            self.step(Some(steps), || format!("Adding to {} memtable", table.name));
        }
    }
}
