//! Who waits for whom.

use super::{
    Answer, Scheduler,
    jobs::{current_state, last_state},
    text,
};
use crate::core::Core;
use axum::extract::State;
use std::{fmt::Write, sync::Arc};

/// For Graphviz.
pub(super) async fn dot(State(scheduler): State<Arc<Scheduler>>) -> Answer {
    Ok(text(scheduler.handle.look(Core::dot).await?))
}

/// A line for each job, and one for each of its children.
pub(super) async fn csv(State(scheduler): State<Arc<Scheduler>>) -> Answer {
    let lines = |core: &Core| {
        let mut lines = String::new();
        for entry in core.jobs() {
            let name = &entry.job().name;
            let _ = writeln!(
                lines,
                "node,{name},{},{}",
                last_state(entry),
                current_state(entry)
            );
        }
        for (parent, child) in core.links() {
            let _ = writeln!(lines, "link,{parent},{child}");
        }
        lines
    };
    Ok(text(scheduler.handle.look(lines).await?))
}
