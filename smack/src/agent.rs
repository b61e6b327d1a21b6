//! Starts a Mesos agent whose master is another process, tells where it is, and stops it.

use crate::cli::{AgentOptions, LogFormat};
use anyhow::{Context, Result, anyhow};
use mesos_api::{AgentConfig, Limits, MesosAgent, Upkeep};
use server_kit::{Random, Signals, SystemClock};
use std::{fs, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long it may take to end its tasks.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Runs the agent until a signal.
#[allow(clippy::print_stdout, reason = "the address goes to whoever started this")]
pub(crate) async fn run(options: AgentOptions) -> Result<()> {
    let mut signals = Signals::new()?;
    let format = match options.log_format {
        Some(LogFormat::Json) => server_kit::LogFormat::Json,
        Some(LogFormat::Text) | None => server_kit::LogFormat::Text,
    };
    let log = options.log.as_deref().unwrap_or("info");
    server_kit::start_logging(format, log).map_err(|why| anyhow!(why))?;
    server_kit::raise_open_files().context("cannot raise the limit of open files")?;
    fs::create_dir_all(&options.work_dir)
        .with_context(|| format!("cannot use the work directory {}", options.work_dir.display()))?;
    let mut upkeep = Upkeep::default();
    for (name, value) in [
        ("gc_delay", &options.gc_delay),
        ("gc_disk_headroom", &options.gc_disk_headroom),
        ("disk_watch_interval", &options.disk_watch_interval),
        ("max_stdout_size", &options.max_stdout_size),
        ("max_stderr_size", &options.max_stderr_size),
    ] {
        if let Some(value) = value {
            upkeep.set(name, value).map_err(|why| anyhow!(why))?;
        }
    }
    let config = AgentConfig {
        bind: format!("{}:{}", options.host, options.port),
        work_dir: options.work_dir,
        resources: options.resources.unwrap_or_default(),
        attributes: options.attributes.unwrap_or_default(),
        upkeep,
        isolation: options.isolation,
        ..AgentConfig::default()
    };
    let stop = CancellationToken::new();
    let random = Arc::new(Random::from_os());
    let (clock, limits) = (SystemClock::new(), Limits::default());
    let agent = MesosAgent::start(config, &options.master, limits, clock, random, stop.clone()).await?;
    // What logs a client in at ZooKeeper is nobody's business.
    let master = options.master.rsplit('@').next().unwrap_or_default();
    println!("agent {} of master {master}", agent.address());
    let signal = signals.next().await;
    tracing::info!(signal, "stopping");
    stop.cancel();
    let _ = tokio::time::timeout(STOP_MAX, agent.stopped()).await;
    Ok(())
}
