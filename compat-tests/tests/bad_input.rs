//! What no client should send, and what networks do. Every time the answer is the protocol's error or a closed connection,
//! memory stays bounded, and a well-behaved client beside it notices nothing.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use anyhow::{Result, bail, ensure};
use compat_tests::harm::{self, GROWTH_MEGABYTES_MAX, counted, resident, works};
use compat_tests::raw::{self, Reaction};
use compat_tests::{Broker, Program, Subject, program};

/// Files that this process opens beside the connections of a test.
const OWN_FILES: u64 = 200;

/// On the broker that these tests share.
fn unharmed<H>(bad: impl FnOnce(&str) -> Result<H>) -> Result<()> {
    harm::unharmed(Broker::shared()?, bad)
}

fn must_close(address: &str, bytes: &[u8], what: &str) -> Result<()> {
    match raw::exchange(address, bytes)? {
        Reaction::Closed => Ok(()),
        other => bail!("{what}: {other:?} and not a closed connection"),
    }
}

#[test]
fn lengths_that_lie() -> Result<()> {
    unharmed(|address| {
        must_close(address, &(-1_i32).to_be_bytes(), "a negative length")?;
        must_close(address, &i32::MIN.to_be_bytes(), "the most negative length")?;
        must_close(address, &i32::MAX.to_be_bytes(), "two gigabytes announced")?;
        must_close(address, &raw::framed(&[]), "an empty frame")?;
        must_close(address, &raw::framed(&[0, 18]), "a frame shorter than a header")?;
        must_close(
            address,
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "an HTTP request",
        )?;
        // A Produce whose arrays announce more than the frame holds.
        let mut body = vec![255, 255, 255, 255, 0, 0, 0, 1];
        body.extend(i32::MAX.to_be_bytes());
        must_close(
            address,
            &raw::request(0, 7, &body),
            "an array of two thousand million topics",
        )
    })
}

#[test]
fn truncated_and_cut_off() -> Result<()> {
    unharmed(|address| {
        let whole = raw::produce("cut-off", &raw::batch(0, 1, &raw::record(b"v"), true));
        for length in 0..whole.len() {
            // The frame says more than comes: the peer goes away in the middle.
            let mut stream = raw::connect(address)?;
            stream.write_all(&whole[..length])?;
            stream.shutdown(Shutdown::Both)?;
        }
        for length in 14..whole.len() - 4 {
            // The frame says what comes, but its body ends too early.
            let mut stream = raw::connect(address)?;
            let _ = stream.write_all(&raw::framed(&whole[4..4 + length]));
            ensure!(
                raw::reaction(&mut stream) != Reaction::Silent,
                "no reaction to a body of {length} bytes"
            );
        }
        Ok(())
    })
}

#[test]
fn unknown_calls() -> Result<()> {
    unharmed(|address| {
        for key in [-1, 999, i16::MAX] {
            must_close(address, &raw::request(key, 0, &[]), "an unknown call")?;
        }
        must_close(address, &raw::request(3, 99, &[]), "an unknown version")?;
        must_close(address, &raw::request(1, -1, &[]), "a negative version")?;
        // An unknown version of ApiVersions is answered in version 0, so that a newer client can fall back.
        let Reaction::Answered(frame) =
            raw::exchange(address, &raw::request(18, 99, &[0, 2, b'n', 2, b'1', 0]))?
        else {
            bail!("ApiVersions of an unknown version has no answer");
        };
        ensure!(
            frame.get(4..6) == Some(&35_i16.to_be_bytes()),
            "not UNSUPPORTED_VERSION: {frame:?}"
        );
        Ok(())
    })
}

#[test]
fn random_frames() -> Result<()> {
    unharmed(|address| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for round in 0..3000_u32 {
            let length = (random() % 300) as usize;
            let body: Vec<u8> = (0..length).map(|_| random() as u8).collect();
            let (key, version) = ((random() % 93) as i16, (random() % 14) as i16);
            // Calls that end a process or wait on purpose have no place here; none of these does either.
            let mut stream = raw::connect(address)?;
            let _ = stream.write_all(&raw::request(key, version, &body));
            if round % 50 == 0 {
                raw::is_well(address)?;
            }
        }
        Ok(())
    })
}

