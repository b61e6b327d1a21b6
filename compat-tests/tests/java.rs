//! The Java client: one program, compiled and run with the oldest and the newest version of 3.x that people use, and with 4.x.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Result;
use compat_tests::{Broker, Program, clients, facts, program};

/// Runs one scenario with one version of the client.
fn run(version: &str, scenario: &str) -> Result<()> {
    let dir = installed(version)?;
    let broker = Broker::shared()?;
    let out = Program::new("java")
        .args([
            "-Xmx512m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
        ])
        .args([format!("{0}/classes:{0}/lib/*", dir.display())])
        .args(["Scenarios", scenario])
        .env("KAFKA", broker.address())
        .env("RUN", program::unique())
        .run()?;
    facts::compare(&format!("java-{version}"), scenario, &facts::parse(&out)?)
}

fn installed(version: &str) -> Result<PathBuf> {
    static INSTALLED: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut installed = INSTALLED
        .lock()
        .map_err(|_| anyhow::anyhow!("an installation panicked"))?;
    if let Some(dir) = installed.get(version) {
        return Ok(dir.clone());
    }
    let dir = clients::install(&["java", version])?;
    installed.insert(version.to_owned(), dir.clone());
    Ok(dir)
}

macro_rules! version {
    ($module:ident, $version:literal: $($scenario:ident),+ $(,)?) => {
        mod $module {
            fn run(scenario: &str) -> anyhow::Result<()> {
                super::run($version, scenario)
            }
            compat_tests::scenarios!(run: $($scenario),+);
        }
    };
}

version!(java_3_0, "3.0.2":
    acls, admin_configs, admin_topics, cluster, empty_topics, fencing, group_admin, group_cooperative, group_range, idempotent,
    large_messages, log_dirs, offsets, round_trip, transactions);
version!(java_3_9, "3.9.2":
    acls, admin_configs, admin_topics, cluster, empty_topics, fencing, group_admin, group_cooperative, group_range, idempotent,
    large_messages, log_dirs, offsets, round_trip, transactions);
version!(java_4, "4.4.0":
    acls, admin_configs, admin_topics, broker_definitions, cluster, config_definitions, empty_topics, fencing, group_admin, group_cooperative,
    group_range, idempotent, large_messages, log_dirs, offsets, one_node, round_trip, transactions,
    // Only of the newest.
    admin_fencing, concurrent_transactions, consumer_group_described, consumer_group_range, consumer_group_regex,
    consumer_group_uniform, dashboard, migration, newest_calls);
