use crate::{
    config::{Authenticator, Config, Limits},
    core::types::{CqlType, Native},
    engine::{
        Answer, BatchStatement, ColumnSpec, Description, Outcome, Parameters, Pending, PreparedStatement,
        SchemaChange, Session, Statements, Value,
    },
    error::{CqlError, Result},
    server::{Cql, bind_all},
    statements::batch::BatchKind,
    wire::{
        compression::Compression,
        envelope::{HEADER_BYTES, flags},
        rows::RowsWriter,
        segment::{Format, Header, TRAILER_BYTES, crc_of},
        write::Put,
    },
};
use bytes::{BufMut, Bytes, BytesMut};
use server_kit::{Random, Registry, SystemClock};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, broadcast},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// An engine of four statements: `echo` gives its value back, `wait` waits until the test lets it go on, `use` and
/// `change` do what they say.
struct Fake {
    gate: Semaphore,
    changes: broadcast::Sender<SchemaChange>,
}

struct Echo(Description);

impl PreparedStatement for Echo {
    fn description(&self) -> &Description {
        &self.0
    }

    fn weight(&self) -> usize {
        1
    }
}

fn column() -> ColumnSpec {
    ColumnSpec {
        keyspace: "k".into(),
        table: "t".into(),
        name: "v".into(),
        kind: CqlType::Native(Native::Blob),
    }
}

fn change() -> SchemaChange {
    SchemaChange {
        change: "UPDATED",
        target: "TABLE",
        keyspace: "k".to_owned(),
        name: "t".to_owned(),
        arguments: Vec::new(),
    }
}

fn echo(parameters: &Parameters) -> Outcome {
    let mut rows = RowsWriter::with_capacity(64);
    if let Some(Value::Set(value)) = parameters.values.first() {
        rows.cell(Some(value));
        rows.end_row();
    }
    Outcome::Rows(rows.finish(Arc::from([column()]), None))
}

impl Statements for Fake {
    fn prepare(&self, _: &str, _: Option<&str>) -> Result<Arc<dyn PreparedStatement>> {
        Ok(Arc::new(Echo(Description {
            keyspace: "k".into(),
            table: "t".into(),
            is_qualified: false,
            is_conditional: false,
            markers: Arc::from([column()]),
            partition_key: Arc::from([0]),
            columns: Arc::from([column()]),
        })))
    }

    fn execute<'a>(
        &'a self,
        _: &'a Arc<dyn PreparedStatement>,
        parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer> {
        self.query("echo", parameters, session)
    }

    fn query<'a>(&'a self, text: &'a str, parameters: Parameters, _: &'a Session) -> Pending<'a, Answer> {
        Box::pin(async move {
            let outcome = match text {
                "wait" => {
                    self.gate.acquire().await.unwrap().forget();
                    Outcome::Void
                }
                "echo" => echo(&parameters),
                "use" => Outcome::SetKeyspace("k".into()),
                "change" => {
                    let _ = self.changes.send(change());
                    Outcome::SchemaChange(change())
                }
                other => return Err(CqlError::Syntax(other.to_owned())),
            };
            Ok(Answer {
                outcome,
                warnings: Vec::new(),
            })
        })
    }

    fn batch<'a>(
        &'a self,
        _: BatchKind,
        _: Vec<(BatchStatement, Vec<Value>)>,
        _: Parameters,
        _: &'a Session,
    ) -> Pending<'a, Answer> {
        Box::pin(async {
            Ok(Answer {
                outcome: Outcome::Void,
                warnings: vec!["careful".to_owned()],
            })
        })
    }

    fn log_in<'a>(&'a self, name: &'a str, password: &'a str) -> Pending<'a, Arc<str>> {
        Box::pin(async move {
            match password {
                "right" => Ok(name.into()),
                _ => Err(CqlError::BadCredentials("no".to_owned())),
            }
        })
    }

    fn schema_changes(&self) -> broadcast::Receiver<SchemaChange> {
        self.changes.subscribe()
    }
}

struct House {
    cql: Cql,
    fake: Arc<Fake>,
    stop: CancellationToken,
}

