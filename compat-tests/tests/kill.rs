//! Kills the broker again and again under idempotent and transactional producers, and checks record by record.
//!
//! `SMACK_KILLS` says how often (10, or 200 in the nightly run).

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use compat_tests::{Broker, Program, Subject, broker, clients, facts};

#[test]
fn kills_lose_nothing_acknowledged() -> Result<()> {
    let kills: u32 = std::env::var("SMACK_KILLS")
        .ok()
        .map_or(Ok(10), |text| text.parse())?;
    let subject = Subject::from_env();
    if matches!(subject, Subject::Running(_)) {
        return Ok(()); // Not ours to kill.
    }
    let mut broker = Broker::start(subject, "transaction.state.log.replication.factor=1\n")?;
    let dir = tempfile::tempdir()?;
    let (ledger, stop) = (dir.path().join("ledger"), dir.path().join("stop"));
    let python = clients::install(&["python"])?.join("bin/python");
    let crash = |what: &str| {
        Program::new(&python)
            .args([broker::folder().join("scenarios/python/crash.py")])
            .args([what])
            .env("RUN", "crash")
            .env("LEDGER", &ledger)
            .env("STOP", &stop)
            .env("PYTHONDONTWRITEBYTECODE", "1")
    };
    let address = broker.address().to_owned();
    let producing = crash("produce")
        .env("KAFKA", &address)
        .seconds_max(600 + 20 * kills);
    let producers = std::thread::spawn(move || producing.run());
    let mut pauses = Pauses::new()?;
    for kill in 0..kills {
        std::thread::sleep(pauses.next());
        ensure!(
            broker.is_alive(),
            "the broker ended by itself before kill {kill}: {}",
            broker.log()
        );
        ensure!(!producers.is_finished(), "the producers ended before kill {kill}");
        broker.kill()?;
        broker
            .restart()
            .with_context(|| format!("after kill {kill} (seed {})", pauses.seed))?;
    }
    std::thread::sleep(Duration::from_secs(2));
    fs::write(&stop, "")?;
    producers
        .join()
        .map_err(|_| anyhow::anyhow!("the producers' thread panicked"))??;
    let check = |when: &str| -> Result<()> {
        let said = crash("verify").env("KAFKA", &address).run();
        let counts =
            facts::parse(&said.with_context(|| format!("{when}, {kills} kills, seed {}", pauses.seed))?)?;
        println!("{when}: {counts}");
        ensure!(
            counts["acknowledged"].as_u64() > Some(u64::from(kills)),
            "too little was acknowledged: {counts}"
        );
        ensure!(
            counts["committed"].as_u64() > Some(0),
            "nothing was committed: {counts}"
        );
        Ok(())
    };
    check("after the kills")?;
    broker.kill()?;
    broker.restart()?;
    check("after one more kill")
}

/// Random pauses between kills, from a seed that a failure names.
struct Pauses {
    seed: u64,
    state: u64,
}

impl Pauses {
    #[expect(
        clippy::disallowed_methods,
        reason = "a seed is wanted that differs from run to run"
    )]
    fn new() -> Result<Self> {
        let seed = match std::env::var("SMACK_SEED") {
            Ok(seed) => seed.parse()?,
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64,
        };
        Ok(Self {
            seed,
            state: seed | 1,
        })
    }

    fn next(&mut self) -> Duration {
        // xorshift64: good enough to fall into every phase of a transaction.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        Duration::from_millis(100 + self.state % 1500)
    }
}
