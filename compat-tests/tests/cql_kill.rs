//! Kills the CQL server again and again under writers, and checks row by row.
//!
//! `SMACK_KILLS` says how often (10, or 200 in the nightly run).

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use compat_tests::cql::gaps;
use compat_tests::cql::wire::{Bound, Connection, Options, Outcome};
use compat_tests::{Broker, Program, Subject, broker, clients, facts};

#[test]
fn kills_lose_nothing_acknowledged() -> Result<()> {
    gaps::judge("kill", "all", kill_and_check)
}

fn kill_and_check() -> Result<()> {
    let kills: u32 = std::env::var("SMACK_KILLS")
        .ok()
        .map_or(Ok(10), |text| text.parse())?;
    let subject = Subject::from_env();
    if matches!(subject, Subject::Running(_)) {
        return Ok(()); // Not ours to kill.
    }
    let mut server = Broker::start_cql(subject)?;
    let dir = tempfile::tempdir()?;
    let file = |name: &str| dir.path().join(name);
    let (ledger, ready, stop) = (file("ledger"), file("ready"), file("stop"));
    let python = clients::install(&["cql-python"])?.join("bin/python");
    let address = server.address().to_owned();
    let crash = |what: &str| {
        Program::new(&python)
            .args([broker::folder().join("scenarios/cql/python/crash.py")])
            .args([what])
            .env("CQL", &address)
            .env("RUN", "crash")
            .env("LEDGER", &ledger)
            .env("READY", &ready)
            .env("STOP", &stop)
            .env("PYTHONDONTWRITEBYTECODE", "1")
    };
    let writing = crash("write").seconds_max(600 + 30 * kills);
    let writers = std::thread::spawn(move || writing.run());
    while !ready.exists() {
        ensure!(!writers.is_finished(), "the writers did not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut pause = seed()?;
    for kill in 0..kills {
        // xorshift64: good enough to fall into every phase of a write.
        pause ^= pause << 13;
        pause ^= pause >> 7;
        pause ^= pause << 17;
        std::thread::sleep(Duration::from_millis(300 + pause % 1500));
        ensure!(
            server.is_alive(),
            "the server ended by itself before kill {kill}: {}",
            server.log()
        );
        ensure!(!writers.is_finished(), "the writers ended before kill {kill}");
        server.kill()?;
        server.restart().with_context(|| format!("after kill {kill}"))?;
    }
    std::thread::sleep(Duration::from_secs(2));
    fs::write(&stop, "")?;
    writers
        .join()
        .map_err(|_| anyhow::anyhow!("the writers' thread panicked"))??;
    let check = |when: &str| -> Result<()> {
        let counts = facts::parse(&crash("verify").run().context(when.to_owned())?)?;
        for kind in [
            "plain",
            "conditional",
            "contended",
            "batches",
            "counters",
            "moves",
        ] {
            ensure!(
                counts[kind].as_u64() > Some(u64::from(kills)),
                "too little of {kind} was acknowledged: {counts}"
            );
        }
        Ok(())
    };
    check("after the kills")?;
    server.kill()?;
    server.restart()?;
    check("after one more kill")
}

/// Clients go on with what they prepared as if nothing had been.
#[test]
fn what_was_prepared_is_there_again() -> Result<()> {
    let subject = Subject::from_env();
    if matches!(subject, Subject::Running(_)) {
        return Ok(()); // Not ours to kill.
    }
    let mut server = Broker::start_cql(subject)?;
    let mut client = Connection::open(server.address(), None)?;
    let one = vec![0, 0, 0, 1];
    for text in [
        "CREATE KEYSPACE again WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE again.t (k int PRIMARY KEY, v int)",
        "CREATE TABLE again.gone (k int PRIMARY KEY)",
        "INSERT INTO again.t (k, v) VALUES (1, 1)",
        "USE again",
    ] {
        client.query(text, &Options::default())?;
    }
    let mut prepared = |text: &str| match client.prepare(text)?.result {
        Outcome::Prepared(prepared) => Ok(prepared.id),
        other => Err(anyhow::anyhow!("{text}: {other:?}")),
    };
    let ids = [
        prepared("SELECT v FROM again.t WHERE k = ?")?,
        prepared("SELECT v FROM t WHERE k = ?")?,
        prepared("SELECT k FROM gone WHERE k = ?")?,
    ];
    client.query("DROP TABLE gone", &Options::default())?;
    server.kill()?;
    server.restart()?;
    let mut client = Connection::open(server.address(), None)?;
    let options = Options {
        values: vec![Bound::Value(one.clone())],
        ..Options::default()
    };
    let [whole, within, gone] = ids.map(|id| client.execute(&id, &options));
    for answer in [whole?, within?] {
        ensure!(
            matches!(&answer.result, Outcome::Rows(rows) if rows.rows == [[Some(one.clone())]]),
            "{:?}",
            answer.result
        );
    }
    let gone = gone?.result;
    ensure!(matches!(gone, Outcome::Error(0x2500, ..)), "{gone:?}");
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a seed is wanted that differs from run to run"
)]
fn seed() -> Result<u64> {
    Ok(match std::env::var("SMACK_SEED") {
        Ok(seed) => seed.parse()?,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64 | 1,
    })
}
