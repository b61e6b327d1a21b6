//! How long runs took, and how the last ones ended. It is not stored: the original keeps it in memory, too.

use super::{model::Run, status::End};
use std::collections::{BTreeMap, VecDeque};

/// Durations that are kept of a job, as the original samples.
const SAMPLES_MAX: usize = 1028;
/// Runs that are told of, as the original's `job_history_limit`.
const HISTORY_MAX: usize = 5;

/// A run that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) task: String,
    pub(crate) agent: String,
    pub(crate) started_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    /// Whether it ended well; nothing while it runs.
    pub(crate) well: Option<bool>,
    pub(crate) elements: Option<i64>,
}

/// What is known of the runs of a job.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    /// ms from when a run was due until it ended well.
    samples: VecDeque<u32>,
    history: VecDeque<Past>,
    pub(crate) well: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

/// What a histogram tells, in ms.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    /// By the original's names.
    pub(crate) values: BTreeMap<&'static str, f64>,
    pub(crate) count: usize,
}

impl Histogram {
    /// What the original tells of a histogram. Its mean is the median, too.
    pub(crate) const NAMES: [(&'static str, f64); 6] = [
        ("75thPercentile", 0.75),
        ("95thPercentile", 0.95),
        ("98thPercentile", 0.98),
        ("99thPercentile", 0.99),
        ("mean", 0.5),
        ("median", 0.5),
    ];
}

impl Stats {
    pub(super) fn started(&mut self, run: &Run) {
        if self.history.iter().any(|past| past.task == run.task) {
            return;
        }
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_back();
        }
        self.history.push_front(Past {
            task: run.task.clone(),
            agent: run.agent.clone(),
            started_at: run.started_at,
            ended_at: None,
            well: None,
            elements: None,
        });
    }

    pub(super) fn ended(&mut self, run: &Run, now: i64, end: End) {
        if end == End::NeverRan {
            return;
        }
        match end {
            End::Well => {
                self.well += 1;
                if self.samples.len() >= SAMPLES_MAX {
                    self.samples.pop_front();
                }
                let took = now.saturating_sub(run.due).max(0);
                self.samples.push_back(u32::try_from(took).unwrap_or(u32::MAX));
            }
            _ => self.failed += 1,
        }
        self.started(run);
        if let Some(past) = self.history.iter_mut().find(|past| past.task == run.task) {
            past.ended_at = Some(now);
            past.well = Some(end == End::Well);
        }
    }

    /// A run has got on. Answers whether it is one of those that are told of.
    pub(super) fn progress(&mut self, task: &str, more: i64) -> bool {
        match self.history.iter_mut().find(|past| past.task == task) {
            Some(past) => {
                past.elements = Some(past.elements.unwrap_or(0).saturating_add(more));
                true
            }
            None => false,
        }
    }

    /// The newest first.
    pub(crate) fn history(&self) -> impl Iterator<Item = &Past> {
        self.history.iter()
    }

    pub(crate) fn histogram(&self) -> Histogram {
        let mut sorted: Vec<u32> = self.samples.iter().copied().collect();
        sorted.sort_unstable();
        let values = Histogram::NAMES.map(|(name, share)| (name, quantile(&sorted, share)));
        Histogram {
            values: values.into_iter().collect(),
            count: sorted.len(),
        }
    }
}

/// The value below which this share of them is, between the two that are nearest.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there are a thousand values at the most"
)]
fn quantile(sorted: &[u32], share: f64) -> f64 {
    let place = share * (sorted.len() + 1) as f64;
    let at = |index: usize| sorted.get(index).copied().map_or(0.0, f64::from);
    if place < 1.0 {
        return at(0);
    }
    if place >= sorted.len() as f64 {
        return at(sorted.len().saturating_sub(1));
    }
    let below = place.floor() as usize;
    at(below - 1) + place.fract() * (at(below) - at(below - 1))
}
