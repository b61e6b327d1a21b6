//! A full disk: writes are refused with the protocol's error, reads go on, and once space returns writes succeed again. What was
//! acknowledged is there, after a kill too.
//!
//! The original is not asked: it stops its transports when its commit log fails.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::cql::raw::{self, Reaction};
use compat_tests::cql::wire::opcode;
use compat_tests::disk::SmallDisk;
use compat_tests::{Broker, Subject};

const DISK_MEGABYTES: usize = 64;
const BALLAST_MEGABYTES: usize = 32;
const VALUE_BYTES: usize = 100_000;
/// Rows that are written before there is no room left.
const ROWS_BEFORE: usize = 50;
/// How often writing is tried once there is space again, 200 ms apart.
const TRIES_MAX: usize = 600;

fn ask(address: &str, text: &str) -> Result<(u8, Vec<u8>)> {
    match raw::ask(address, opcode::QUERY, &raw::query(text))? {
        Reaction::Answered(code, body) => Ok((code, body)),
        other => bail!("{}: {other:?}", text.get(..60).unwrap_or(text)),
    }
}

/// Whether a row was written; it was refused otherwise.
fn write(address: &str, number: usize) -> Result<bool> {
    let value = "x".repeat(VALUE_BYTES);
    let text = format!("INSERT INTO crowded.t (k, v) VALUES ({number}, '{value}')");
    match ask(address, &text)? {
        (opcode::RESULT, _) => Ok(true),
        (opcode::ERROR, _) => Ok(false),
        (code, _) => bail!("row {number}: opcode {code}"),
    }
}

/// Whether a row is there.
fn is_there(address: &str, number: usize) -> Result<bool> {
    let (code, body) = ask(address, &format!("SELECT v FROM crowded.t WHERE k = {number}"))?;
    ensure!(code == opcode::RESULT, "reading row {number}: opcode {code}");
    Ok(body.len() > VALUE_BYTES)
}

#[test]
fn a_full_disk_refuses_writes_and_recovers() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let Some(disk) = SmallDisk::mount(DISK_MEGABYTES)? else {
        println!("not tested: mounting a small file system is not permitted here");
        return Ok(());
    };
    fs::write(disk.ballast(), vec![1; BALLAST_MEGABYTES << 20])?;
    let mut server = Broker::start_cql_at(Subject::Smack, disk.folder())?;
    let address = server.address().to_owned();
    for text in [
        "CREATE KEYSPACE crowded WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE crowded.t (k int PRIMARY KEY, v text)",
    ] {
        ensure!(ask(&address, text)?.0 == opcode::RESULT, "{text}");
    }
    let mut acknowledged = Vec::new();
    let mut refused = Vec::new();
    for number in 0..2 * DISK_MEGABYTES * (1 << 20) / VALUE_BYTES {
        match write(&address, number)? {
            true => acknowledged.push(number),
            false => refused.push(number),
        }
        // What is flushed takes less room than its log took: left to itself the disk may never be full.
        if number == ROWS_BEFORE || refused.len() == 1 {
            disk.fill()?;
        }
        if refused.len() == 20 {
            break;
        }
    }
    ensure!(refused.len() == 20, "the disk was never full");
    println!("full after {} rows", acknowledged.len());
    let first = acknowledged.first().context("nothing was acknowledged")?;
    ensure!(
        is_there(&address, *first)?,
        "while full, the first row is not read"
    );
    raw::is_well(&address)?;
    fs::remove_file(disk.ballast())?;
    let mut tries = 0;
    while !write(&address, 100_000)? {
        tries += 1;
        ensure!(tries < TRIES_MAX, "with space again writes are still refused");
        std::thread::sleep(Duration::from_millis(200));
    }
    acknowledged.push(100_000);
    for when in ["with space again", "after a kill"] {
        for number in &acknowledged {
            ensure!(is_there(&address, *number)?, "{when}: row {number} is lost");
        }
        server.kill()?;
        server.restart()?;
    }
    Ok(())
}
