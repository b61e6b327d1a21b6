//! Kills the broker again and again under idempotent and transactional producers, and checks record by record.
//!
//! `SMACK_KILLS` says how often (10 and 3 times, or 200 in the nightly run).

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use compat_tests::{Broker, Program, Subject, broker, clients, dice::Dice, facts};
use serde_json::Value;
use tempfile::TempDir;

/// A start takes no longer, however much there is; a busy machine is allowed for.
const START_MAX: Duration = Duration::from_secs(5);

#[test]
fn kills_lose_nothing_acknowledged() -> Result<()> {
    let Some(mut run) = Run::new(10)? else {
        return Ok(());
    };
    let producing = run.python("produce")?;
    run.kill_under(producing)?;
    let verify = |run: &Run, when: &str| -> Result<()> {
        let counts = run.verify(when)?;
        println!("{when}: {counts}");
        ensure!(
            counts["acknowledged"].as_u64() > Some(u64::from(run.kills)),
            "too little was acknowledged: {counts}"
        );
        Ok(())
    };
    verify(&run, "after the kills")?;
    run.broker.kill()?;
    run.broker.restart()?;
    verify(&run, "after one more kill")
}

/// Transactions of version 2, by the newest Java client, which reads what it wrote while it is killed, too.
#[test]
fn kills_under_java_transactions() -> Result<()> {
    let Some(mut run) = Run::new(3)? else {
        return Ok(());
    };
    let java = clients::install(&["java", "4.4.0"])?;
    let client = Program::new("java")
        .args(["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp"])
        .args([format!("{0}/classes:{0}/lib/*", java.display())])
        .args(["Crash"]);
    let client = run.with_files(client);
    let counts = facts::parse(&run.kill_under(client)?)?;
    println!("by the client itself: {counts}");
    run.broker.kill()?;
    run.broker.restart()?;
    run.verify("by another client, after one more kill").map(|_| ())
}

/// 10 GB in 10,000 partitions: the start after a kill is as quick as any, and all that was acknowledged is there.
#[test]
#[ignore = "takes minutes and 10 GB of disk: nightly"]
#[expect(clippy::disallowed_methods, reason = "the start is timed")]
fn kill_with_much_to_recover() -> Result<()> {
    let Some(mut run) = Run::new(1)? else {
        return Ok(());
    };
    let wanted = |key: &str, default: u64| std::env::var(key).map_or(Ok(default), |text| text.parse());
    let bytes = wanted("SMACK_FILL_BYTES", 10 << 30)?;
    let partitions = wanted("SMACK_FILL_PARTITIONS", 10_000)?;
    let filler = |run: &Run, what: &str| -> Result<Value> {
        let program = run.python(what)?;
        let program = program
            .env("FILL_BYTES", bytes.to_string())
            .env("FILL_PARTITIONS", partitions.to_string())
            .seconds_max(3600);
        facts::parse(&program.run()?)
    };
    println!("{}", filler(&run, "fill")?);
    run.broker.kill()?;
    let start = Instant::now();
    run.broker.restart()?;
    let took = start.elapsed();
    println!("{partitions} partitions with {bytes} bytes: started in {took:?}");
    println!("{}", filler(&run, "filled")?);
    ensure!(
        *run.broker.subject() == Subject::Original || took < START_MAX,
        "the start took {took:?}"
    );
    Ok(())
}

/// A broker that is killed again and again, and what clients write down meanwhile.
struct Run {
    broker: Broker,
    kills: u32,
    dice: Dice,
    dir: TempDir,
}

impl Run {
    /// As many kills as the environment wants, or `kills`. `None`: the broker is not ours to kill.
    fn new(kills: u32) -> Result<Option<Self>> {
        let kills = std::env::var("SMACK_KILLS").map_or(Ok(kills), |text| text.parse())?;
        let subject = Subject::from_env();
        if matches!(subject, Subject::Running(_)) {
            return Ok(None);
        }
        Ok(Some(Run {
            broker: Broker::start(subject, "transaction.state.log.replication.factor=1\n")?,
            kills,
            dice: Dice::new()?,
            dir: tempfile::tempdir()?,
        }))
    }

    /// One of the things `crash.py` does.
    fn python(&self, what: &str) -> Result<Program> {
        let python = clients::install(&["python"])?.join("bin/python");
        let program = Program::new(python)
            .args([broker::folder().join("scenarios/python/crash.py")])
            .args([what])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(self.with_files(program))
    }

    fn with_files(&self, program: Program) -> Program {
        program
            .env("RUN", "crash")
            .env("KAFKA", self.broker.address())
            .env("LEDGER", self.dir.path().join("ledger"))
            .env("STOP", self.dir.path().join("stop"))
    }

    /// Kills the broker while `client` works, and tells it to stop then; answers what it said.
    fn kill_under(&mut self, client: Program) -> Result<String> {
        let client = client.seconds_max(600 + 20 * self.kills);
        let client = std::thread::spawn(move || client.run());
        let begun = self.dir.path().join("ledger");
        while !client.is_finished() && fs::metadata(&begun).map_or(0, |file| file.len()) == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        for kill in 0..self.kills {
            std::thread::sleep(Duration::from_millis(100 + self.dice.below(1500)));
            let at = || format!("kill {kill} (seed {})", self.dice.seed);
            let log = self.broker.log();
            ensure!(
                self.broker.is_alive(),
                "the broker ended by itself before {}: {log}",
                at()
            );
            if client.is_finished() {
                break;
            }
            self.broker.kill()?;
            self.broker.restart().with_context(at)?;
        }
        std::thread::sleep(Duration::from_secs(2));
        ensure!(
            !client.is_finished(),
            "the client ended early: {:?}",
            client.join()
        );
        fs::write(self.dir.path().join("stop"), "")?;
        let said = client.join();
        let said = said.map_err(|_| anyhow::anyhow!("the client's thread panicked"))?;
        said.with_context(|| format!("{} kills, seed {}", self.kills, self.dice.seed))
    }

    /// Reads all of it back and counts.
    fn verify(&self, when: &str) -> Result<Value> {
        let said = self.python("verify")?.run();
        let said = said.with_context(|| format!("{when}, {} kills, seed {}", self.kills, self.dice.seed))?;
        let counts = facts::parse(&said)?;
        ensure!(
            counts["committed"].as_u64() > Some(0),
            "nothing was committed: {counts}"
        );
        Ok(counts)
    }
}
