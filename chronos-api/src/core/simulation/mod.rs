//! A cluster that fails in every way, on a clock that stands still until it is told to move: the scheduler dies between any
//! two of its effects, the master forgets, streams break, messages are late, tasks fail, agents never come back.
//!
//! Rooms: `cluster` (a master and its agents, as they treat a framework). Knows: a seed, by which a run repeats itself.
//! Never: what a schedule means; it counts what really ran.

mod cluster;

use super::{
    job::{Job, Trigger},
    machine::{Change, Command, Core, Input, Kept, Policy, Run, Step},
};
use cluster::Cluster;
use server_kit::Random;
use std::collections::BTreeMap;

const START_MS: i64 = 1_700_000_000_000;
/// How many times a job of the simulation is due.
const TIMES: u64 = 6;
const SECOND_MS: i64 = 1000;

/// What is stored: it outlives the scheduler.
#[derive(Default)]
struct Stored {
    framework: Option<String>,
    jobs: BTreeMap<String, Kept>,
    runs: BTreeMap<String, Run>,
}

impl Stored {
    fn take(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Job(kept) => drop(self.jobs.insert(kept.job.name.clone(), *kept)),
                Change::NoJob(name) => drop(self.jobs.remove(&name)),
                Change::Run(run) => drop(self.runs.insert(run.task.clone(), run)),
                Change::NoRun(task) => drop(self.runs.remove(&task)),
                Change::Framework(id) => self.framework = id,
            }
        }
    }

    fn core(&self, now: i64) -> Core {
        let policy = Policy {
            failure_retry_ms: 2 * SECOND_MS,
            disable_after_failures: 0,
            jobs_max: 100,
        };
        // What is not stored of a run is not known any more.
        let runs = self.runs.values().map(|run| {
            let bytes = serde_json::to_vec(run).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        });
        let jobs = self.jobs.values().cloned().collect();
        Core::new(now, policy, self.framework.clone(), jobs, runs.collect())
    }
}

struct World {
    dice: Random,
    now: i64,
    stored: Stored,
    core: Core,
    cluster: Cluster,
    /// Whether the scheduler hears the master.
    connected: bool,
    crashes: u32,
}

fn job(name: &str, trigger: Trigger) -> Job {
    let json = serde_json::json!({ "name": name, "command": "true", "epsilon": "P1D", "retries": 1_000_000 });
    let defaults = crate::wire::Defaults {
        epsilon: "PT60S".to_owned(),
        cpus: 1.0,
        mem: 1.0,
        disk: 1.0,
        user: String::new(),
    };
    let job = crate::wire::parse(json.to_string().as_bytes(), &defaults).unwrap();
    Job { trigger, ..job }
}

impl World {
    fn new(seed: u64) -> Self {
        let stored = Stored::default();
        World {
            dice: Random::from_seed(seed),
            now: START_MS,
            core: stored.core(START_MS),
            stored,
            cluster: Cluster::default(),
            connected: false,
            crashes: 0,
        }
    }

    fn may_die(&self) -> bool {
        self.crashes > 0 && self.dice.below(40) == 0
    }

    /// Decides, stores, and does what follows; the process may die at any point in between.
    fn step(&mut self, input: Input) {
        let Step { changes, effects, .. } = self.core.step(self.now, input);
        if self.may_die() {
            return self.crash();
        }
        self.stored.take(changes);
        for effect in effects {
            if self.may_die() {
                return self.crash();
            }
            self.cluster.calls.push_back((self.cluster.stream, effect));
        }
    }

    fn put(&mut self, job: Job) {
        self.step(Input::Command(Box::new(Command::Put(Box::new(job)))));
    }

    /// The scheduler's process dies and comes back. Calls that left it may yet arrive.
    fn crash(&mut self) {
        self.crashes = self.crashes.saturating_sub(1);
        self.core = self.stored.core(self.now);
        self.connected = false;
        self.cluster.events.clear();
    }

