//! What clients ask for.

use super::{
    Core,
    model::{Cause, Entry, Kept, Name},
    told::{Command, Refused},
};
use crate::core::{
    job::{Job, Trigger, is_valid_name},
    schedule::{Schedule, time_text},
};

/// How long ago a new schedule may have begun, as in the original: a year.
const START_AGO_MS: i64 = 365 * 86_400_000;

fn no_such_schedule(name: &str) -> String {
    format!("JobSchedule '{name}' not found")
}

impl Core {
    pub(super) fn command(&mut self, now: i64, command: Command) -> Result<(), Refused> {
        match command {
            Command::Put(job) => self.put(now, *job),
            Command::Delete(name) => self.delete(now, &name),
            Command::Trigger { name, arguments } => self.trigger(now, &name, arguments),
            Command::Succeed(name) => {
                let missing = || Refused::Requirement(format!("Job '{name}' not found"));
                let entry = self.jobs.get_mut(name.as_str()).ok_or_else(missing)?;
                entry.kept.edges.clear();
                let name = entry.name.clone();
                self.ended_well(now, &name);
                self.place(now, &name);
                Ok(())
            }
            Command::Kill(name) => {
                let entry = self.jobs.get(name.as_str());
                let missing = || Refused::Fault(format!("requirement failed: {}", no_such_schedule(&name)));
                let name = entry.ok_or_else(missing)?.name.clone();
                self.kill_runs(&name);
                Ok(())
            }
            Command::Ended { task, well } => {
                let job = self
                    .runs
                    .get(&task)
                    .and_then(|run| self.jobs.get(run.job.as_str()));
                if job.is_some_and(|entry| !entry.kept.job.r#async) {
                    let why = format!("the task '{task}' is not of an asynchronous job");
                    return Err(Refused::Requirement(why));
                }
                // Of a task that nobody knows nothing follows, as in the original.
                self.told_end(now, &task, well);
                Ok(())
            }
            Command::Progress { name, task, more } => self.progress(&name, &task, more),
        }
    }

    fn put(&mut self, now: i64, mut job: Job) -> Result<(), Refused> {
        let old = self.jobs.get(job.name.as_str());
        let is_new = old.is_none();
        if is_new && self.jobs.len() >= self.policy.jobs_max {
            return Err(Refused::Fault(format!(
                "there are {} jobs already",
                self.jobs.len()
            )));
        }
        if is_new && !is_valid_name(&job.name) {
            let why = "the job's name is invalid. Allowed names: '([\\w\\s\\.#_-]+)'";
            return Err(Refused::Requirement(why.to_owned()));
        }
        match &mut job.trigger {
            Trigger::Schedule { schedule, zone } => settle(schedule, zone, is_new, now)?,
            Trigger::Parents(parents) => {
                if parents.is_empty() {
                    let why = "Error, parent does not exist".to_owned();
                    return Err(match is_new {
                        true => Refused::Fault(why),
                        false => Refused::Requirement(why),
                    });
                }
                let known = |parent: &String| *parent != job.name && self.jobs.contains_key(parent.as_str());
                if !parents
                    .iter()
                    .all(|parent| known(parent) || (!is_new && *parent == job.name))
                {
                    let why = format!("JobSchedule {} does not have all parents defined!", job.name);
                    return Err(Refused::Requirement(why));
                }
                if self.makes_circle(&job.name, parents) {
                    return Err(Refused::Fault("Edge would induce a cycle".to_owned()));
                }
            }
        }
        if is_new && !job.uris.is_empty() && !job.fetch.is_empty() {
            let why = format!(
                "Tried to add both uri (deprecated) and fetch parameters on {}",
                job.name
            );
            return Err(Refused::Plain(why));
        }
        let mut kept = Kept::new(job);
        if let Some(old) = old {
            // What it is owed, and what it was launched for, stays as it is.
            kept.floor = old.kept.floor;
            kept.owed = old.kept.owed;
            kept.pending = old.kept.pending.clone();
            kept.edges = old.kept.edges.clone();
            let parents = kept.job.parents();
            kept.edges
                .retain(|parent, _| parents.is_some_and(|parents| parents.contains(parent)));
        }
        let mut entry = Entry::of(kept, now).map_err(|(_, why)| Refused::Plain(why))?;
        if let Some(schedule) = &entry.schedule {
            entry.kept.at = schedule.first_not_before(0, entry.kept.floor.saturating_add(1));
        }
        self.replace(now, entry);
        Ok(())
    }