impl House {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.listeners[0].bind = "127.0.0.1:0".to_owned();
        change(&mut config);
        let fake = Arc::new(Fake {
            gate: Semaphore::new(0),
            changes: broadcast::Sender::new(16),
        });
        let (clock, random) = (SystemClock::new(), Arc::new(Random::from_seed(1)));
        let (mut registry, stop) = (Registry::default(), CancellationToken::new());
        let bound = bind_all(&config).await.unwrap();
        let cql = Cql::serve(
            config,
            bound,
            fake.clone(),
            clock,
            random,
            &mut registry,
            stop.clone(),
        )
        .await;
        House { cql, fake, stop }
    }

    async fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(|config| change(&mut config.limits)).await
    }

    async fn client(&self, version: u8) -> Peer {
        Peer {
            socket: TcpStream::connect(self.cql.addresses()[0]).await.unwrap(),
            version,
            segments: None,
            received: BytesMut::new(),
        }
    }

    /// A client that has started.
    async fn started(&self, version: u8, compression: Option<&str>) -> Peer {
        let mut peer = self.client(version).await;
        peer.send(1, 1, &startup(compression)).await;
        assert_eq!(peer.answer().await.opcode, 2);
        if version == 5 {
            peer.segments = Some(if compression.is_some() {
                Format::Lz4
            } else {
                Format::Plain
            });
        }
        peer
    }
}

fn startup(compression: Option<&str>) -> Vec<u8> {
    let mut body = BytesMut::new();
    body.put_u16(1 + u16::from(compression.is_some()));
    body.put_string("CQL_VERSION");
    body.put_string("3.0.0");
    if let Some(name) = compression {
        body.put_string("COMPRESSION");
        body.put_string(name);
    }
    body.to_vec()
}

struct Peer {
    socket: TcpStream,
    version: u8,
    segments: Option<Format>,
    received: BytesMut,
}

#[derive(Debug)]
struct Told {
    version: u8,
    flags: u8,
    stream: i16,
    opcode: u8,
    body: Bytes,
}

impl Told {
    /// The code and text of an error.
    fn error(&self) -> (i32, String) {
        assert_eq!(self.opcode, 0, "{self:?}");
        let length = usize::from(u16::from_be_bytes([self.body[4], self.body[5]]));
        let text = String::from_utf8(self.body[6..6 + length].to_vec()).unwrap();
        (i32::from_be_bytes(*self.body.first_chunk().unwrap()), text)
    }
}

fn envelope(version: u8, stream: i16, opcode: u8, body: &[u8]) -> Vec<u8> {
    let mut all = vec![version, 0];
    all.extend(stream.to_be_bytes());
    all.push(opcode);
    all.extend((body.len() as u32).to_be_bytes());
    all.extend(body);
    all
}

fn segment(format: Format, payload: &[u8], self_contained: bool) -> Vec<u8> {
    let mut all = vec![0; format.header_bytes()];
    let header = Header {
        stored: payload.len(),
        uncompressed: 0,
        self_contained,
    };
    format.write_header(header, &mut all);
    all.extend(payload);
    all.extend(crc_of([payload]));
    all
}

/// The body of a QUERY with one value.
fn query(version: u8, text: &str, value: &[u8]) -> Vec<u8> {
    let mut body = (text.len() as i32).to_be_bytes().to_vec();
    body.extend(text.as_bytes());
    body.extend([0, 1]);
    if version == 5 {
        body.extend([0, 0, 0]);
    }
    body.extend([1, 0, 1]);
    body.extend((value.len() as i32).to_be_bytes());
    body.extend(value);
    body
}

