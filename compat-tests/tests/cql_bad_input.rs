//! What no CQL client should send, and what networks do. Every time the answer is the protocol's error or a closed connection,
//! memory stays bounded, and a well-behaved client beside it notices nothing.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use compat_tests::cql::gaps;
use compat_tests::cql::raw::{self, Fault, Reaction};
use compat_tests::cql::wire::{frame, opcode};
use compat_tests::harm::{GROWTH_MEGABYTES_MAX, resident};
use compat_tests::{Broker, Subject};

/// How long an answer may take where machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs bad behaviour and then checks that the server is as before.
fn unharmed(test: &str, bad: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    gaps::judge("bad_input", test, || check(bad))
}

fn check(bad: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    let server = Broker::shared_cql()?;
    let before = resident(server);
    bad(server.address())?;
    raw::is_well(server.address())?;
    if let (Some(before), Some(after)) = (before, resident(server)) {
        // The original's heap grows as it likes; what is measured is ours.
        let grown = after.saturating_sub(before);
        ensure!(
            *server.subject() == Subject::Original || grown < GROWTH_MEGABYTES_MAX,
            "memory grew by {grown} MB to {after} MB"
        );
    }
    Ok(())
}

/// An error of the protocol, or the end of the connection.
fn refused(reaction: &Reaction, what: &str) -> Result<()> {
    match reaction {
        Reaction::Closed | Reaction::Answered(opcode::ERROR, _) => Ok(()),
        other => bail!("{what}: {other:?}"),
    }
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length_max: u64) -> Vec<u8> {
        (0..self.next() % length_max).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn headers_that_lie() -> Result<()> {
    unharmed("headers_that_lie", |address| {
        for version in [0, 1, 2, 6, 7, 66, 0x7f, 0x84] {
            let reaction = raw::exchange(address, &frame(version, 0, opcode::OPTIONS, &[]))?;
            refused(&reaction, &format!("version {version}"))?;
        }
        for code in [
            0x04,
            0x11,
            0x42,
            0xff,
            opcode::RESULT,
            opcode::READY,
            opcode::ERROR,
        ] {
            refused(&raw::ask(address, code, &[])?, &format!("opcode {code:#x}"))?;
        }
        for length in [i32::MAX, i32::MIN, -1] {
            let mut bytes = frame(4, 0, opcode::QUERY, &[]);
            bytes[5..9].copy_from_slice(&length.to_be_bytes());
            bytes.extend([0; 64]);
            let mut stream = raw::started(address, 4)?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            let _ = stream.write_all(&bytes);
            let reaction = raw::reaction(&mut stream);
            // To wait for two gigabytes without taking memory for them is right too.
            if reaction != Reaction::Silent {
                refused(&reaction, &format!("{length} bytes announced"))?;
            }
        }
        let http = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        refused(&raw::exchange(address, http)?, "an HTTP request")?;
        let query = frame(4, 0, opcode::QUERY, &raw::query("SELECT key FROM system.local"));
        refused(&raw::exchange(address, &query)?, "a query before STARTUP")
    })
}

#[test]
fn truncated_and_cut_off() -> Result<()> {
    unharmed("truncated_and_cut_off", |address| {
        let body = raw::query("SELECT key FROM system.local");
        let whole = frame(4, 0, opcode::QUERY, &body);
        for length in 0..whole.len() {
            let mut stream = raw::started(address, 4)?;
            stream.write_all(&whole[..length])?;
            stream.shutdown(Shutdown::Both)?;
        }
        for length in 0..body.len() {
            // The header says what comes, but the body ends too early.
            refused(
                &raw::ask(address, opcode::QUERY, &body[..length])?,
                &format!("a body of {length} bytes"),
            )?;
        }
        Ok(())
    })
}

#[test]
fn random_bodies() -> Result<()> {
    unharmed("random_bodies", |address| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for round in 0..1500 {
            let code = [1, 5, 7, 9, 10, 11, 13, 15][(random.next() % 8) as usize];
            let version = 3 + (random.next() % 2) as u8;
            let mut stream = raw::started(address, version)?;
            let flags = (random.next() % 16) as u8 & !0x01;
            let _ = stream.write_all(&frame(version, flags, code, &random.bytes(300)));
            if round % 10 == 0 {
                ensure!(
                    raw::reaction(&mut stream) != Reaction::Silent,
                    "no reaction in round {round}"
                );
            }
            if round % 100 == 0 {
                raw::is_well(address)?;
            }
        }
        Ok(())
    })
}

