//! Peers that want much for little: answers larger than their requests by far, batches that unpack to gigabytes, answers that
//! nobody takes, connections whose other end is gone. Each time memory stays bounded while they are there, and a well-behaved
//! client beside them is served.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use compat_tests::harm::{counted, unharmed, within};
use compat_tests::raw::{self, Reaction};
use compat_tests::{Broker, Program, Subject, program};

/// Nothing that these tests wait for takes longer.
const WAIT: Duration = Duration::from_secs(120);
/// What smack makes of one answer at the most, and a little for the part that went beyond.
const ANSWER_BYTES_MAX: usize = (32 << 20) + (1 << 20);
const MESSAGE_TOO_LARGE: i16 = 10;
/// Large requests that are under way together at the most.
const ASKED_AT_ONCE: usize = 4;

/// A broker of the test's own: its memory is looked at.
fn broker() -> Result<Broker> {
    Broker::start(Subject::from_env(), "")
}

/// Sends a request and waits long for its answer.
fn ask(address: &str, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = raw::connect(address)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.write_all(request)?;
    match raw::reaction(&mut stream) {
        Reaction::Answered(frame) => Ok(frame),
        other => bail!("no answer: {other:?}"),
    }
}

/// How often something stands in an answer.
fn count(frame: &[u8], what: &[u8]) -> usize {
    frame.windows(what.len()).filter(|window| *window == what).count()
}

/// Batches of a few kilobytes that unfold to hundreds of megabytes, in a topic whose compression differs, so that each must be
/// opened: they are refused, and others are answered meanwhile.
#[test]
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn decompression_bombs() -> Result<()> {
    let broker = broker()?;
    within(&broker, 400, |address| {
        let bomb = "import sys, zlib\nc = zlib.compressobj(9, zlib.DEFLATED, 31)\nz = bytes(1 << 20)\n\
                    b = b''.join(c.compress(z) for _ in range(200))\nsys.stdout.write((b + c.flush()).hex())";
        let hex = Program::new("python3").args(["-c", bomb]).run()?;
        let gzip: Vec<u8> = (0..hex.len() / 2)
            .filter_map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok())
            .collect();
        let topic = format!("bomb-{}", program::unique());
        raw::create_topic(address, &topic, 12, &[("compression.type", "zstd")])?;
        let bombs = raw::produce_each(&topic, 12, &raw::batch(1, 1, &gzip, true));
        let (told, answers) = mpsc::sync_channel(ASKED_AT_ONCE);
        for _ in 0..2 {
            let (address, bombs, told) = (address.to_owned(), bombs.clone(), told.clone());
            std::thread::spawn(move || told.send(ask(&address, &bombs)));
        }
        let (mut answered, mut slowest) = (0, Duration::ZERO);
        let begun = Instant::now();
        while answered < 2 {
            ensure!(begun.elapsed() < WAIT, "the bombs are not answered");
            let asked = Instant::now();
            raw::is_well(address)?;
            slowest = slowest.max(asked.elapsed());
            let Ok(frame) = answers.recv_timeout(Duration::from_millis(10)) else {
                continue;
            };
            answered += 1;
            let codes = raw::produce_errors(&frame?, &topic)?;
            let refused = match broker.subject() {
                Subject::Original => codes.iter().all(|code| *code != 0),
                _ => codes == [MESSAGE_TOO_LARGE; 12],
            };
            ensure!(refused, "codes {codes:?}");
        }
        println!("beside the bombs, the slowest answer took {slowest:?}");
        Ok(())
    })
}

/// What is named again and again is told once where the original does that; where it does not, an answer has an end.
#[test]
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn answers_larger_than_their_requests() -> Result<()> {
    let broker = broker()?;
    within(&broker, 600, |address| {
        let topic = format!("named-{}", program::unique());
        raw::create_topic(address, &topic, 1, &[])?;
        let name = raw::string(&topic);
        let names = [10_000_i32.to_be_bytes().to_vec(), name.repeat(10_000), vec![0]].concat();
        let told = ask(address, &raw::request(3, 4, &names))?;
        ensure!(count(&told, &name) == 1, "Metadata tells a topic more than once");
        let asked = [name.clone(), vec![0, 0, 0, 1, 0, 0, 0, 0]].concat();
        let asked = [10_000_i32.to_be_bytes().to_vec(), asked.repeat(10_000)].concat();
        let told = ask(address, &raw::request(35, 1, &asked))?;
        ensure!(
            count(&told, &name) == 1,
            "DescribeLogDirs tells a topic more than once"
        );
        // A broker's keys with all their synonyms, two thousand times: five megabytes of answer for a kilobyte asked.
        let all = [vec![4], raw::string("1"), (-1_i32).to_be_bytes().to_vec()].concat();
        let many = [2000_i32.to_be_bytes().to_vec(), all.repeat(2000), vec![1]].concat();
        let many = raw::request(32, 1, &many);
        let (told, answers) = mpsc::sync_channel(ASKED_AT_ONCE);
        for _ in 0..3 {
            let (address, many, told) = (address.to_owned(), many.clone(), told.clone());
            std::thread::spawn(move || told.send(ask(&address, &many).map(|frame| frame.len())));
        }
        let (mut answered, begun) = (0, Instant::now());
        while answered < 3 {
            ensure!(begun.elapsed() < WAIT, "DescribeConfigs is not answered");
            raw::is_well(address)?;
            let Ok(bytes) = answers.recv_timeout(Duration::from_millis(10)) else {
                continue;
            };
            answered += 1;
            let bytes = bytes?;
            ensure!(
                *broker.subject() == Subject::Original || (1 << 20..ANSWER_BYTES_MAX).contains(&bytes),
                "an answer of {bytes} bytes"
            );
        }
        Ok(())
    })
}