impl Peer {
    async fn raw(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    async fn send(&mut self, stream: i16, opcode: u8, body: &[u8]) {
        let all = envelope(self.version, stream, opcode, body);
        let Some(format) = self.segments else {
            return self.raw(&all).await;
        };
        let parts: Vec<_> = all.chunks(131_071).collect();
        for part in &parts {
            self.raw(&segment(format, part, parts.len() == 1)).await;
        }
    }

    async fn ask(&mut self, stream: i16, text: &str, value: &[u8]) {
        let body = query(self.version, text, value);
        self.send(stream, 7, &body).await;
    }

    async fn exact(&mut self, length: usize) -> Bytes {
        let mut bytes = vec![0; length];
        let read = timeout(Duration::from_secs(20), self.socket.read_exact(&mut bytes));
        read.await.unwrap().unwrap();
        bytes.into()
    }

    /// `length` bytes of what is in the segments, or without any.
    async fn payload(&mut self, length: usize) -> Bytes {
        let Some(format) = self.segments else {
            return self.exact(length).await;
        };
        while self.received.len() < length {
            let header = self.exact(format.header_bytes()).await;
            let header = format.read_header(&header).unwrap().unwrap();
            let rest = self.exact(header.stored + TRAILER_BYTES).await;
            self.received
                .extend_from_slice(&format.payload(header, rest).unwrap());
        }
        self.received.split_to(length).freeze()
    }

    async fn answer(&mut self) -> Told {
        let header = self.payload(HEADER_BYTES).await;
        let length = u32::from_be_bytes(*header[5..].first_chunk().unwrap());
        Told {
            version: header[0],
            flags: header[1],
            stream: i16::from_be_bytes([header[2], header[3]]),
            opcode: header[4],
            body: self.payload(length as usize).await,
        }
    }

    async fn is_closed(&mut self) -> bool {
        let read = timeout(Duration::from_secs(20), self.socket.read(&mut [0; 64])).await;
        !matches!(read.unwrap(), Ok(1..))
    }
}

#[tokio::test]
async fn every_version_starts_and_echoes() {
    let house = House::with(|_| {}).await;
    let large = vec![7; 300_000];
    for (version, compression) in [
        (3, None),
        (4, None),
        (5, None),
        (3, Some("lz4")),
        (4, Some("snappy")),
        (5, Some("LZ4")),
    ] {
        let mut peer = house.started(version, compression).await;
        for value in [&b"small"[..], &large] {
            peer.ask(7, "echo", value).await;
            let told = peer.answer().await;
            assert_eq!((told.version, told.stream, told.opcode), (0x80 | version, 7, 8));
            let mut body = told.body;
            if told.flags & flags::COMPRESSED != 0 {
                let by = Compression::named(compression.unwrap()).unwrap();
                let length = by.uncompressed(&body).unwrap();
                body = by.expand(body, length).unwrap();
            }
            assert!(body.ends_with(value));
        }
    }
}

#[tokio::test]
async fn a_slow_request_holds_up_nobody() {
    let house = House::with(|_| {}).await;
    let mut peer = house.started(5, None).await;
    peer.ask(1, "wait", b"").await;
    for stream in 2..200 {
        peer.ask(stream, "echo", b"x").await;
        assert_eq!(peer.answer().await.stream, stream);
    }
    house.fake.gate.add_permits(1);
    assert_eq!(peer.answer().await.stream, 1);
}

#[tokio::test]
async fn as_many_streams_as_there_are() {
    let house = House::with(|_| {}).await;
    let mut peer = house.started(4, None).await;
    let (mut socket, requests) = (peer.socket, 0..=i16::MAX);
    let all: Vec<u8> = requests
        .flat_map(|stream| envelope(4, stream, 7, &query(4, "echo", b"x")))
        .collect();
    let (read, mut write) = socket.split();
    let mut read = read;
    let received = async {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 1 << 16];
        let mut seen = vec![false; 1 << 15];
        let mut left = seen.len();
        while left > 0 {
            let count = read.read(&mut chunk).await.unwrap();
            assert!(count > 0);
            bytes.extend_from_slice(&chunk[..count]);
            let mut at = 0;
            while let Some(header) = bytes[at..].first_chunk::<HEADER_BYTES>() {
                let length = u32::from_be_bytes(*header[5..].first_chunk().unwrap()) as usize;
                if bytes.len() - at < HEADER_BYTES + length {
                    break;
                }
                seen[usize::from(u16::from_be_bytes([header[2], header[3]]))] = true;
                left -= 1;
                at += HEADER_BYTES + length;
            }
            bytes.drain(..at);
        }
        seen
    };
    let (sent, seen) = tokio::join!(write.write_all(&all), received);
    sent.unwrap();
    assert!(seen.into_iter().all(|seen| seen));
    peer = house.started(4, None).await;
    peer.ask(1, "echo", b"x").await;
    assert_eq!(peer.answer().await.stream, 1);
}

#[tokio::test]
async fn probes_are_answered_and_the_connection_goes_on() {
    let house = House::with(|_| {}).await;
    for version in [1, 2, 66, 65, 6] {
        let mut peer = house.client(4).await;
        peer.raw(&envelope(version, 3, 5, b"")).await;
        if version < 3 {
            assert_eq!(peer.exact(8).await[..4], [0x80 | version, 0, 0, 0]);
            continue;
        }
        let told = peer.answer().await;
        assert_eq!(told.version, if version == 6 { 0x86 } else { 0x85 });
        assert_eq!((told.stream, told.error().0), (3, 0x0a));
        peer.send(4, 5, b"").await;
        assert_eq!(peer.answer().await.opcode, 6);
    }
}

