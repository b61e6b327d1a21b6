//! Whether bad behaviour of some harms others.

use std::io::{Read, Write};

use anyhow::{Context, Result, ensure};

use crate::{Broker, Program, Subject, process, program, raw};

/// Memory may grow by this much through bad behaviour.
pub const GROWTH_MEGABYTES_MAX: u64 = 200;

/// Runs bad behaviour, and checks, while what it answers is held, that the broker is as before.
pub fn unharmed<H>(broker: &Broker, bad: impl FnOnce(&str) -> Result<H>) -> Result<()> {
    within(broker, GROWTH_MEGABYTES_MAX, bad)
}

/// [`unharmed`], where memory may grow by so much.
pub fn within<H>(broker: &Broker, megabytes_max: u64, bad: impl FnOnce(&str) -> Result<H>) -> Result<()> {
    let before = resident(broker);
    let held = bad(broker.address())?;
    works(broker.address())?;
    if let (Some(before), Some(after)) = (before, resident(broker)) {
        // The original's heap grows as it likes; what is measured is ours.
        let grown = after.saturating_sub(before);
        ensure!(
            *broker.subject() == Subject::Original || grown < megabytes_max,
            "memory grew by {grown} MB to {after} MB"
        );
    }
    drop(held);
    works(broker.address())
}

/// A client that behaves writes, and reads what it wrote.
pub fn works(address: &str) -> Result<()> {
    raw::is_well(address)?;
    let topic = format!("well-{}", program::unique());
    let kcat = |args: &str| {
        Program::new("kcat")
            .args(["-q", "-b", address])
            .args(args.split_whitespace())
    };
    kcat(&format!("-P -t {topic} -p 0")).input("still here\n").run()?;
    ensure!(
        kcat(&format!("-C -t {topic} -p 0 -o beginning -e")).run()? == "still here\n",
        "another client reads otherwise"
    );
    Ok(())
}

/// Megabytes of memory that a broker takes, where it is ours to look at.
pub fn resident(broker: &Broker) -> Option<u64> {
    let kilobytes = process::kilobytes(broker.pid()?, process::RESIDENT)?;
    Some(u64::from(kilobytes) / 1024)
}

/// What smack counts under a name; nothing where the broker is not smack.
pub fn counted(broker: &Broker, name: &str) -> Result<Option<u64>> {
    let Some(admin) = broker.admin() else {
        return Ok(None);
    };
    let mut stream = raw::connect(&admin)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: smack\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let number = line.with_context(|| format!("no metric {name}"))?;
    Ok(Some(number.trim().parse()?))
}
