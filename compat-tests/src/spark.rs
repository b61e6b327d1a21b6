//! Stock Spark: where it is installed, what its programs have in their environment, and applications about to be submitted.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{Program, broker, clients};

/// What spares short jobs on a busy machine: quick compilation, one collector.
pub const JAVA_OPTIONS: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

/// Holds what only one application at a time may do, of all test programs: each has several virtual machines.
pub fn alone() -> Result<File> {
    let alone = File::create(clients::install(&[OF_MESOS])?.with_extension("alone"))?;
    alone.lock()?;
    Ok(alone)
}

/// The last Spark that has a Mesos backend.
const OF_MESOS: &str = "spark";

/// The folder that has Spark's `bin` and `jars`, and the Python that it is installed in.
pub fn installed() -> Result<(PathBuf, PathBuf)> {
    installed_as(OF_MESOS)
}

fn installed_as(set: &str) -> Result<(PathBuf, PathBuf)> {
    let venv = clients::install(&[set])?;
    Ok((packages(&venv)?.join("pyspark"), venv.join("bin/python")))
}

/// Where the Python packages of an installed set of clients are.
pub fn packages(set: &Path) -> Result<PathBuf> {
    let lib = fs::read_dir(set.join("lib"))?.next().context("no Python")??;
    Ok(lib.path().join("site-packages"))
}

/// The jars of a folder, as `--jars` takes them.
pub fn jars(lib: &Path) -> Result<String> {
    let mut jars = Vec::new();
    for entry in fs::read_dir(lib)? {
        jars.push(entry?.path().display().to_string());
    }
    jars.sort();
    Ok(jars.join(","))
}

/// What Spark's programs have in their environment.
pub fn environment() -> Result<Vec<(&'static str, String)>> {
    environment_of(&installed()?)
}

fn environment_of((home, python): &(PathBuf, PathBuf)) -> Result<Vec<(&'static str, String)>> {
    let bin = python.parent().context("no folder")?.display();
    Ok(vec![
        ("SPARK_HOME", home.display().to_string()),
        ("PYSPARK_PYTHON", python.display().to_string()),
        ("PATH", format!("{bin}:/usr/bin:/bin")),
        ("SPARK_LOCAL_IP", "127.0.0.1".to_owned()),
        (
            "MESOS_NATIVE_JAVA_LIBRARY",
            broker::libmesos()?.display().to_string(),
        ),
    ])
}

/// An application that is about to be submitted to a master, `local[2]` or `mesos://host:port`.
pub fn submit(master: &str, settings: &[(&str, &str)]) -> Result<Program> {
    submit_to(OF_MESOS, master, settings)
}

/// The same for the Spark of a set of clients.
pub fn submit_to(set: &str, master: &str, settings: &[(&str, &str)]) -> Result<Program> {
    let installed = installed_as(set)?;
    let settings = settings
        .iter()
        .flat_map(|(name, value)| ["--conf".to_owned(), format!("{name}={value}")]);
    let program = Program::new(installed.0.join("bin/spark-submit"))
        .args(["--master", master])
        .args(["--driver-memory", "512m"])
        .args(["--driver-java-options", JAVA_OPTIONS])
        .args([
            "--conf",
            &format!("spark.executor.extraJavaOptions={JAVA_OPTIONS}"),
        ])
        .args(["--conf", "spark.executor.memory=512m"])
        .args(["--conf", "spark.ui.enabled=false"])
        .args(["--conf", "spark.driver.host=127.0.0.1"])
        .args(settings)
        .seconds_max(240);
    Ok(environment_of(&installed)?
        .iter()
        .fold(program, |program, (name, value)| program.env(name, value)))
}
