use serde::Deserialize;
use std::{
    io::{self, IsTerminal},
    panic,
};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Writes the process's log to standard error from now on. `filter` is a level, or directives such as
/// `info,kafka_server=debug`. A panic becomes a line of the log.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log filter {filter}: {error}"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    panic::set_hook(Box::new(|info| {
        tracing::error!(panic = %info, "a task failed by a defect of this program");
    }));
    Ok(())
}
