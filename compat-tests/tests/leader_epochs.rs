//! Each start of a broker is a new leader: what stock clients that lived through it see, and what epochs are answered.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::raw::{self, Reaction};
use compat_tests::{Broker, Program, Subject, broker, clients, facts, program};
use serde_json::{Value, json};

const TOPIC: &str = "led";
/// How long a client may take over one of its turns.
const TURN_SECONDS_MAX: u64 = 90;

#[test]
fn clients_live_through_restarts() -> Result<()> {
    let Some(mut broker) = own_broker()? else {
        return Ok(());
    };
    let turns = tempfile::tempdir()?;
    let python = clients::install(&["python"])?.join("bin/python");
    let client = Program::new(python)
        .args([broker::folder().join("scenarios/python/epochs.py")])
        .args(["restarts"])
        .env("KAFKA", broker.address())
        .env("RUN", program::unique())
        .env("TURNS", turns.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .seconds_max(400);
    let client = std::thread::spawn(move || client.run());
    for turn in 0..2 {
        let ready = turns.path().join(format!("ready-{turn}"));
        if wait_for(&ready, || client.is_finished()) {
            start_again(&mut broker, turn)?;
            fs::write(turns.path().join(format!("go-{turn}")), "")?;
        }
    }
    let said = client
        .join()
        .map_err(|_| anyhow::anyhow!("the client's thread panicked"))?;
    let said = said.with_context(|| format!("the broker said: {}", broker.log()))?;
    facts::compare("epochs", "restarts", &facts::parse(&said)?)
}

#[test]
fn epochs_that_requests_carry() -> Result<()> {
    let Some(mut broker) = own_broker()? else {
        return Ok(());
    };
    let records = raw::batch(0, 1, &raw::record(b"a"), true);
    let address = broker.address().to_owned();
    let mut epochs = Vec::new();
    for turn in 0..3 {
        led(&address)?;
        // The last leader has not written yet.
        for _ in 0..[2, 2, 0][turn] {
            let frame = answer(&address, &raw::produce(TOPIC, &records))?;
            let error = raw::produce_error(&frame, TOPIC)?;
            ensure!(error == 0, "error {error} of a Produce request");
        }
        let (error, latest, epoch) = list(&address, -1, -1)?;
        ensure!(
            (error, latest) == (0, [2, 4, 4][turn]),
            "error {error}, the log ends at {latest}"
        );
        epochs.push(epoch);
        if turn < 2 {
            start_again(&mut broker, turn)?;
        }
    }
    let [first, second, third] = epochs[..] else {
        bail!("{epochs:?}")
    };
    ensure!(first < second && second < third, "epochs do not grow: {epochs:?}");
    let known = |epoch: i32| epochs.iter().position(|one| *one == epoch);
    let shown = |(error, offset, epoch): (i16, i64, i32)| json!([error, offset, known(epoch)]);
    let mut told = serde_json::Map::new();
    let mut tell = |what: String, value: Value| told.insert(what, value);
    let named = [("none", -1), ("old", second), ("now", third), ("next", third + 1)];
    for (name, current) in named {
        tell(
            format!("list, current {name}"),
            shown(list(&address, current, -2)?),
        );
        for (of, asked) in [
            ("none", -1),
            ("first", first),
            ("second", second),
            ("third", third),
            ("next", third + 1),
        ] {
            tell(
                format!("end of {of}, current {name}"),
                shown(end_of(&address, current, asked)?),
            );
        }
        tell(
            format!("fetch, current {name}"),
            fetch(&address, current, 0, -1, &known)?,
        );
    }
    for (offset, last) in [
        (0, first),
        (2, first),
        (3, first),
        (3, second),
        (4, second),
        (4, third),
        (5, third),
        (4, third + 1),
    ] {
        let what = format!("fetch from {offset} after {:?}", known(last));
        tell(what, fetch(&address, -1, offset, last, &known)?);
    }
    facts::compare("epochs", "requests", &Value::Object(told))
}

/// A broker that may be killed.
fn own_broker() -> Result<Option<Broker>> {
    match Subject::from_env() {
        Subject::Running(_) => Ok(None),
        subject => Broker::start(subject, "").map(Some),
    }
}

/// Once by a crash, once in good order.
fn start_again(broker: &mut Broker, turn: usize) -> Result<()> {
    match turn {
        0 => broker.kill()?,
        _ => broker.stop()?,
    }
    broker.restart()
}

/// Whether a file appeared before whoever makes it came to an end.
fn wait_for(file: &Path, over: impl Fn() -> bool) -> bool {
    for _ in 0..TURN_SECONDS_MAX * 100 {
        if file.exists() {
            return true;
        }
        if over() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn answer(address: &str, request: &[u8]) -> Result<Vec<u8>> {
    match raw::exchange(address, request)? {
        Reaction::Answered(frame) => Ok(frame),
        reaction => bail!("no answer to {:?}: {reaction:?}", &request[4..8]),
    }
}

/// Asks for the topic until it is there and has a leader.
fn led(address: &str) -> Result<()> {
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.extend(string(TOPIC));
    body.push(1);
    for _ in 0..400 {
        let created = raw::exchange(address, &raw::request(3, 4, &body));
        if created.is_ok() && list(address, -1, -1).is_ok_and(|(error, ..)| error == 0) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("the topic has no leader")
}

/// ListOffsets of version 4: error, offset and its epoch.
fn list(address: &str, current: i32, timestamp: i64) -> Result<(i16, i64, i32)> {
    let mut body = (-1_i32).to_be_bytes().to_vec();
    body.push(0);
    body.extend(one_partition());
    body.extend(current.to_be_bytes());
    body.extend(timestamp.to_be_bytes());
    let frame = answer(address, &raw::request(2, 4, &body))?;
    let mut at = Reader(&frame[4 + 4 + 4 + 2 + TOPIC.len() + 4 + 4..]);
    let (error, _timestamp) = (at.i16()?, at.i64()?);
    Ok((error, at.i64()?, at.i32()?))
}

/// OffsetForLeaderEpoch of version 3: error, end and the epoch it is of.
fn end_of(address: &str, current: i32, epoch: i32) -> Result<(i16, i64, i32)> {
    let mut body = (-2_i32).to_be_bytes().to_vec();
    body.extend(one_partition());
    body.extend(current.to_be_bytes());
    body.extend(epoch.to_be_bytes());
    let frame = answer(address, &raw::request(23, 3, &body))?;
    let mut at = Reader(&frame[4 + 4 + 4 + 2 + TOPIC.len() + 4..]);
    let (error, _partition, epoch) = (at.i16()?, at.i32()?, at.i32()?);
    Ok((error, at.i64()?, epoch))
}

/// Fetch of version 12: the error, whether there are records, and where the logs part.
fn fetch(
    address: &str,
    current: i32,
    offset: i64,
    last: i32,
    known: &impl Fn(i32) -> Option<usize>,
) -> Result<Value> {
    let mut body = vec![0]; // no tagged fields in the header
    body.extend((-1_i32).to_be_bytes());
    for number in [0_i32, 1, 1 << 20] {
        body.extend(number.to_be_bytes());
    }
    body.push(0);
    body.extend([0_i32.to_be_bytes(), (-1_i32).to_be_bytes()].concat());
    body.extend([2, TOPIC.len() as u8 + 1]);
    body.extend(TOPIC.as_bytes());
    body.push(2);
    body.extend(0_i32.to_be_bytes());
    body.extend(current.to_be_bytes());
    body.extend(offset.to_be_bytes());
    body.extend(last.to_be_bytes());
    body.extend((-1_i64).to_be_bytes());
    body.extend((1_i32 << 20).to_be_bytes());
    body.extend([0, 0, 1, 1, 0]);
    let frame = answer(address, &raw::request(1, 12, &body))?;
    let mut at = Reader(&frame[5 + 4 + 2 + 4 + 1 + 1 + TOPIC.len() + 1 + 4..]);
    let error = at.i16()?;
    let ends = [at.i64()?, at.i64()?, at.i64()?];
    at.varint()?; // aborted transactions: nobody asked
    at.i32()?;
    let records = at.varint()?.saturating_sub(1);
    at.skip(records)?;
    let mut parted = Value::Null;
    for _ in 0..at.varint()? {
        let (tag, bytes) = (at.varint()?, at.varint()?);
        if tag == 0 {
            parted = json!([known(at.i32()?), at.i64()?]);
            at.varint()?;
        } else {
            at.skip(bytes)?;
        }
    }
    Ok(json!({ "error": error, "ends": ends, "has records": records > 0, "parted": parted }))
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as i16).to_be_bytes(), text.as_bytes()].concat()
}

/// One topic, one partition of it, and its number.
fn one_partition() -> Vec<u8> {
    let one = 1_i32.to_be_bytes();
    [&one[..], &string(TOPIC), &one, &0_i32.to_be_bytes()].concat()
}

/// Takes fields off the front of a frame.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .context("an answer that is cut short")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn skip(&mut self, bytes: u32) -> Result<()> {
        self.0 = self
            .0
            .get(bytes as usize..)
            .context("an answer that is cut short")?;
        Ok(())
    }

    fn i16(&mut self) -> Result<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn varint(&mut self) -> Result<u32> {
        let mut value = 0;
        for shift in (0..32).step_by(7) {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }
}