    /// Puts a job in place of the one of its name, if there is one.
    fn replace(&mut self, now: i64, mut entry: Entry) {
        let name = entry.name.clone();
        self.unlink(&name);
        self.unplace(&name);
        if let Some(old) = self.jobs.remove(&name) {
            entry.running = old.running;
            entry.stats = old.stats;
        }
        self.link(&entry);
        self.jobs.insert(name.clone(), entry);
        self.touch(&name);
        self.place(now, &name);
    }

    /// Those that wait for it wait for its parents from now on, or have its schedule.
    fn delete(&mut self, now: i64, name: &str) -> Result<(), Refused> {
        let missing = || Refused::Requirement(no_such_schedule(name));
        let entry = self.jobs.get(name).ok_or_else(missing)?;
        let (name, job) = (entry.name.clone(), entry.kept.job.clone());
        let rest = entry.shown_schedule();
        for child in self.children_of(&name) {
            let Some(mut kept) = self.jobs.get(&child).map(|entry| entry.kept.clone()) else {
                continue;
            };
            kept.edges.remove(&*name);
            if let Trigger::Parents(parents) = &mut kept.job.trigger {
                parents.remove(&*name);
                parents.extend(job.parents().into_iter().flatten().cloned());
                if let (true, Trigger::Schedule { zone, .. }, Some(schedule)) =
                    (parents.is_empty(), &job.trigger, &rest)
                {
                    let (schedule, zone) = (schedule.clone(), zone.clone());
                    kept.job.trigger = Trigger::Schedule { schedule, zone };
                }
            }
            match Entry::of(kept, now) {
                Ok(entry) => self.replace(now, entry),
                Err((child, why)) => tracing::error!(job = child, why, "a child cannot be changed"),
            }
        }
        self.kill_runs(&name);
        self.unlink(&name);
        self.unplace(&name);
        self.children.remove(&name);
        self.touch(&name);
        if let Some(entry) = self.jobs.remove(&name) {
            for task in entry.running {
                self.runs.remove(&task);
                self.touched_runs.insert(task);
            }
        }
        Ok(())
    }

    fn trigger(&mut self, now: i64, name: &str, arguments: Option<String>) -> Result<(), Refused> {
        let missing = || Refused::Requirement(format!("Job '{name}' not found"));
        let entry = self.jobs.get_mut(name).ok_or_else(missing)?;
        // As in the original, a disabled job takes it, and nothing follows.
        if entry.kept.job.disabled {
            return Ok(());
        }
        if !entry.owe(now, arguments, Cause::Triggered) {
            let why = format!("too many runs of '{name}' wait already");
            return Err(Refused::Fault(why));
        }
        let name: Name = entry.name.clone();
        self.touch(&name);
        self.place(now, &name);
        Ok(())
    }

    fn progress(&mut self, name: &str, task: &str, more: i64) -> Result<(), Refused> {
        let missing = || Refused::Requirement(no_such_schedule(name));
        let entry = self.jobs.get_mut(name).ok_or_else(missing)?;
        let require = |holds: bool, why: String| match holds {
            true => Ok(()),
            false => Err(Refused::Requirement(why)),
        };
        require(task.starts_with("ct:"), format!("Invalid task id format {task}"))?;
        let why = format!("JobSchedule '{name}' is not enabled to track data");
        require(entry.kept.job.data_processing, why)?;
        let why = format!("numAdditionalElementsProcessed ({more}) is not positive");
        require(more >= 0, why)?;
        let known = entry.stats.progress(task, more);
        require(known, format!("Task id  {task} not found"))
    }
}

/// Checks a schedule, and writes when it starts where it said "now": it is to mean the same tomorrow.
fn settle(schedule: &mut String, zone: &str, is_new: bool, now: i64) -> Result<(), Refused> {
    let parsed = Schedule::parse(schedule, zone, now).map_err(|why| Refused::Plain(why.to_string()))?;
    let start = parsed.start_ms();
    if is_new && start < now.saturating_sub(START_AGO_MS) {
        let why = format!(
            "Scheduled start date '{}' is more than 1 year in the past!",
            time_text(start)
        );
        return Err(Refused::Plain(why));
    }
    if schedule.contains("//") {
        *schedule = parsed.rest(0);
    }
    Ok(())
}