#[test]
fn corrupt_batches() -> Result<()> {
    let broker = Broker::shared()?;
    unharmed(|address| {
        let topic = format!("corrupt-{}", program::unique());
        Program::new("kcat")
            .args(["-q", "-b", address, "-P", "-p", "0", "-t", &topic])
            .input("first\n")
            .run()?;
        let good = raw::batch(0, 1, &raw::record(b"v"), true);
        let mut old_format = good.clone();
        old_format[16] = 1;
        let too_many = raw::batch(0, 1000, &raw::record(b"v"), true);
        // CORRUPT_MESSAGE is 2, INVALID_RECORD 87.
        for (batch, expected, what) in [
            (raw::batch(0, 1, &raw::record(b"v"), false), 2, "a wrong checksum"),
            (
                good[..good.len() - 1].to_vec(),
                87,
                "a batch without its last byte",
            ),
            (good[..30].to_vec(), 87, "half a header"),
            (too_many, 87, "more records announced than there are"),
            (raw::batch(0, 0, &[], true), 87, "a batch without records"),
            (old_format, 87, "an old format"),
        ] {
            let Reaction::Answered(frame) = raw::exchange(address, &raw::produce(&topic, &batch))? else {
                bail!("{what}: no answer");
            };
            let code = raw::produce_error(&frame, &topic)?;
            ensure!(code == expected, "{what}: code {code} and not {expected}");
        }
        // A payload that is not of its codec: the original notices when it unpacks it, and has no better word for it than
        // UNKNOWN_SERVER_ERROR. Snappy is left out: of a bare block, only its length can be doubted here.
        let expected = match *broker.subject() {
            Subject::Original => -1,
            _ => 2,
        };
        for codec in [1, 3, 4] {
            let batch = raw::batch(codec, 1, b"not compressed at all, by nobody", true);
            let Reaction::Answered(frame) = raw::exchange(address, &raw::produce(&topic, &batch))? else {
                bail!("no answer to codec {codec} that is none");
            };
            let code = raw::produce_error(&frame, &topic)?;
            ensure!(
                code == expected,
                "codec {codec} that is none: code {code} and not {expected}"
            );
        }
        let read = Program::new("kcat")
            .args([
                "-q",
                "-b",
                address,
                "-C",
                "-p",
                "0",
                "-o",
                "beginning",
                "-e",
                "-t",
                &topic,
            ])
            .run()?;
        ensure!(
            read == "first\n",
            "something of the corrupt batches was stored: {read:?}"
        );
        Ok(())
    })
}

/// Two records that both say that they are the first of their batch: a broker that need not open it takes their word.
#[test]
fn offsets_within_a_batch_are_the_producers() -> Result<()> {
    unharmed(|address| {
        let topic = format!("zeros-{}", program::unique());
        let kcat = |args: &str| {
            Program::new("kcat")
                .args(["-q", "-b", address, "-t", &topic, "-p", "0"])
                .args(args.split_whitespace())
        };
        kcat("-P").input("first\n").run()?;
        let records = [raw::record(b"one"), raw::record(b"two")].concat();
        let twice = raw::produce(&topic, &raw::batch(0, 2, &records, true));
        let Reaction::Answered(frame) = raw::exchange(address, &twice)? else {
            bail!("no answer");
        };
        ensure!(raw::produce_error(&frame, &topic)? == 0, "the batch was refused");
        kcat("-P").input("last\n").run()?;
        let read = kcat("-C -o beginning -e -f %o:%s\\n").run()?;
        ensure!(read == "0:first\n1:one\n1:two\n3:last\n", "read {read:?}");
        Ok(())
    })
}

/// Every third connection says nothing, every third has asked something and is silent now, every third stopped in the
/// middle of a request. While all of them are open, another client works as ever, and memory stays bounded.
#[test]
fn idle_connections() -> Result<()> {
    let broker = Broker::shared()?;
    let smack = *broker.subject() == Subject::Smack;
    let wanted: u64 = if smack { 10_000 } else { 500 };
    let room = raise_open_files()?.saturating_sub(OWN_FILES);
    if room < wanted {
        println!("only {room} connections and not {wanted}: this process may not open more files");
    }
    unharmed(|address| {
        let before = resident(broker);
        let mut idle = Vec::new();
        for number in 0..wanted.min(room) {
            let mut stream = TcpStream::connect(address)?;
            let request = raw::request(18, 0, &[]);
            match number % 3 {
                0 => {}
                1 => stream.write_all(&request)?,
                _ => stream.write_all(&request[..request.len() / 2])?,
            }
            idle.push(stream);
            if number % 1000 == 0 {
                raw::is_well(address)?;
            }
        }
        if let Some(open) = counted(broker, "smack_kafka_connections")? {
            ensure!(open >= idle.len() as u64, "only {open} connections are open");
        }
        works(address)?;
        if let (Some(before), Some(now), true) = (before, resident(broker), smack) {
            let grown = now.saturating_sub(before);
            ensure!(
                grown < GROWTH_MEGABYTES_MAX,
                "{} connections took {grown} MB",
                idle.len()
            );
        }
        Ok(())
    })
}

/// Lets this process open as many files as it may; answers how many that is.
fn raise_open_files() -> Result<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let hard = line.and_then(|line| line.split_whitespace().nth(4));
    let hard = hard.unwrap_or_default().to_owned();
    let _ = std::process::Command::new("prlimit")
        .args([
            format!("--pid={}", std::process::id()),
            format!("--nofile={hard}"),
        ])
        .status();
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line
        .and_then(|line| line.split_whitespace().nth(3))
        .unwrap_or_default();
    Ok(soft.parse().unwrap_or(u64::MAX))
}
