//! What the console shows: jobs, when they are due next, and how their last runs ended.

use super::{
    Scheduler,
    jobs::{current_state, last_state},
};
use crate::core::{Core, time_of};
use server_kit::console::{Cell, Section, Table, Unit, View};
use std::sync::Arc;

pub(crate) fn section(scheduler: Arc<Scheduler>) -> Section {
    Section::new("chronos", "Jobs", move || {
        let scheduler = scheduler.clone();
        async move {
            let now = scheduler.clock.now_ms();
            let seen = scheduler.handle.look(move |core| show(core, now)).await;
            seen.unwrap_or_default()
        }
    })
}

#[allow(
    clippy::cast_precision_loss,
    reason = "times and counts are far from where that matters"
)]
fn show(core: &Core, now: i64) -> View {
    let mut view = View::default();
    let (high, normal) = core.waiting();
    view.fact("jobs", Unit::Count, core.jobs().count());
    view.fact("runs under way", Unit::Count, core.runs().len());
    view.fact("runs that wait for an offer", Unit::Count, high + normal);
    let standing = match core.is_subscribed() {
        true => core.framework().unwrap_or_default(),
        false => "no master answers",
    };
    view.fact("framework", Unit::Text, standing);
    let columns = [
        ("job", Unit::Text),
        ("runs at, or after", Unit::Text),
        ("due in", Unit::Text),
        ("now", Unit::Text),
        ("last run", Unit::Text),
        ("last success", Unit::Since),
        ("last error", Unit::Since),
        ("successes", Unit::Count),
        ("errors", Unit::Count),
        ("typical duration", Unit::Micros),
        ("owner", Unit::Text),
    ];
    let mut table = Table::new("Jobs", "There is none.", &columns);
    let since = |text: &str| time_of(text).map(|at| at as f64 / 1000.0);
    table.fill(core.jobs(), |entry| {
        let job = entry.job();
        let parents = job.parents().into_iter().flatten().cloned();
        let parents: Vec<String> = parents.collect();
        let histogram = entry.stats.histogram();
        let median = histogram.values.get("median").filter(|_| histogram.count > 0);
        [
            job.name.as_str().into(),
            entry
                .shown_schedule()
                .unwrap_or_else(|| parents.join(", "))
                .into(),
            due_in(job.disabled, entry.next_due(), now),
            current_state(entry).into(),
            last_state(entry).into(),
            since(&job.last_success).into(),
            since(&job.last_error).into(),
            job.success_count.into(),
            job.error_count.into(),
            median.map(|ms| ms * 1000.0).into(),
            job.owner.as_str().into(),
        ]
    });
    view.table(table);
    view
}

fn due_in(disabled: bool, due: Option<i64>, now: i64) -> Cell {
    match due {
        _ if disabled => "disabled".into(),
        None => Cell::NONE,
        Some(due) if due <= now => "now".into(),
        Some(due) => {
            let seconds = (due - now) / 1000;
            match seconds {
                0..120 => format!("{seconds} s"),
                120..7200 => format!("{} min", seconds / 60),
                7200..172_800 => format!("{} h", seconds / 3600),
                _ => format!("{} days", seconds / 86_400),
            }
            .into()
        }
    }
}