#[test]
fn segments() -> Result<()> {
    unharmed("segments", |address| {
        let options = frame(5, 0, opcode::OPTIONS, &[]);
        let send = |bytes: &[u8]| -> Result<bool> {
            let mut stream = raw::started(address, 5)?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(bytes)?;
            // Six bytes of a segment's header, then the envelope's, whose fifth byte is the opcode.
            let mut answer = [0; 11];
            Ok(stream.read_exact(&mut answer).is_ok() && answer[10] == opcode::SUPPORTED)
        };
        ensure!(
            send(&raw::segment(&options, Fault::None))?,
            "a good segment has no answer"
        );
        for fault in [Fault::Header, Fault::Payload, Fault::Length] {
            ensure!(!send(&raw::segment(&options, fault))?, "{fault:?} goes unnoticed");
        }
        let mut random = Random(0x1234_5678_9abc_def1);
        for _ in 0..300 {
            let payload = random.bytes(400);
            for bytes in [raw::segment(&payload, Fault::None), payload] {
                raw::started(address, 5)?.write_all(&bytes)?;
            }
        }
        Ok(())
    })
}

#[test]
fn statements_beyond_reason() -> Result<()> {
    unharmed("statements_beyond_reason", |address| {
        let create = "CREATE KEYSPACE IF NOT EXISTS bad_input WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
        raw::ask(address, opcode::QUERY, &raw::query(create))?;
        let table = "CREATE TABLE IF NOT EXISTS bad_input.t (k text PRIMARY KEY, l list<int>)";
        raw::ask(address, opcode::QUERY, &raw::query(table))?;
        for (open, close) in [
            ("[", "]"),
            ("(", ")"),
            ("{", "}"),
            ("-", ""),
            ("(int)", ""),
            ("abs(", ")"),
        ] {
            for depth in [100, 100_000] {
                let text = format!(
                    "INSERT INTO bad_input.t (k, l) VALUES ('x', {}1{})",
                    open.repeat(depth),
                    close.repeat(depth)
                );
                let reaction = raw::ask(address, opcode::QUERY, &raw::query(&text))?;
                refused(&reaction, &format!("{open} {depth} deep"))?;
            }
        }
        let deep = format!(
            "CREATE TABLE bad_input.deep (k int PRIMARY KEY, v {}int{})",
            "frozen<list<".repeat(20_000),
            ">>".repeat(20_000)
        );
        refused(
            &raw::ask(address, opcode::QUERY, &raw::query(&deep))?,
            "a type 40,000 deep",
        )?;
        let key = "k".repeat(65_536);
        let text = format!("INSERT INTO bad_input.t (k) VALUES ('{key}')");
        refused(
            &raw::ask(address, opcode::QUERY, &raw::query(&text))?,
            "a key beyond 64 KiB",
        )?;
        let megabytes = format!("SELECT * FROM bad_input.t -- {}", "x".repeat(5 << 20));
        let reaction = raw::ask(address, opcode::QUERY, &raw::query(&megabytes))?;
        ensure!(
            reaction != Reaction::Silent,
            "a statement of megabytes has no answer"
        );
        Ok(())
    })
}

