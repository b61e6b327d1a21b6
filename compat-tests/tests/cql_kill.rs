//! Kills the CQL server again and again under writers, and checks row by row.
//!
//! `SMACK_KILLS` says how often (10, or 200 in the nightly run).

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::cql::gaps;
use compat_tests::cql::raw;
use compat_tests::cql::wire::{Bound, Connection, Options, Outcome, frame, opcode};
use compat_tests::{Broker, Program, Subject, broker, clients, dice::Dice, facts};

/// Rows that are acknowledged before the server is killed among those that follow.
const SENT_AT_LEAST: usize = 5_000;

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
    let mut dice = Dice::new()?;
    for kill in 0..kills {
        std::thread::sleep(Duration::from_millis(300 + dice.below(1500)));
        ensure!(
            server.is_alive(),
            "the server ended by itself before kill {kill}: {}",
            server.log()
        );
        ensure!(!writers.is_finished(), "the writers ended before kill {kill}");
        server.kill()?;
        server
            .restart()
            .with_context(|| format!("after kill {kill} (seed {})", dice.seed))?;
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
            "settled",
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

/// What a client sends at once is stored at once; whatever of it was acknowledged is there, however many were under way.
#[test]
fn what_was_sent_at_once_is_there_as_far_as_it_was_acknowledged() -> Result<()> {
    let subject = Subject::from_env();
    if matches!(subject, Subject::Running(_)) {
        return Ok(()); // Not ours to kill.
    }
    let mut server = Broker::start_cql(subject)?;
    let mut client = Connection::open(server.address(), None)?;
    for text in [
        "CREATE KEYSPACE once WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE once.t (k int PRIMARY KEY)",
    ] {
        client.query(text, &Options::default())?;
    }
    let acknowledged = until_killed(&mut server)?;
    ensure!(acknowledged.len() >= SENT_AT_LEAST, "{}", acknowledged.len());
    server.restart()?;
    let mut client = Connection::open(server.address(), None)?;
    let Outcome::Rows(found) = client.query("SELECT k FROM once.t", &Options::default())?.result else {
        bail!("no rows");
    };
    let found: BTreeSet<_> = found.rows.into_iter().flatten().flatten().collect();
    for key in acknowledged {
        let is_there = found.contains(&u32::from(key).to_be_bytes()[..]);
        ensure!(is_there, "row {key} was acknowledged and is not there");
    }
    Ok(())
}

/// Sends rows without waiting for answers, and kills the server in the middle of it. The keys that were acknowledged.
fn until_killed(server: &mut Broker) -> Result<Vec<u16>> {
    let mut stream = raw::started(server.address(), 4)?;
    let mut sending = stream.try_clone()?;
    let writer = std::thread::spawn(move || {
        for key in 0..i16::MAX as u16 {
            let text = format!("INSERT INTO once.t (k) VALUES ({key})");
            let mut request = frame(4, 0, opcode::QUERY, &raw::query(&text));
            request[2..4].copy_from_slice(&key.to_be_bytes());
            if sending.write_all(&request).is_err() {
                return;
            }
        }
    });
    let mut acknowledged = Vec::new();
    let mut head = [0; 9];
    while stream.read_exact(&mut head).is_ok() {
        let key = u16::from_be_bytes([head[2], head[3]]);
        ensure!(head[4] == opcode::RESULT, "row {key}: opcode {}", head[4]);
        let length = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        std::io::copy(&mut (&mut stream).take(u64::from(length)), &mut std::io::sink())?;
        acknowledged.push(key);
        if acknowledged.len() == SENT_AT_LEAST {
            server.kill()?;
        }
    }
    let writer = writer.join();
    writer.map_err(|_| anyhow::anyhow!("the writer panicked"))?;
    Ok(acknowledged)
}
