//! Kills the master, the agent, tasks, executors, who watches over them and who makes those again and again while a
//! framework launches tasks, which checks them one by one.
//!
//! `SMACK_KILLS` says how often (14 times, or 200 in the nightly run).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use compat_tests::{
    Program, broker,
    dice::Dice,
    facts,
    mesos::{Agent, Master},
    process,
};

/// What the agent offers: so many tasks of a tenth each may run at once.
const TASKS_MAX: usize = 20;
const RESOURCES: [&str; 2] = ["--resources", "cpus:2;mem:4096;disk:64"];

#[test]
fn kills_launch_nothing_twice_and_forget_nothing() -> Result<()> {
    let kills: u32 = std::env::var("SMACK_KILLS").map_or(Ok(14), |text| text.parse())?;
    let mut dice = Dice::new()?;
    let seed = dice.seed;
    run(kills, &mut dice).with_context(|| format!("{kills} kills, SMACK_SEED={seed}"))
}

fn run(kills: u32, dice: &mut Dice) -> Result<()> {
    let (dir, work_dir) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut world = World {
        master: Master::start(dir.path(), &[])?,
        agent: None,
        work_dir: work_dir.path().to_owned(),
    };
    world.agent = Some(Agent::start(
        &world.master.address(),
        work_dir.path(),
        &RESOURCES,
    )?);
    let file = |name: &str| dir.path().join(name);
    let framework = Program::new("python3")
        .args([broker::folder().join("scenarios/mesos/python/kills.py")])
        .args(["framework"])
        .env("MESOS", world.master.address())
        .env("FOLDER", dir.path())
        .env("SEED", dice.seed.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .seconds_max(600 + 10 * kills);
    let framework = thread::spawn(move || framework.run());
    while !file("begun").exists() {
        ensure!(!framework.is_finished(), "the framework: {:?}", framework.join());
        thread::sleep(Duration::from_millis(20));
    }
    for kill in 0..kills {
        thread::sleep(Duration::from_millis(100 + dice.below(1500)));
        ensure!(
            !framework.is_finished(),
            "the framework ended before kill {kill}: {:?}",
            framework.join()
        );
        world.judge()?;
        world.harm(dice).with_context(|| format!("kill {kill}"))?;
    }
    fs::write(file("stop"), "")?;
    let said = framework
        .join()
        .map_err(|_| anyhow!("the framework's thread panicked"))??;
    let counts = facts::parse(&said)?;
    ensure!(
        counts["ran"].as_u64() > Some(u64::from(kills / 2)),
        "too few tasks ran: {counts}"
    );
    world.nothing_is_left()
}

struct World {
    master: Master,
    agent: Option<Agent>,
    work_dir: PathBuf,
}

impl World {
    /// Kills somebody, and starts again who does not come back by itself.
    fn harm(&mut self, dice: &mut Dice) -> Result<()> {
        let agent = self.agent.as_mut().context("there is an agent")?;
        match dice.below(9) {
            0 | 1 => {
                self.master.kill()?;
                thread::sleep(Duration::from_millis(dice.below(500)));
                self.master.launch()
            }
            2 | 3 => {
                agent.kill()?;
                thread::sleep(Duration::from_millis(dice.below(500)));
                agent.launch()
            }
            4 => {
                agent.kill()?;
                self.master.kill()?;
                self.master.launch()?;
                agent.launch()
            }
            5 => {
                // Whom it has made before goes on, and another one makes those that come.
                let agent = agent.pid()?;
                let mut makes = processes()?;
                makes.retain(|pid| process::parent(*pid) == Some(agent) && is_supervisor(*pid));
                makes.into_iter().try_for_each(kill)
            }
            what => {
                let tasks = tasks(&self.work_dir)?;
                if tasks.is_empty() {
                    return Ok(());
                }
                let at = usize::try_from(dice.below(tasks.len() as u64))?;
                // Who watches over a task is its parent; if that is killed, too, nobody is left to tell of it.
                let watches = process::parent(tasks[at]).filter(|pid| what == 8 && is_supervisor(*pid));
                kill(watches.unwrap_or(tasks[at]))
            }
        }
    }

    /// No more runs than there are resources for. What was just killed may take a moment.
    fn judge(&self) -> Result<()> {
        let mut running = Vec::new();
        for _ in 0..40 {
            running = tasks(&self.work_dir)?;
            if running.len() <= TASKS_MAX {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(anyhow!("{} tasks run: {running:?}", running.len()))
    }

    /// Whatever ran has ended, and the agent knows of nothing any more.
    fn nothing_is_left(&self) -> Result<()> {
        let mut left = String::new();
        for _ in 0..400 {
            let kept = fs::read_dir(self.work_dir.join("meta/containers"))?;
            let kept = kept.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            let mut kept: Vec<String> = kept.collect::<Result<_>>()?;
            // What was given up keeps its end until the agent starts the next time.
            kept.retain(|name| name.ends_with(".json"));
            let running = tasks(&self.work_dir)?;
            if kept.is_empty() && running.is_empty() {
                return Ok(());
            }
            left = format!("{kept:?}, processes {running:?}");
            thread::sleep(Duration::from_millis(100));
        }
        Err(anyhow!("the agent still has {left}"))
    }
}

/// What heads each task and executor below a work directory: who has it in the environment, and whose parent has not.
fn tasks(work_dir: &Path) -> Result<Vec<u32>> {
    let sandbox = format!("MESOS_SANDBOX={}", work_dir.display());
    let is_below = |pid: u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut all = environment.split(|byte| *byte == 0);
        all.any(|one| one.starts_with(sandbox.as_bytes()))
    };
    let mut found = processes()?;
    found.retain(|pid| is_below(*pid) && process::parent(*pid).is_some_and(|parent| !is_below(parent)));
    found.sort_unstable();
    Ok(found)
}

/// Every process there is.
fn processes() -> Result<Vec<u32>> {
    let all = fs::read_dir("/proc")?
        .map(|entry| Ok(entry?.file_name().to_str().and_then(|name| name.parse().ok())));
    all.filter_map(Result::transpose).collect()
}

/// Whether it watches over a task, or makes those that do: it may have ended, and its task have been given to somebody else.
fn is_supervisor(pid: u32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == b"supervise")
}

/// It may have ended in the meantime.
fn kill(pid: u32) -> Result<()> {
    Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .stderr(std::process::Stdio::null())
        .status()?;
    Ok(())
}