#[tokio::test]
async fn what_comes_too_early_or_too_late_is_refused() {
    let house = House::with(|_| {}).await;
    let mut peer = house.client(4).await;
    peer.ask(1, "echo", b"").await;
    let text = "Unexpected message QUERY, expecting STARTUP or OPTIONS";
    assert_eq!(peer.answer().await.error(), (0x0a, text.to_owned()));
    assert!(peer.is_closed().await);
    let mut peer = house.started(4, None).await;
    peer.send(1, 1, &startup(None)).await;
    let text = "Unexpected message STARTUP, the connection is already initialized";
    assert_eq!(peer.answer().await.error().1, text);
    peer.send(1, 4, b"").await;
    assert_eq!(peer.answer().await.error().1, "Unsupported message");
    for (compression, text) in [
        ("zlib", "Unknown compression algorithm: zlib"),
        ("snappy", "Snappy compression is not supported in protocol V5"),
    ] {
        let mut peer = house.client(5).await;
        peer.send(1, 1, &startup(Some(compression))).await;
        assert_eq!(peer.answer().await.error().1, text);
    }
}

#[tokio::test]
async fn too_large_a_request_is_thrown_away_and_told() {
    let house = House::limited(|limits| limits.request_bytes_max = 1 << 20).await;
    for version in [4, 5] {
        let mut peer = house.started(version, None).await;
        peer.ask(5, "echo", &vec![0; 2 << 20]).await;
        let told = peer.answer().await;
        assert_eq!((told.stream, told.error().0), (5, 0x2200));
        assert!(
            told.error()
                .1
                .ends_with("exceeds maximum allowed length 1048576.")
        );
        peer.ask(6, "echo", b"x").await;
        assert_eq!(peer.answer().await.stream, 6);
    }
}

#[tokio::test]
async fn corrupt_segments_close_their_connection_alone() {
    let house = House::with(|_| {}).await;
    let mut other = house.started(5, None).await;
    let whole = segment(Format::Plain, &envelope(5, 1, 5, b""), true);
    for (at, part) in [(1, "header"), (whole.len() - 1, "body")] {
        let mut peer = house.started(5, None).await;
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        peer.raw(&bytes).await;
        let (code, text) = peer.answer().await.error();
        assert_eq!(code, 0x0a);
        let expected = format!("invalid, unrecoverable CRC mismatch detected in frame {part}. Read ");
        assert!(text.contains(&expected), "{text}");
        assert!(peer.is_closed().await);
        other.ask(1, "echo", b"x").await;
        assert_eq!(other.answer().await.opcode, 8);
    }
}

#[tokio::test]
async fn random_bytes_harm_nobody() {
    let house = House::with(|_| {}).await;
    let random = Random::from_seed(11);
    let mut other = house.started(4, None).await;
    for round in 0..60 {
        let version = [3, 4, 5][round % 3];
        let mut peer = house.started(version, None).await;
        let mut body: Vec<u8> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
        if round % 2 == 0 {
            let opcode = [7, 9, 10, 11, 13, 15][random.below(6) as usize];
            body = envelope(version, 9, opcode, &body);
        }
        if let Some(format) = peer.segments.filter(|_| round % 4 < 2) {
            body = segment(format, &body, true);
        }
        peer.raw(&body).await;
        peer.socket.shutdown().await.unwrap();
        let mut sink = Vec::new();
        let _ = timeout(Duration::from_secs(20), peer.socket.read_to_end(&mut sink))
            .await
            .unwrap();
        other.ask(1, "echo", b"x").await;
        assert_eq!(other.answer().await.stream, 1);
    }
}

#[tokio::test]
async fn prepared_statements_follow_the_schema() {
    let house = House::with(|_| {}).await;
    let mut peer = house.started(5, None).await;
    peer.send(1, 9, b"\0\0\0\x01q\0\0\0\0").await;
    let told = peer.answer().await;
    let warning = told.flags & flags::WARNING;
    assert_eq!((told.opcode, warning), (8, flags::WARNING));
    let at = told.body.len() - told.body.windows(2).rev().position(|two| two == [0, 16]).unwrap() - 2;
    let metadata_id = told.body[at + 2..at + 18].to_vec();
    let id = told.body[at - 16..at].to_vec();
    let execute = |metadata_id: &[u8]| {
        let mut body = vec![0, 16];
        body.extend(&id);
        body.extend([0, 16]);
        body.extend(metadata_id);
        body.extend(b"\0\x01\0\0\0\x03\0\x01\0\0\0\x01x");
        body
    };
    peer.send(2, 10, &execute(&metadata_id)).await;
    assert_eq!(peer.answer().await.body[..8], *b"\0\0\0\x02\0\0\0\x04");
    peer.send(2, 10, &execute(&[0; 16])).await;
    assert_eq!(peer.answer().await.body[..8], *b"\0\0\0\x02\0\0\0\x09");
    peer.ask(3, "change", b"").await;
    assert_eq!(peer.answer().await.opcode, 8);
    peer.send(4, 10, &execute(&metadata_id)).await;
    let (code, text) = peer.answer().await.error();
    assert_eq!(code, 0x2500);
    assert!(text.starts_with("Prepared query with ID "));
}