/// Peers that send one request after the other and take no answer, the first of which waits for the disk.
#[test]
fn pipelining_peers_that_read_nothing() -> Result<()> {
    let broker = broker()?;
    let topic = format!("wide-{}", program::unique());
    raw::create_topic(broker.address(), &topic, 4000, &[("flush.messages", "1")])?;
    within(&broker, 100, |address| {
        let all = raw::request(3, 1, &(-1_i32).to_be_bytes());
        let whole = ask(address, &all)?.len();
        ensure!(whole > 100_000, "all topics take {whole} bytes only");
        let write = raw::produce(&topic, &raw::batch(0, 1, &raw::record(b"v"), true));
        let requests = [write, all.repeat(62)].concat();
        let mut peers = Vec::new();
        for _ in 0..20 {
            let mut stream = raw::connect(address)?;
            stream.write_all(&requests)?;
            peers.push(stream);
        }
        // Until the answers are made, as far as they are: there is nothing to see from outside.
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(100));
            raw::is_well(address)?;
        }
        Ok(peers)
    })
}

/// Peers that ask for megabytes and never read, and peers that stopped in the middle of a request. Memory is measured while
/// they are there; those that take no answer are closed after a minute.
#[test]
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn slow_readers_and_half_open_peers() -> Result<()> {
    let broker = broker()?;
    let topic = format!("slow-{}", program::unique());
    let lines = "x".repeat(99_999) + "\n";
    Program::new("kcat")
        .args(["-q", "-b", broker.address(), "-P", "-p", "0", "-t", &topic])
        .input(lines.repeat(100))
        .run()?;
    let mut slow = Vec::new();
    unharmed(&broker, |address| {
        for _ in 0..50 {
            let mut stream = raw::connect(address)?;
            stream.set_write_timeout(Some(Duration::from_millis(200)))?;
            for _ in 0..50 {
                if stream.write_all(&fetch(&topic, 0)).is_err() {
                    break;
                }
            }
            slow.push(stream);
        }
        let mut half_open = Vec::new();
        for _ in 0..50 {
            let mut stream = raw::connect(address)?;
            stream.write_all(&fetch(&topic, 0)[..10])?;
            stream.shutdown(Shutdown::Write)?;
            half_open.push(stream);
        }
        std::thread::sleep(Duration::from_secs(2));
        raw::is_well(address)?;
        Ok(half_open)
    })?;
    // The original waits ten minutes.
    if *broker.subject() == Subject::Original {
        return Ok(());
    }
    let begun = Instant::now();
    while !slow.is_empty() {
        ensure!(
            begun.elapsed() < 2 * WAIT,
            "{} peers take no answer and are still there",
            slow.len()
        );
        slow.retain_mut(is_open);
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("those who read nothing were closed after {:?}", begun.elapsed());
    Ok(())
}

/// Peers that vanish without a word, as by a power cut: the system forgets their sockets and tells nobody. Idle ones, those in
/// the middle of a request, those that wait for records and those that read no answer: the server finds out by itself.
#[test]
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn vanished_peers() -> Result<()> {
    let broker = broker()?;
    let topic = format!("vanished-{}", program::unique());
    let lines = "x".repeat(99_999) + "\n";
    Program::new("kcat")
        .args(["-q", "-b", broker.address(), "-P", "-p", "0", "-t", &topic])
        .input(lines.repeat(100))
        .run()?;
    let before = counted(&broker, "smack_kafka_connections")?;
    let mut is_permitted = true;
    unharmed(&broker, |address| {
        let vanish = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/vanish.py");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let said = Program::new("python3")
            .args([
                vanish,
                address,
                &hex(&fetch(&topic, 0)),
                &hex(&fetch(&topic, i64::MAX)),
            ])
            .run()?;
        is_permitted = said.trim() == "gone";
        raw::is_well(address)
    })?;
    if !is_permitted {
        println!("not tested: this user may not make sockets vanish");
        return Ok(());
    }
    // How many the original has, nobody tells here.
    let Some(before) = before else { return Ok(()) };
    let begun = Instant::now();
    while let Some(open) = counted(&broker, "smack_kafka_connections")?.filter(|open| *open > before) {
        let waited = begun.elapsed();
        ensure!(
            waited < 2 * WAIT,
            "{open} connections of peers that vanished are still there"
        );
        raw::is_well(broker.address())?;
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("those who vanished were noticed after {:?}", begun.elapsed());
    Ok(())
}

/// Whether the other side still has the connection: if not, it says so to what comes.
fn is_open(stream: &mut TcpStream) -> bool {
    match stream.set_nonblocking(true).and_then(|()| stream.write(&[0])) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// A Fetch of version 4 for up to ten megabytes of partition 0 from `offset` on, that waits ten minutes for the first byte.
fn fetch(topic: &str, offset: i64) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend((-1_i32).to_be_bytes());
    body.extend(100_i32.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    body.extend(10_000_000_i32.to_be_bytes());
    body.push(0);
    body.extend(1_i32.to_be_bytes());
    body.extend(raw::string(topic));
    body.extend(1_i32.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.extend(offset.to_be_bytes());
    body.extend(10_000_000_i32.to_be_bytes());
    raw::request(1, 4, &body)
}
