//! libmesos.so under the stock Java library, in its oldest and newest version that people use, against a running smack.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex};

use anyhow::{Result, anyhow, ensure};
use compat_tests::{Broker, Program, ZooKeeper, broker, clients};

fn run(version: &str, program: &str, scenario: &str) -> Result<()> {
    run_at(Broker::shared_mesos()?.address(), version, program, scenario)
}

fn run_at(master: &str, version: &str, program: &str, scenario: &str) -> Result<()> {
    let dir = installed(version)?;
    let out = Program::new("java")
        .args([
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xcheck:jni",
        ])
        .args(["-cp", &format!("{0}/classes:{0}/lib/*", dir.display())])
        .args([program, scenario])
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
    ($module:ident, $version:literal $(, $newest:ident)?) => {
        mod $module {
            fn drivers(scenario: &str) -> anyhow::Result<()> {
                super::run($version, "Drivers", scenario)
            }
            fn libraries(scenario: &str) -> anyhow::Result<()> {
                super::run($version, "Libraries", scenario)
            }
            compat_tests::scenarios!(drivers:
                a_driver_says_all_that_it_can, a_framework_acknowledges_by_itself, a_framework_fails_over,
                a_master_that_cannot_be_named_aborts, an_exception_aborts, an_executor_of_its_own, tasks_run_to_their_end,
                the_library_tells_its_version, what_is_acknowledged_already_is_refused $(, $newest)?);
            compat_tests::scenarios!(libraries:
                a_master_that_cannot_be_named_is_an_argument_too_many, v0_runs_a_task, v1_reconnects, v1_runs_a_task,
                v1_with_an_exception_says_no_more);
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
    let zookeeper = ZooKeeper::start_with_leader(Broker::shared_mesos()?.address())?;
    run_at(zookeeper.masters(), "1.11.0", "Drivers", "tasks_run_to_their_end")
}

version!(java_1_4, "1.4.3");
version!(java_1_11, "1.11.0", a_framework_changes_its_roles);
