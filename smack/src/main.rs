//! The binary: command line, configuration, and the only place that picks a storage backend.
//!
//! Knows: every server's configuration and how to start it. Never: what a server does once it runs.

mod agent;
mod banner;
mod cli;
mod ports;
mod settings;
mod store;
mod up;

use clap::Parser;
use settings::Servers;
use std::{process::ExitCode, time::Duration};

/// What is left of a stop, once the servers had their time.
const STOP_LEFTOVER_MAX: Duration = Duration::from_millis(200);

#[allow(
    clippy::print_stderr,
    reason = "why it does not start is for the person who started it"
)]
fn main() -> ExitCode {
    // What watches over containers: nothing that a server needs is made for it, and it has no thread but this.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == "supervise")
    {
        return mesos_api::supervise();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smack: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// What went wrong and why, in one sentence: what a reason says that was said already is left out.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |said, cause| {
        let cause = cause.to_string();
        match said.contains(&cause) {
            true => said,
            false if said.is_empty() => cause,
            false => format!("{said}: {cause}"),
        }
    })
}

#[allow(clippy::print_stdout, reason = "the asked-for file goes to standard output")]
fn run() -> anyhow::Result<()> {
    let (servers, options) = match cli::Cli::parse().command {
        cli::Command::Up(options) => (Servers::ALL, options),
        cli::Command::Kafka(options) => (Servers::KAFKA, options),
        cli::Command::Cql(options) => (Servers::CQL, options),
        cli::Command::Mesos(options) => (Servers::MESOS, options),
        cli::Command::MesosMaster(options) => (Servers::MESOS_MASTER, options),
        cli::Command::MesosAgent(options) => return until_ended(agent::run(options)),
        cli::Command::Config(cli::ConfigCommand::Default) => {
            print!("{}", settings::DEFAULT_FILE);
            return Ok(());
        }
    };
    let settings = settings::Settings::from_options(servers, options)?;
    until_ended(up::run(settings))
}

fn until_ended(run: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run);
    runtime.shutdown_timeout(STOP_LEFTOVER_MAX);
    ended
}