#[test]
fn many_and_slow_peers() -> Result<()> {
    unharmed("many_and_slow_peers", |address| {
        let mut idle: Vec<TcpStream> = Vec::new();
        for _ in 0..2000 {
            match TcpStream::connect(address) {
                Ok(stream) => idle.push(stream),
                // Our own limit of open files, not the server's.
                Err(error) if error.raw_os_error() == Some(24) => break,
                Err(error) => bail!("connection {} refused: {error}", idle.len()),
            }
        }
        idle.truncate(idle.len().saturating_sub(100));
        let mut slow = Vec::new();
        let request = frame(
            4,
            0,
            opcode::QUERY,
            &raw::query("SELECT * FROM system_schema.columns"),
        );
        for _ in 0..20 {
            // Asks again and again and never reads.
            let mut stream = raw::started(address, 4)?;
            stream.set_write_timeout(Some(Duration::from_millis(200)))?;
            for _ in 0..50 {
                if stream.write_all(&request).is_err() {
                    break;
                }
            }
            slow.push(stream);
        }
        std::thread::sleep(Duration::from_secs(1));
        raw::is_well(address)
    })
}

#[test]
fn as_many_streams_as_there_are() -> Result<()> {
    const STREAMS: usize = 32_768;
    unharmed("as_many_streams_as_there_are", |address| {
        let request = frame(4, 0, opcode::QUERY, &raw::query("SELECT key FROM system.local"));
        let mut stream = raw::started(address, 4)?;
        let mut sending = stream.try_clone()?;
        let writer = std::thread::spawn(move || -> std::io::Result<()> {
            for number in 0..STREAMS as u16 {
                let mut request = request.clone();
                request[2..4].copy_from_slice(&number.to_be_bytes());
                sending.write_all(&request)?;
            }
            Ok(())
        });
        let mut answered = vec![false; STREAMS];
        let mut head = [0; 9];
        for _ in 0..STREAMS {
            stream.read_exact(&mut head)?;
            let number = usize::from(u16::from_be_bytes([head[2], head[3]]));
            ensure!(head[4] == opcode::RESULT, "stream {number}: opcode {}", head[4]);
            let length = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            std::io::copy(&mut (&mut stream).take(u64::from(length)), &mut std::io::sink())?;
            ensure!(
                !std::mem::replace(&mut answered[number], true),
                "stream {number} twice"
            );
        }
        writer
            .join()
            .map_err(|_| anyhow::anyhow!("the writer panicked"))??;
        Ok(())
    })
}

#[test]
fn collections_of_65_536_elements() -> Result<()> {
    const ELEMENTS: usize = 65_536;
    unharmed("collections_of_65_536_elements", |address| {
        for text in [
            "CREATE KEYSPACE IF NOT EXISTS bad_input WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "CREATE TABLE IF NOT EXISTS bad_input.large (k int PRIMARY KEY, l list<int>, s set<int>, m map<int, int>, f frozen<list<int>>)",
        ] {
            raw::ask(address, opcode::QUERY, &raw::query(text))?;
        }
        let elements = |one: fn(usize) -> String| (0..ELEMENTS).map(one).collect::<Vec<_>>().join(",");
        let numbers = || elements(|number| number.to_string());
        for (column, literal) in [
            ("l", format!("[{}]", numbers())),
            ("s", format!("{{{}}}", numbers())),
            (
                "m",
                format!("{{{}}}", elements(|number| format!("{number}:{number}"))),
            ),
            ("f", format!("[{}]", numbers())),
        ] {
            let text = format!("INSERT INTO bad_input.large (k, {column}) VALUES (1, {literal})");
            let written = raw::ask(address, opcode::QUERY, &raw::query(&text))?;
            ensure!(
                matches!(written, Reaction::Answered(opcode::RESULT, _)),
                "writing {column}: {written:?}"
            );
            let text = format!("SELECT {column} FROM bad_input.large WHERE k = 1");
            let Reaction::Answered(opcode::RESULT, body) =
                raw::ask(address, opcode::QUERY, &raw::query(&text))?
            else {
                bail!("reading {column}");
            };
            ensure!(
                body.len() > ELEMENTS * 8,
                "{column} comes back as {} bytes",
                body.len()
            );
        }
        Ok(())
    })
}

