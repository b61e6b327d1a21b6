//! Stock Spark 3.5.5 on libmesos.so, in client mode: its driver is a Mesos framework, its executors are tasks.

use std::{
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
};

use anyhow::{Context, Result, anyhow, ensure};
use compat_tests::{Broker, Program, broker, clients};

/// One application at a time: each has several virtual machines.
static ALONE: Mutex<()> = Mutex::new(());

/// What spares short jobs on a busy machine: quick compilation, one collector.
const JAVA_OPTIONS: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

/// The folder that has Spark's `bin` and `jars`, and the Python that it is installed in.
fn installed() -> Result<(PathBuf, PathBuf)> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let venv = INSTALLED
        .get_or_init(|| clients::install(&["spark"]).map_err(|error| format!("{error:?}")))
        .as_ref()
        .map_err(|error| anyhow!("{error}"))?;
    let lib = std::fs::read_dir(venv.join("lib"))?
        .next()
        .context("no Python")??;
    Ok((lib.path().join("site-packages/pyspark"), venv.join("bin/python")))
}

/// Runs an application with further settings, and answers what it printed.
fn submit(master: &str, settings: &[(&str, &str)], application: &[&str]) -> Result<String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (home, python) = installed()?;
    let settings = settings
        .iter()
        .flat_map(|(name, value)| ["--conf".to_owned(), format!("{name}={value}")]);
    let application = application
        .iter()
        .map(|part| part.replace("HOME", &home.display().to_string()));
    Program::new(home.join("bin/spark-submit"))
        .args(["--master", &format!("mesos://{master}")])
        .args(["--driver-memory", "512m"])
        .args(["--driver-java-options", JAVA_OPTIONS])
        .args([
            "--conf",
            &format!("spark.executor.extraJavaOptions={JAVA_OPTIONS}"),
        ])
        .args([
            "--conf",
            "spark.executor.memory=512m",
            "--conf",
            "spark.ui.enabled=false",
        ])
        .args(["--conf", "spark.driver.host=127.0.0.1"])
        .args(settings)
        .args(application)
        .env("SPARK_HOME", &home)
        .env("PYSPARK_PYTHON", &python)
        .env(
            "PATH",
            format!(
                "{}:/usr/bin:/bin",
                python.parent().context("no folder")?.display()
            ),
        )
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .env("MESOS_NATIVE_JAVA_LIBRARY", broker::libmesos()?)
        .seconds_max(240)
        .run()
}

#[test]
fn pi_in_client_mode() -> Result<()> {
    let master = Broker::shared_mesos()?.address();
    let settings = [("spark.cores.max", "2"), ("spark.mesos.coarse", "true")];
    let out = submit(master, &settings, &["HOME/examples/src/main/python/pi.py", "2"])?;
    ensure!(out.contains("Pi is roughly 3.1"), "{out}");
    Ok(())
}

#[test]
fn a_shuffle_between_two_executors_one_of_which_is_killed() -> Result<()> {
    let master = Broker::shared_mesos()?.address();
    let settings = [
        ("spark.cores.max", "2"),
        ("spark.executor.cores", "1"),
        ("spark.mesos.role", "spark"),
        ("spark.mesos.task.labels", "job:shuffle"),
    ];
    let script = broker::folder().join("scenarios/mesos/spark/shuffle.py");
    let out = submit(master, &settings, &[&script.display().to_string(), "killed", "2"])?;
    ensure!(out.contains("PASS killed"), "{out}");
    Ok(())
}
