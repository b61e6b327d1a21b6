//! Starts the servers, tells where they are, and stops them.

use crate::{
    banner::{self, Line},
    ports,
    settings::Settings,
    store,
};
use anyhow::{Context, Result, anyhow};
use kafka_server::{Kafka, StartError};
use server_kit::{Admin, Clock, Random, Ready, Registry, Signals, SystemClock};
use std::{collections::BTreeMap, fs, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long requests under way may take to end once a stop was asked for.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Runs every server until a signal.
#[allow(clippy::print_stdout, reason = "addresses go to whoever started this")]
pub(crate) async fn run(settings: Settings) -> Result<()> {
    let clock = SystemClock::new();
    let mut signals = Signals::new()?;
    server_kit::start_logging(settings.log_format, &settings.log).map_err(|why| anyhow!(why))?;
    server_kit::raise_open_files().context("cannot raise the limit of open files")?;
    for key in &settings.not_honoured {
        tracing::warn!(key, "this Kafka configuration key has no effect here");
    }
    fs::create_dir_all(&settings.data_dir)
        .with_context(|| format!("cannot use the data directory {}", settings.data_dir.display()))?;
    let stop = CancellationToken::new();
    let mut registry = Registry::default();
    server_kit::register_process(&mut registry);
    let own = registry.sub_registry_with_prefix("smack");
    let kafka = start_kafka(&settings, own, clock.clone(), stop.clone()).await?;
    let ready = Ready::default();
    let admin = Admin::start(&settings.admin_bind, registry, ready.clone(), stop.clone())
        .await
        .map_err(|error| cannot_listen(&settings.admin_bind, &error, "--admin-port"))?;
    let kafka_address = kafka.addresses().first().copied().context("no listener")?;
    ports::write(
        &settings.data_dir,
        &BTreeMap::from([("kafka", kafka_address.port()), ("admin", admin.address().port())]),
    )?;
    ready.set(true);
    print!(
        "{}",
        banner::text(
            &lines(&kafka, admin.address()),
            &settings.data_dir,
            clock.elapsed()
        )
    );
    let signal = signals.next().await;
    tracing::info!(signal, "stopping");
    ready.set(false);
    stop.cancel();
    tokio::select! {
        () = kafka.stopped() => tracing::info!("stopped"),
        () = tokio::time::sleep(STOP_MAX) => tracing::warn!("stopped with requests still under way"),
        signal = signals.next() => tracing::warn!(signal, "stopped at once"),
    }
    ports::clear(&settings.data_dir)
}

async fn start_kafka(
    settings: &Settings,
    registry: &mut Registry,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<Kafka> {
    let shard = store::open(settings)?;
    ports::clear(&settings.data_dir)?;
    let random = Arc::new(Random::from_os());
    let started = Kafka::start(settings.kafka.clone(), shard, clock, random, registry, stop).await;
    started.map_err(|error| match error {
        StartError::Bind { address, source } => cannot_listen(&address, &source, "--kafka-port"),
        other => other.into(),
    })
}

fn cannot_listen(address: &str, error: &io::Error, flag: &str) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is taken by another process: stop it, or choose another port with {flag}")
        }
        _ => anyhow!("cannot listen on {address}: {error}"),
    }
}

fn lines(kafka: &Kafka, admin: SocketAddr) -> Vec<Line> {
    let mut lines: Vec<Line> = kafka
        .addresses()
        .iter()
        .map(|address| Line {
            server: "kafka",
            address: address.to_string(),
        })
        .collect();
    lines.push(Line {
        server: "admin",
        address: format!("http://{admin}/metrics"),
    });
    lines
}
