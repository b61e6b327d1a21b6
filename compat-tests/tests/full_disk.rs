//! A full disk: writes are refused with KAFKA_STORAGE_ERROR, reads go on, clients that try again succeed once space returns, and
//! what was acknowledged is there, what was refused is not, after a kill too.
//!
//! The original is not asked: it halts when its only log folder fails.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::disk::SmallDisk;
use compat_tests::raw::{self, Reaction};
use compat_tests::{Broker, Program, Subject};

const DISK_MEGABYTES: usize = 48;
const BALLAST_MEGABYTES: usize = 20;
const KAFKA_STORAGE_ERROR: i16 = 56;
const VALUE_BYTES: usize = 100_000;
const TOPIC: &str = "full";

/// The error of writing record `number`.
fn write(address: &str, number: usize) -> Result<i16> {
    let value = format!("{number:08}{}", "x".repeat(VALUE_BYTES - 8));
    let batch = raw::batch(0, 1, &raw::record(value.as_bytes()), true);
    match raw::exchange(address, &raw::produce(TOPIC, &batch))? {
        Reaction::Answered(frame) => raw::produce_error(&frame, TOPIC),
        other => bail!("record {number}: {other:?}"),
    }
}

/// The numbers of all records of a partition, as a stock client reads them.
fn numbers(address: &str, partition: &str) -> Result<Vec<usize>> {
    let read = Program::new("kcat")
        .args(["-q", "-b", address, "-C", "-t", TOPIC, "-p", partition])
        .args(["-o", "beginning", "-e"])
        .run()?;
    read.lines()
        .map(|line| {
            let number = line.get(..8).context("a record that is too short")?;
            Ok(number.parse()?)
        })
        .collect()
}

/// A stock producer of fifty records that keeps trying.
fn patient(address: &str, partition: &str, idempotent: bool) -> Program {
    let lines: String = (0..50)
        .map(|i| format!("{i:08}{}\n", "y".repeat(10_000)))
        .collect();
    Program::new("kcat")
        .args(["-q", "-b", address, "-P", "-t", TOPIC, "-p", partition])
        .args(["-X", &format!("enable.idempotence={idempotent}")])
        .args(["-X", "retries=1000000", "-X", "message.timeout.ms=90000"])
        .input(lines)
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
    let mut broker = Broker::start_at(Subject::Smack, "", disk.folder())?;
    let address = broker.address().to_owned();
    patient(&address, "1", true).run()?;
    let mut acknowledged = Vec::new();
    for number in 0..DISK_MEGABYTES * (1 << 20) / VALUE_BYTES {
        match write(&address, number)? {
            0 => acknowledged.push(number),
            KAFKA_STORAGE_ERROR => break,
            code => bail!("record {number}: error {code}"),
        }
    }
    // What is left, less than one record, goes too.
    disk.fill()?;
    println!("full after {} records", acknowledged.len());
    for number in 100_000..100_020 {
        let code = write(&address, number)?;
        ensure!(code == KAFKA_STORAGE_ERROR, "record {number}: error {code}");
    }
    ensure!(
        numbers(&address, "0")? == acknowledged,
        "while full, other records are read"
    );
    let waiting = [("1", true), ("2", false)].map(|(partition, idempotent)| {
        let producer = patient(&address, partition, idempotent);
        std::thread::spawn(move || producer.run())
    });
    std::thread::sleep(Duration::from_secs(4));
    ensure!(
        waiting.iter().all(|producer| !producer.is_finished()),
        "a producer ended while the disk was full"
    );
    raw::is_well(&address)?;
    fs::remove_file(disk.ballast())?;
    for producer in waiting {
        let ended = producer.join();
        ended.map_err(|_| anyhow::anyhow!("a producer's thread panicked"))??;
    }
    let code = write(&address, 200_000)?;
    ensure!(code == 0, "with space again: error {code}");
    acknowledged.push(200_000);
    // A new topic and a group's offsets go to the other store, which recovers by itself.
    group(&address, "after")?;
    for when in ["with space again", "after a kill"] {
        let read = numbers(&address, "0")?;
        ensure!(read == acknowledged, "{when}: {} records", read.len());
        let fifty: Vec<usize> = (0..50).collect();
        let twice = [fifty.clone(), fifty.clone()].concat();
        ensure!(
            numbers(&address, "1")? == twice,
            "{when}: not the idempotent records"
        );
        ensure!(numbers(&address, "2")? == fifty, "{when}: not the plain records");
        broker.kill()?;
        broker.restart()?;
    }
    Ok(())
}

/// Writes and reads a topic of its own within a group.
fn group(address: &str, topic: &str) -> Result<()> {
    let kcat = |args: &str| {
        Program::new("kcat")
            .args(["-q", "-b", address])
            .args(args.split_whitespace())
    };
    kcat(&format!("-P -t {topic} -p 0")).input("a\n").run()?;
    let read = kcat(&format!("-G {topic} -X auto.offset.reset=earliest -e {topic}")).run()?;
    ensure!(read == "a\n", "the group read {read:?}");
    Ok(())
}