    /// The stream breaks. The scheduler lives, and hears that it did.
    fn cut(&mut self) {
        if self.connected {
            self.connected = false;
            self.cluster.events.clear();
            self.step(Input::Disconnected);
        }
    }

    fn subscribe(&mut self) {
        if !self.connected {
            self.cluster.subscribe();
            self.connected = true;
            let framework = "framework".to_owned();
            self.step(Input::Subscribed { framework });
        }
    }

    /// One thing happens, whichever.
    fn happen(&mut self, calm: bool) {
        match self.dice.below(if calm { 90 } else { 100 }) {
            0..15 => {
                self.now += i64::try_from(self.dice.below(400)).unwrap();
                self.step(Input::Tick);
            }
            15..35 => self.cluster.deliver_call(),
            35..55 => {
                if let Some(input) = self.cluster.events.pop_front()
                    && self.connected
                {
                    self.step(input);
                }
            }
            55..65 => self.cluster.deliver_to_agent(),
            65..75 => self.cluster.progress(&self.dice, calm),
            75..80 => self.cluster.resend(&self.dice),
            80..85 if self.connected => self.cluster.offer(),
            85..90 => {
                self.subscribe();
                self.cluster.join();
            }
            90..92 => self.crash(),
            92..94 => self.cut(),
            94..96 => {
                self.cluster.master_dies();
                self.cut();
            }
            96..98 => self.cluster.agent_away(),
            98 if self.dice.below(4) == 0 => self.cluster.agent_gone(),
            _ => {}
        }
        self.cluster.judge();
    }
}

fn scheduled(period_s: i64) -> Trigger {
    let start = super::schedule::time_text(START_MS);
    Trigger::Schedule {
        schedule: format!("R{TIMES}/{start}/PT{period_s}S"),
        zone: String::new(),
    }
}

fn run(seed: u64, with_lost_agents: bool) {
    let mut world = World::new(seed);
    world.cluster.may_lose_agents = with_lost_agents;
    world.put(job("first", scheduled(1)));
    world.put(job("second", scheduled(3)));
    world.put(Job {
        concurrent: true,
        ..job("often", scheduled(1))
    });
    world.put(job("child", Trigger::Parents(["second".to_owned()].into())));
    world.crashes = 30;
    for _ in 0..1500 {
        world.happen(false);
    }
    // From here on nothing fails, and all has to come to its end.
    world.crashes = 0;
    for _ in 0..40_000 {
        world.happen(true);
        if world.stored.runs.is_empty() && world.now > START_MS + 120 * SECOND_MS {
            break;
        }
    }
    let open: Vec<&Run> = world.stored.runs.values().collect();
    assert!(
        open.is_empty(),
        "seed {seed}: these never came to their end: {open:?}"
    );
    for (name, period) in [("first", 1), ("second", 3), ("often", 1)] {
        for at in 0..i64::try_from(TIMES).unwrap() {
            let due = START_MS + at * period * SECOND_MS;
            let well = world.cluster.ended_well(name, due);
            // An agent that never comes back tells nobody that a task had ended well.
            let fine = if with_lost_agents { well >= 1 } else { well == 1 };
            assert!(fine, "seed {seed}: {name} at {due} ended well {well} times");
        }
        let kept = &world.stored.jobs[name];
        assert_eq!(kept.job.success_count, TIMES, "seed {seed}: {name}");
        assert!(kept.job.disabled, "seed {seed}: {name} has no times left");
    }
    // Each success of its parent was stored with the run that follows from it.
    let children = world.stored.jobs["child"].job.success_count;
    assert_eq!(
        children, TIMES,
        "seed {seed}: a parent's success was forgotten or counted twice"
    );
}

#[test]
fn nothing_is_missed_and_nothing_runs_twice() {
    for seed in 0..150 {
        run(seed, false);
    }
}

#[test]
fn what_agents_took_with_them_is_run_again() {
    for seed in 1000..1100 {
        run(seed, true);
    }
}
