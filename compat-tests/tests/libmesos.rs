//! libmesos.so under the stock Java library, in its oldest and newest version that people use, against a running smack.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Mutex,
};

use anyhow::{Context, Result, anyhow, ensure};
use compat_tests::{Broker, Program, broker, clients};

fn run(version: &str, scenario: &str) -> Result<()> {
    run_at(Broker::shared_mesos()?.address(), version, scenario)
}

fn run_at(master: &str, version: &str, scenario: &str) -> Result<()> {
    let dir = installed(version)?;
    let out = Program::new("java")
        .args([
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xcheck:jni",
        ])
        .args(["-cp", &format!("{0}/classes:{0}/lib/*", dir.display())])
        .args(["Drivers", scenario])
        .env("MESOS", master)
        .env("MESOS_NATIVE_JAVA_LIBRARY", broker::libmesos()?)
        .run()?;
    ensure!(out.contains(&format!("PASS {scenario}")), "{out}");
    // What the virtual machine itself finds wrong with the use of its interface.
    ensure!(!out.contains("FATAL ERROR in native method"), "{out}");
    Ok(())
}

fn installed(version: &str) -> Result<PathBuf> {
    static INSTALLED: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut installed = INSTALLED
        .lock()
        .map_err(|_| anyhow!("an installation panicked"))?;
    if let Some(dir) = installed.get(version) {
        return Ok(dir.clone());
    }
    let dir = clients::install(&["mesos-java", version])?;
    installed.insert(version.to_owned(), dir.clone());
    Ok(dir)
}

macro_rules! version {
    ($module:ident, $version:literal) => {
        mod $module {
            fn run(scenario: &str) -> anyhow::Result<()> {
                super::run($version, scenario)
            }
            compat_tests::scenarios!(run:
                a_framework_acknowledges_by_itself, a_framework_fails_over, a_master_that_cannot_be_named_aborts,
                an_exception_aborts, tasks_run_to_their_end, the_library_tells_its_version,
                what_is_acknowledged_already_is_refused);
        }
    };
}

/// Whatever else it named, some machine with a virtual machine on it would not have.
#[test]
fn the_library_needs_libc_alone() -> Result<()> {
    let library = broker::libmesos()?;
    let said = Program::new("readelf").args(["-d".into(), library]).run()?;
    let needed: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    let loader = |name: &&str| *name == "libc.so.6" || name.starts_with("ld-linux");
    ensure!(!needed.is_empty() && needed.iter().all(loader), "{needed:?}");
    Ok(())
}

/// ZooKeeper says who leads, some time after the framework asked.
#[test]
fn the_leader_is_found_in_zookeeper() -> Result<()> {
    let dir = clients::install(&["mesos-zookeeper"])?;
    // It ends when its standard input does, so with this test at the latest.
    let mut zookeeper = Command::new("java")
        .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .args(["-cp", &format!("{0}/classes:{0}/lib/*", dir.display())])
        .args(["Leader", Broker::shared_mesos()?.address()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut port = String::new();
    let said = zookeeper.stdout.take().context("no output")?;
    BufReader::new(said).read_line(&mut port)?;
    let master = format!("zk://127.0.0.1:{}/mesos", port.trim());
    let ran = run_at(&master, "1.11.0", "tasks_run_to_their_end");
    drop(zookeeper.stdin.take());
    zookeeper.wait()?;
    ran
}

version!(java_1_4, "1.4.3");
version!(java_1_11, "1.11.0");