#[tokio::test]
async fn who_registered_is_told_of_changes() {
    let house = House::with(|_| {}).await;
    let (mut told, mut quiet) = (house.started(5, None).await, house.started(4, None).await);
    told.send(1, 11, b"\0\x01\0\x0dSCHEMA_CHANGE").await;
    assert_eq!(told.answer().await.opcode, 2);
    quiet.ask(1, "change", b"").await;
    assert_eq!(quiet.answer().await.opcode, 8);
    let event = told.answer().await;
    assert_eq!((event.stream, event.opcode), (-1, 12));
    assert_eq!(
        event.body[..],
        *b"\0\x0dSCHEMA_CHANGE\0\x07UPDATED\0\x05TABLE\0\x01k\0\x01t"
    );
    quiet.ask(2, "echo", b"").await;
    assert_eq!(quiet.answer().await.stream, 2);
}

#[tokio::test]
async fn passwords_are_asked_for_where_they_are_wanted() {
    let house = House::with(|config| config.authenticator = Authenticator::Password).await;
    let mut peer = house.client(4).await;
    peer.send(1, 1, &startup(None)).await;
    let told = peer.answer().await;
    assert_eq!(told.opcode, 3);
    assert!(told.body.ends_with(b"PasswordAuthenticator"));
    peer.ask(1, "echo", b"").await;
    assert_eq!(
        peer.answer().await.error().1,
        "Unexpected message QUERY, expecting SASL_RESPONSE"
    );
    peer.send(1, 15, b"\0\0\0\x08\0me\0nope").await;
    assert_eq!(peer.answer().await.error().0, 0x0100);
    peer.send(1, 15, b"\0\0\0\x09\0me\0right").await;
    assert_eq!(peer.answer().await.opcode, 16);
    peer.ask(1, "echo", b"").await;
    assert_eq!(peer.answer().await.opcode, 8);
}

#[tokio::test]
async fn batches_traces_and_payloads() {
    let house = House::with(|_| {}).await;
    let mut peer = house.started(4, None).await;
    peer.send(1, 13, b"\0\0\0\0\x01\0").await;
    let told = peer.answer().await;
    assert_eq!(
        (told.flags, &told.body[..11]),
        (flags::WARNING, &b"\0\x01\0\x07careful"[..])
    );
    let mut traced = envelope(4, 2, 7, &query(4, "echo", b"x"));
    traced[1] = flags::TRACING;
    peer.raw(&traced).await;
    let told = peer.answer().await;
    assert_eq!((told.flags, told.body[6] >> 4), (flags::TRACING, 1));
    let mut payload = b"\0\x01\0\x01a\0\0\0\x01b".to_vec();
    payload.extend(query(4, "echo", b"x"));
    for (version, opcode) in [(4, 8), (3, 0)] {
        let mut peer = house.started(version, None).await;
        let mut custom = envelope(version, 3, 7, &payload);
        custom[1] = flags::CUSTOM_PAYLOAD;
        peer.raw(&custom).await;
        assert_eq!(peer.answer().await.opcode, opcode);
    }
}

#[tokio::test]
async fn a_stop_answers_what_was_taken() {
    let house = House::with(|_| {}).await;
    let (mut busy, mut idle) = (house.started(4, None).await, house.started(5, None).await);
    busy.ask(1, "wait", b"").await;
    busy.ask(2, "echo", b"").await;
    assert_eq!(busy.answer().await.stream, 2);
    house.stop.cancel();
    assert!(idle.is_closed().await);
    house.fake.gate.add_permits(1);
    assert_eq!(busy.answer().await.stream, 1);
    assert!(busy.is_closed().await);
    timeout(Duration::from_secs(20), house.cql.stopped())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_that_takes_no_answer_is_closed() {
    let house = House::limited(|limits| limits.write_stall_max = Duration::from_secs(1)).await;
    let peer = house.started(4, None).await;
    let requests: Vec<u8> = (0..200)
        .flat_map(|_| envelope(4, 1, 7, &query(4, "echo", &[7; 4000])))
        .collect();
    let closed = async {
        loop {
            match peer.socket.try_write(&requests) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(_) => return,
                Ok(_) => {}
            }
        }
    };
    timeout(Duration::from_secs(30), closed).await.unwrap();
}
