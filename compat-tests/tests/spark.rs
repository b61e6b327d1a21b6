//! Stock Spark 3.5.5 on libmesos.so: its driver is a Mesos framework, its executors are tasks.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use compat_tests::{
    Broker, Program, ZooKeeper, broker,
    mesos::{Agent, Master},
    spark,
};

/// An application that is about to be submitted to a master, which it is told, too.
fn submit(master: &str, settings: &[(&str, &str)], application: &[&str]) -> Result<Program> {
    Ok(spark::submit(&format!("mesos://{master}"), settings)?
        .args(application)
        .env("MESOS", Broker::shared_mesos()?.address()))
}

/// A job of `jobs.py`, by its name.
fn job(master: &str, settings: &[(&str, &str)], name: &str) -> Result<Program> {
    let script = scripts().join("jobs.py").display().to_string();
    submit(master, settings, &[&script, name])
}

fn scripts() -> PathBuf {
    broker::folder().join("scenarios/mesos/spark")
}

fn example(name: &str) -> Result<String> {
    let (home, _) = spark::installed()?;
    Ok(home
        .join("examples/src/main/python")
        .join(name)
        .display()
        .to_string())
}

/// A program of Spark's own that goes on until the test ends.
struct Daemon(Child);

impl Daemon {
    /// Starts a class, and waits until somebody listens on a port.
    fn start(class: &str, arguments: &[&str], options: &str, port: u16, log: &Path) -> Result<Self> {
        let (home, _) = spark::installed()?;
        let log = fs::File::create(log)?;
        // It ends when the shell's standard input does, so with this test at the latest.
        let child = Command::new("sh")
            .args(["-c", "\"$@\" </dev/null & read -r _; kill $!; wait", "sh"])
            .arg(home.join("bin/spark-class"))
            .arg(class)
            .args(arguments)
            .envs(spark::environment()?)
            .env("SPARK_DAEMON_MEMORY", "256m")
            .env(
                "SPARK_DAEMON_JAVA_OPTS",
                format!("{} {options}", spark::JAVA_OPTIONS),
            )
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let daemon = Daemon(child);
        for _ in 0..1200 {
            if broker::answers(&format!("127.0.0.1:{port}")) {
                return Ok(daemon);
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("{class} does not listen on port {port}")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A Spark that is links to the installed one, but for what is in `own`.
fn linked(to: &Path, own: &[(&str, &str)]) -> Result<()> {
    let (home, _) = spark::installed()?;
    for folder in ["jars", "python", "examples"] {
        symlink(home.join(folder), &{
            fs::create_dir_all(to)?;
            to.join(folder)
        })?;
    }
    fs::create_dir(to.join("bin"))?;
    for program in fs::read_dir(home.join("bin"))? {
        let program = program?;
        if own.iter().all(|(name, _)| program.file_name() != *name) {
            symlink(program.path(), to.join("bin").join(program.file_name()))?;
        }
    }
    for (name, script) in own {
        let path = to.join("bin").join(name);
        fs::write(&path, script)?;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    Ok(())
}

#[test]
fn pi_in_client_mode() -> Result<()> {
    let master = Broker::shared_mesos()?.address();
    let settings = [("spark.cores.max", "2"), ("spark.mesos.coarse", "true")];
    let _alone = spark::alone()?;
    let out = submit(master, &settings, &[&example("pi.py")?, "2"])?.run()?;
    ensure!(out.contains("Pi is roughly 3.1"), "{out}");
    Ok(())
}

#[test]
fn an_executor_is_killed_while_it_works() -> Result<()> {
    let master = Broker::shared_mesos()?.address();
    let settings = [("spark.cores.max", "2"), ("spark.executor.cores", "1")];
    let _alone = spark::alone()?;
    let out = job(master, &settings, "killed")?.run()?;
    ensure!(out.contains("PASS killed"), "{out}");
    Ok(())
}

/// The master is found in ZooKeeper, Spark is fetched, and executors go where a constraint sends them.
#[test]
fn executors_are_what_the_settings_say() -> Result<()> {
    let master = Broker::shared_mesos()?.address();
    let dir = tempfile::tempdir()?;
    linked(&dir.path().join("spark-fetched"), &[])?;
    let archive = dir.path().join("spark-fetched.tar.gz");
    Program::new("tar")
        .args([
            "-C".into(),
            dir.path().to_owned(),
            "-czf".into(),
            archive.clone(),
            "spark-fetched".into(),
        ])
        .run()?;
    let work_dir = dir.path().join("agent");
    fs::create_dir(&work_dir)?;
    let _alone = spark::alone()?;
    let arguments = [
        "--attributes",
        "rack:far;zone:z",
        "--resources",
        "cpus:4;mem:4096;disk:64",
    ];
    let _agent = Agent::start(master, &work_dir, &arguments)?;
    let zookeeper = ZooKeeper::start_with_leader(master)?;
    let settings = [
        ("spark.app.name", "Spark placed"),
        ("spark.executor.uri", &*archive.display().to_string()),
        ("spark.mesos.coarse", "true"),
        ("spark.cores.max", "2"),
        ("spark.executor.cores", "1"),
        ("spark.mesos.role", "analysts"),
        ("spark.mesos.constraints", "rack:far"),
        ("spark.mesos.task.labels", "job:placed,team:a"),
    ];
    let out = job(zookeeper.masters(), &settings, "placed")?
        .env("AGENT_FOLDER", &work_dir)
        .run()?;
    ensure!(out.contains("PASS placed"), "{out}");
    Ok(())
}

/// The leading master is killed in the middle of a job: executors go on, and the next master knows them.
#[test]
fn masters_follow_one_another_during_a_job() -> Result<()> {
    let (first, second, far) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let _alone = spark::alone()?;
    let zookeeper = ZooKeeper::start()?;
    let start = |dir: &Path| Master::start(dir, &["--zk", zookeeper.masters(), "--quorum", "1"]);
    let masters = [start(first.path())?, start(second.path())?];
    let resources = ["--resources", "cpus:2;mem:4096;disk:64"];
    let _agent = Agent::start(zookeeper.masters(), far.path(), &resources)?;
    let settings = [("spark.cores.max", "2"), ("spark.executor.cores", "1")];
    let pids = [masters[0].pid()?.to_string(), masters[1].pid()?.to_string()];
    let out = job(zookeeper.masters(), &settings, "failover")?
        .env("MASTERS", [masters[0].address(), masters[1].address()].join(","))
        .env("PIDS", pids.join(","))
        .run()?;
    ensure!(out.contains("PASS failover"), "{out}");
    Ok(())
}

/// Dynamic allocation, over the shuffle service that Spark has for Mesos.
#[test]
fn executors_come_and_go() -> Result<()> {
    let master = Broker::shared_mesos()?.address();
    let dir = tempfile::tempdir()?;
    let port = broker::free_ports(1)?;
    let _alone = spark::alone()?;
    let class = "org.apache.spark.deploy.mesos.MesosExternalShuffleService";
    let options = format!("-Dspark.shuffle.service.port={port}");
    let _service = Daemon::start(class, &[], &options, port, &dir.path().join("service.log"))?;
    let settings = [
        ("spark.shuffle.service.enabled", "true"),
        ("spark.shuffle.service.port", &*port.to_string()),
        ("spark.dynamicAllocation.enabled", "true"),
        ("spark.dynamicAllocation.maxExecutors", "2"),
        ("spark.dynamicAllocation.executorIdleTimeout", "2s"),
        ("spark.executor.cores", "1"),
        ("spark.cores.max", "2"),
    ];
    let out = job(master, &settings, "grows_and_shrinks")?.run()?;
    ensure!(out.contains("PASS grows_and_shrinks"), "{out}");
    Ok(())
}

/// What every Spark of this line says to its own dispatcher's `--driver-cores 1.0`.
const CORES_REFUSED: &str = "Driver cores must be a positive number";

/// A `spark-submit` that takes the cores as the dispatcher says them.
const SUBMIT_WHOLE_CORES: &str = "#!/bin/bash\n\
    for argument; do [ \"$argument\" = 1.0 ] && argument=1; arguments+=(\"$argument\"); done\n\
    exec \"$(dirname \"$0\")/spark-class\" org.apache.spark.deploy.SparkSubmit \"${arguments[@]}\"\n";

/// The stock dispatcher launches drivers. Spark 3.5.5 then stops over what its own dispatcher says, but where
/// `spark.mesos.executor.home` has a `spark-submit` that understands it.
#[test]
fn cluster_mode_as_far_as_spark_gets() -> Result<()> {
    let master = Broker::shared_mesos()?.address();
    let dir = tempfile::tempdir()?;
    let home = dir.path().join("spark");
    linked(&home, &[("spark-submit", SUBMIT_WHOLE_CORES)])?;
    let ports = broker::free_ports(2)?;
    let (port, web) = (ports.to_string(), (ports + 1).to_string());
    let _alone = spark::alone()?;
    let class = "org.apache.spark.deploy.mesos.MesosClusterDispatcher";
    let arguments = [
        ["--host", "127.0.0.1"],
        ["--port", &port],
        ["--webui-port", &web],
        ["--master", &format!("mesos://{master}")],
    ];
    let log = dir.path().join("dispatcher.log");
    let _dispatcher = Daemon::start(class, arguments.as_flattened(), "", ports, &log)?;
    let run = |name: &str, further: &[(&str, &str)]| -> Result<String> {
        let mut settings = vec![
            ("spark.app.name", name),
            ("spark.submit.deployMode", "cluster"),
            ("spark.master.rest.enabled", "true"),
            ("spark.cores.max", "1"),
            ("spark.mesos.driver.labels", "kind:driver"),
        ];
        settings.extend(further);
        submit(
            &format!("127.0.0.1:{port}"),
            &settings,
            &[&example("pi.py")?, "2"],
        )?
        .run()?;
        Program::new("python3")
            .args([scripts().join("cluster.py")])
            .args([format!("Driver for {name}")])
            .env("MESOS", master)
            .run()
            .with_context(|| fs::read_to_string(&log).unwrap_or_default())
    };
    let stock = run("stock", &[])?;
    ensure!(stock.contains("\"framework\": \"Spark Cluster\""), "{stock}");
    ensure!(stock.contains("\"labels\": {\"kind\": \"driver\"}"), "{stock}");
    ensure!(
        stock.contains("\"state\": \"TASK_FAILED\"") && stock.contains(CORES_REFUSED),
        "{stock}"
    );
    let whole = run(
        "whole",
        &[("spark.mesos.executor.home", &*home.display().to_string())],
    )?;
    ensure!(
        whole.contains("\"state\": \"TASK_FINISHED\"") && whole.contains("Pi is roughly 3.1"),
        "{whole}"
    );
    Ok(())
}