/// A request of a stream of its own.
fn numbered(stream: u16, code: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = frame(4, 0, code, body);
    bytes[2..4].copy_from_slice(&stream.to_be_bytes());
    bytes
}

/// The stream and the opcode of the next answer.
fn next_answer(socket: &mut TcpStream) -> Result<(u16, u8)> {
    let mut head = [0; 9];
    socket.read_exact(&mut head)?;
    let [_, _, a, b, code, length @ ..] = head;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    socket.read_exact(&mut body)?;
    Ok((u16::from_be_bytes([a, b]), code))
}

/// Light requests that come behind heavy ones, on the same connection and on others, are answered before them.
#[test]
fn heavy_reads_stop_nobody() -> Result<()> {
    const HEAVY: u16 = 3;
    const ROWS: u32 = 10_000;
    unharmed("heavy_reads_stop_nobody", |address| {
        let define = |text: &str| refused_not(raw::ask(address, opcode::QUERY, &raw::query(text))?, text);
        let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
        define(&format!(
            "CREATE KEYSPACE IF NOT EXISTS heavy WITH replication = {replication}"
        ))?;
        define("CREATE TABLE IF NOT EXISTS heavy.t (k int, c int, v text, PRIMARY KEY (k, c))")?;
        let mut writer = raw::started(address, 4)?;
        writer.set_read_timeout(Some(PATIENCE))?;
        for from in (0..ROWS).step_by(100) {
            let insert = |c: u32| {
                format!(
                    "INSERT INTO heavy.t (k, c, v) VALUES ({}, {c}, 'some text');",
                    from % 7
                )
            };
            let inserts: String = (from..from + 100).map(insert).collect();
            let text = format!("BEGIN UNLOGGED BATCH {inserts} APPLY BATCH");
            writer.write_all(&frame(4, 0, opcode::QUERY, &raw::query(&text)))?;
            ensure!(
                next_answer(&mut writer)?.1 == opcode::RESULT,
                "a batch was refused"
            );
        }
        let mut busy = raw::started(address, 4)?;
        busy.set_read_timeout(Some(PATIENCE))?;
        let scan = raw::query("SELECT max(v) FROM heavy.t WHERE v > 'x' ALLOW FILTERING");
        let mut requests: Vec<u8> = (0..HEAVY)
            .flat_map(|n| numbered(n, opcode::QUERY, &scan))
            .collect();
        let light = raw::query("SELECT v FROM heavy.t WHERE k = 0 AND c = 1");
        requests.extend(numbered(HEAVY, opcode::OPTIONS, &[]));
        requests.extend(numbered(HEAVY + 1, opcode::QUERY, &light));
        busy.write_all(&requests)?;
        raw::is_well(address)?;
        let mut answers = Vec::new();
        for _ in 0..HEAVY + 2 {
            answers.push(next_answer(&mut busy)?);
        }
        for (stream, code) in [(HEAVY, opcode::SUPPORTED), (HEAVY + 1, opcode::RESULT)] {
            let at = answers.iter().position(|answer| *answer == (stream, code));
            ensure!(at.is_some_and(|at| at < 3), "stream {stream} waited: {answers:?}");
        }
        let scanned = answers
            .iter()
            .filter(|(stream, code)| *stream < HEAVY && *code == opcode::RESULT);
        ensure!(scanned.count() == usize::from(HEAVY), "{answers:?}");
        define("DROP KEYSPACE heavy")
    })
}

fn refused_not(reaction: Reaction, what: &str) -> Result<()> {
    match reaction {
        Reaction::Answered(opcode::RESULT, _) => Ok(()),
        other => bail!("{what}: {other:?}"),
    }
}
