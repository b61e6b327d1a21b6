//! What the log says, and for how long.

use super::Cluster;
use crate::wire::{Refusal, empty, refusal};
use axum::{http::StatusCode, response::Response};
use parking_lot::Mutex;
use server_kit::{LogLevel, LogLevels};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What lasts for a while, if anything does.
pub(crate) type Logging = Arc<Mutex<Option<Lasting>>>;

/// Another level than the one that the server is started with.
pub(crate) struct Lasting {
    /// What was said before the first of those that followed one another.
    before: LogLevels,
    _replaced: DropGuard,
}

/// Makes the server say more for a while: 0 is what it is started with.
pub(super) fn set(cluster: &Cluster, wanted: u32, nanoseconds: i64) -> Result<Response, Refusal> {
    let duration = u64::try_from(nanoseconds).unwrap_or(0);
    if wanted > 3 {
        let why = format!("Invalid level '{wanted}'.\n");
        return Err(refusal(StatusCode::BAD_REQUEST, why));
    }
    let mut lasting = cluster.logging.lock();
    let before = match &*lasting {
        Some(lasting) => lasting.before.clone(),
        None => server_kit::log_levels(),
    };
    let mut changed = before.clone();
    let said = if wanted > 0 {
        LogLevel::Debug
    } else {
        LogLevel::Info
    };
    changed.targets.insert("mesos_api".to_owned(), said);
    server_kit::set_log_levels(changed).map_err(level_refused)?;
    cluster.logging_level.store(wanted, Ordering::Relaxed);
    let replaced = CancellationToken::new();
    // What was wanted before lasts no longer: its guard goes.
    *lasting = Some(Lasting {
        before,
        _replaced: replaced.clone().drop_guard(),
    });
    let (logging, level) = (cluster.logging.clone(), cluster.logging_level.clone());
    tokio::spawn(async move {
        let time = tokio::time::sleep(Duration::from_nanos(duration));
        replaced.run_until_cancelled(time).await;
        let mut lasting = logging.lock();
        if replaced.is_cancelled() {
            return;
        }
        if let Some(Lasting { before, .. }) = lasting.take() {
            let _ = server_kit::set_log_levels(before);
            level.store(0, Ordering::Relaxed);
        }
    });
    Ok(empty(StatusCode::OK))
}

fn level_refused(why: impl std::fmt::Display) -> Refusal {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, why.to_string())
}
