//! What is due: which jobs may be launched now, and when to look at the others.

use super::{
    Core, Run,
    model::{Cause, Entry, Name, Pending},
};

/// Jobs of high priority go first.
pub(super) const HIGH: u8 = 0;
const NORMAL: u8 = 1;

/// Which run of a job is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Of those that are pending, the one at this place.
    Pending(usize),
    /// The next occurrence of its schedule.
    Scheduled,
}

impl Core {
    /// Looks at the jobs whose time has come.
    pub(super) fn due(&mut self, now: i64) {
        while let Some((_, name)) = self.timers.first().filter(|(at, _)| *at <= now) {
            let name = name.clone();
            self.place(now, &name);
        }
    }

    /// Takes a job off the lists.
    pub(super) fn unplace(&mut self, name: &Name) {
        let Some(entry) = self.jobs.get_mut(name) else {
            return;
        };
        if let Some(at) = entry.timer.take() {
            self.timers.remove(&(at, name.clone()));
        }
        if let Some((class, due)) = entry.ready.take() {
            self.ready.remove(&(class, due, name.clone()));
        }
    }

    /// Puts a job on the lists that it belongs to now.
    pub(super) fn place(&mut self, now: i64, name: &Name) {
        self.unplace(name);
        let Some(entry) = self.jobs.get_mut(name) else {
            return;
        };
        if entry.kept.job.disabled {
            // As in the original, what a disabled job was owed is forgotten.
            if !entry.kept.pending.is_empty() {
                entry.kept.pending.clear();
                self.touch(name);
            }
            return;
        }
        // It is looked at again when its run has ended.
        if entry.is_blocked() {
            return;
        }
        let skipped = entry.skip_late(now);
        match entry.next(now) {
            Some(next) => {
                let due = entry.due_of(next).unwrap_or(now);
                let class = if entry.kept.job.high_priority {
                    HIGH
                } else {
                    NORMAL
                };
                entry.ready = Some((class, due));
                self.ready.insert((class, due, name.clone()));
                // Once it is too late for it, it is skipped.
                if next == Next::Scheduled {
                    entry.timer = Some(due.saturating_add(entry.epsilon).saturating_add(1));
                }
            }
            None => entry.timer = entry.next_time(),
        }
        if let Some(at) = entry.timer {
            self.timers.insert((at, name.clone()));
        }
        if skipped {
            self.touch(name);
        }
    }
}

impl Entry {
    /// Passes over what its schedule owes and is too late for. Answers whether there was any.
    fn skip_late(&mut self, now: i64) -> bool {
        let Some(schedule) = &self.schedule else {
            return false;
        };
        let first = schedule.first_not_before(self.kept.at, now.saturating_sub(self.epsilon));
        if first == self.kept.at {
            return false;
        }
        let times = first - self.kept.at;
        tracing::warn!(job = %self.name, times, "was due and could not be launched in time");
        self.stats.skipped += times;
        self.kept.at = first;
        true
    }

    /// What may be launched now: the one that has been due for longest.
    pub(super) fn next(&self, now: i64) -> Option<Next> {
        let pending = self.kept.pending.iter().enumerate();
        let pending = pending
            .filter(|(_, one)| one.not_before <= now)
            .min_by_key(|(_, one)| one.due)
            .map(|(at, one)| (one.due, Next::Pending(at)));
        let scheduled = self.scheduled().filter(|due| *due <= now);
        let scheduled = scheduled.map(|due| (due, Next::Scheduled));
        let all = [pending, scheduled];
        all.into_iter()
            .flatten()
            .min_by_key(|(due, _)| *due)
            .map(|(_, next)| next)
    }

    fn scheduled(&self) -> Option<i64> {
        self.schedule.as_ref()?.due(self.kept.at)
    }

    fn due_of(&self, next: Next) -> Option<i64> {
        match next {
            Next::Pending(at) => self.kept.pending.get(at).map(|one| one.due),
            Next::Scheduled => self.scheduled(),
        }
    }

    /// When something will be due, if nothing is.
    fn next_time(&self) -> Option<i64> {
        let pending = self.kept.pending.iter().map(|one| one.not_before);
        pending.chain(self.scheduled()).min()
    }

    /// Takes the next run: from here on it is not owed any more, but under way.
    pub(super) fn take(&mut self, next: Next) -> Option<Pending> {
        match next {
            Next::Pending(at) => self.kept.pending.remove(at),
            Next::Scheduled => {
                let due = self.scheduled()?;
                self.kept.at += 1;
                self.kept.floor = self.kept.floor.max(due);
                Some(Pending {
                    due,
                    not_before: due,
                    attempt: 0,
                    failures: 0,
                    arguments: None,
                    cause: Cause::Scheduled,
                })
            }
        }
    }

    /// A run is owed again.
    pub(super) fn owe_again(&mut self, run: &Run, not_before: i64, failed: bool) {
        self.kept.pending.push_front(Pending {
            due: run.due,
            not_before,
            attempt: run.attempt.saturating_add(1),
            failures: run.failures.saturating_add(u32::from(failed)),
            arguments: run.arguments.clone(),
            cause: run.cause,
        });
    }
}
