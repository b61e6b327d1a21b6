//! One connection of protocol v4, one request at a time, everything of the answer kept.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::value::Type;

/// Nothing that a statement does takes longer; the original builds indexes and views within it.
const WAIT: Duration = Duration::from_secs(30);
const VERSION: u8 = 4;

/// The opcodes that the tests name.
pub mod opcode {
    #![expect(missing_docs, reason = "the names are the protocol's")]
    pub const ERROR: u8 = 0x00;
    pub const STARTUP: u8 = 0x01;
    pub const READY: u8 = 0x02;
    pub const AUTHENTICATE: u8 = 0x03;
    pub const OPTIONS: u8 = 0x05;
    pub const SUPPORTED: u8 = 0x06;
    pub const QUERY: u8 = 0x07;
    pub const RESULT: u8 = 0x08;
    pub const PREPARE: u8 = 0x09;
    pub const EXECUTE: u8 = 0x0a;
    pub const AUTH_RESPONSE: u8 = 0x0f;
    pub const AUTH_SUCCESS: u8 = 0x10;
}

/// An answer, with the warnings that came along.
#[derive(Debug)]
pub struct Answer {
    /// What the server wants the client to know beside the result.
    pub warnings: Vec<String>,
    /// The result itself.
    pub result: Outcome,
}

/// What a statement came to.
#[derive(Debug)]
pub enum Outcome {
    /// Done, and nothing to tell.
    Void,
    /// Rows, and where the next page begins.
    Rows(Rows),
    /// `USE`.
    Keyspace(String),
    /// Kind of change, kind of target, and its names.
    SchemaChange(Vec<String>),
    /// What PREPARE answers.
    Prepared(Prepared),
    /// Code, text, and the fields of that code.
    Error(u32, String, Vec<String>),
}

/// A column of a result, or a bind marker.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name in the result.
    pub name: String,
    /// The type.
    pub kind: Type,
}

/// One page.
#[derive(Debug)]
pub struct Rows {
    /// The columns.
    pub columns: Vec<Column>,
    /// The cells of each row.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    /// The paging state, unless this was the last page.
    pub next: Option<Vec<u8>>,
}

/// A prepared statement.
#[derive(Debug)]
pub struct Prepared {
    /// Its id.
    pub id: Vec<u8>,
    /// The bind markers.
    pub binds: Vec<Column>,
    /// Which of them make the partition key.
    pub partition_key: Vec<u16>,
}

/// A bound value.
#[derive(Debug, Clone)]
pub enum Bound {
    /// Bytes.
    Value(Vec<u8>),
    /// Null.
    Null,
    /// Not set.
    Unset,
}

/// How a statement runs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Rows in a page; all when it is none.
    pub page: Option<u32>,
    /// The page to go on with.
    pub state: Option<Vec<u8>>,
    /// Values for the bind markers.
    pub values: Vec<Bound>,
    /// The default timestamp.
    pub timestamp: Option<i64>,
    /// The consistency level; ONE when it is none.
    pub consistency: Option<u16>,
    /// The serial consistency level.
    pub serial: Option<u16>,
}

/// A connection that is past STARTUP.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects as nobody, or as a user with a password.
    pub fn open(address: &str, login: Option<(&str, &str)>) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(WAIT))?;
        stream.set_write_timeout(Some(WAIT))?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream };
        let mut startup = vec![0, 1];
        startup.extend(string("CQL_VERSION"));
        startup.extend(string("3.0.0"));
        match connection.exchange(opcode::STARTUP, &startup)? {
            (opcode::READY, ..) => return Ok(connection),
            (opcode::AUTHENTICATE, ..) => {}
            (code, _, body) => bail!("STARTUP is answered with opcode {code}: {body:?}"),
        }
        let (user, password) = login.unwrap_or(("cassandra", "cassandra"));
        let token = format!("\0{user}\0{password}").into_bytes();
        match connection.exchange(opcode::AUTH_RESPONSE, &bytes(&token))? {
            (opcode::AUTH_SUCCESS, ..) => Ok(connection),
            (code, _, body) => bail!(
                "AUTH_RESPONSE is answered with opcode {code}: {}",
                String::from_utf8_lossy(&body)
            ),
        }
    }

    /// Runs a statement.
    pub fn query(&mut self, text: &str, options: &Options) -> Result<Answer> {
        let mut body = long_string(text);
        body.extend(parameters(options));
        self.ask(opcode::QUERY, &body)
    }

    /// Prepares a statement.
    pub fn prepare(&mut self, text: &str) -> Result<Answer> {
        self.ask(opcode::PREPARE, &long_string(text))
    }

    /// Runs a prepared statement.
    pub fn execute(&mut self, id: &[u8], options: &Options) -> Result<Answer> {
        let mut body = (id.len() as u16).to_be_bytes().to_vec();
        body.extend(id);
        body.extend(parameters(options));
        self.ask(opcode::EXECUTE, &body)
    }

    fn ask(&mut self, code: u8, body: &[u8]) -> Result<Answer> {
        let (code, flags, body) = self.exchange(code, body)?;
        answer(code, flags, &body).with_context(|| format!("an answer that does not parse: {body:02x?}"))
    }

    fn exchange(&mut self, code: u8, body: &[u8]) -> Result<(u8, u8, Vec<u8>)> {
        self.stream.write_all(&frame(VERSION, 0, code, body))?;
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).context("no answer")?;
        let [_, flags, _, _, code, length @ ..] = head;
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut body)?;
        Ok((code, flags, body))
    }
}

/// A frame of stream 0.
pub fn frame(version: u8, flags: u8, code: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![version, flags, 0, 0, code];
    frame.extend((body.len() as u32).to_be_bytes());
    frame.extend(body);
    frame
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// A `[long string]`, as QUERY and PREPARE carry their text.
pub fn long_string(text: &str) -> Vec<u8> {
    bytes(text.as_bytes())
}

fn bytes(content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32).to_be_bytes().to_vec();
    bytes.extend(content);
    bytes
}

/// The query parameters that follow a statement or its id.
pub fn parameters(options: &Options) -> Vec<u8> {
    let mut body = options.consistency.unwrap_or(1).to_be_bytes().to_vec();
    let mut flags = 0;
    let mut rest = Vec::new();
    if !options.values.is_empty() {
        flags |= 0x01;
        rest.extend((options.values.len() as u16).to_be_bytes());
        for value in &options.values {
            match value {
                Bound::Value(value) => rest.extend(bytes(value)),
                Bound::Null => rest.extend((-1_i32).to_be_bytes()),
                Bound::Unset => rest.extend((-2_i32).to_be_bytes()),
            }
        }
    }
    if let Some(page) = options.page {
        flags |= 0x04;
        rest.extend(page.to_be_bytes());
    }
    if let Some(state) = &options.state {
        flags |= 0x08;
        rest.extend(bytes(state));
    }
    if let Some(serial) = options.serial {
        flags |= 0x10;
        rest.extend(serial.to_be_bytes());
    }
    if let Some(timestamp) = options.timestamp {
        flags |= 0x20;
        rest.extend(timestamp.to_be_bytes());
    }
    body.push(flags);
    body.extend(rest);
    body
}

fn answer(code: u8, flags: u8, body: &[u8]) -> Result<Answer> {
    let mut body = Reader(body);
    if flags & 0x02 != 0 {
        body.take(16)?;
    }
    let warnings = if flags & 0x08 != 0 {
        body.strings()?
    } else {
        Vec::new()
    };
    let result = match code {
        opcode::ERROR => error(&mut body)?,
        opcode::RESULT => result(&mut body)?,
        _ => bail!("opcode {code}"),
    };
    ensure!(body.0.is_empty(), "{} bytes are left over", body.0.len());
    Ok(Answer { warnings, result })
}

fn error(body: &mut Reader) -> Result<Outcome> {
    let (code, text) = (body.int()?, body.string()?);
    let mut fields = Vec::new();
    match code {
        0x1000 => fields.extend([
            body.short()?.to_string(),
            body.int()?.to_string(),
            body.int()?.to_string(),
        ]),
        0x1400 => {
            fields.extend([body.string()?, body.string()?]);
            fields.extend(body.strings()?);
        }
        0x2400 => fields.extend([body.string()?, body.string()?]),
        // Timeouts, failures and unknown ids: their fields are of that moment.
        0x1001..=0x1fff | 0x2500 => body.0 = &[],
        _ => {}
    }
    Ok(Outcome::Error(code, text, fields))
}

fn result(body: &mut Reader) -> Result<Outcome> {
    Ok(match body.int()? {
        1 => Outcome::Void,
        2 => Outcome::Rows(rows(body)?),
        3 => Outcome::Keyspace(body.string()?),
        4 => prepared(body)?,
        5 => {
            let (change, target) = (body.string()?, body.string()?);
            let mut names = vec![body.string()?];
            if target != "KEYSPACE" {
                names.push(body.string()?);
            }
            if target == "FUNCTION" || target == "AGGREGATE" {
                names.extend(body.strings()?);
            }
            Outcome::SchemaChange([vec![change, target], names].concat())
        }
        kind => bail!("a result of kind {kind}"),
    })
}

fn rows(body: &mut Reader) -> Result<Rows> {
    let flags = body.int()?;
    let count = body.int()?;
    let next = if flags & 0x02 != 0 { body.bytes()? } else { None };
    ensure!(flags & 0x04 == 0, "the metadata was not to be left out");
    let columns = columns(body, flags, count)?;
    let mut rows = Vec::new();
    for _ in 0..body.int()? {
        rows.push(columns.iter().map(|_| body.bytes()).collect::<Result<_>>()?);
    }
    Ok(Rows { columns, rows, next })
}

fn prepared(body: &mut Reader) -> Result<Outcome> {
    let length = body.short()?;
    let id = body.take(length.into())?.to_vec();
    let (flags, count) = (body.int()?, body.int()?);
    let partition_key = (0..body.int()?).map(|_| body.short()).collect::<Result<_>>()?;
    let binds = columns(body, flags, count)?;
    let (flags, count) = (body.int()?, body.int()?);
    if flags & 0x04 == 0 {
        columns(body, flags, count)?;
    }
    Ok(Outcome::Prepared(Prepared {
        id,
        binds,
        partition_key,
    }))
}

fn columns(body: &mut Reader, flags: u32, count: u32) -> Result<Vec<Column>> {
    let global = flags & 0x01 != 0;
    if count > 0 && global {
        body.string()?;
        body.string()?;
    }
    let mut columns = Vec::new();
    for _ in 0..count {
        if !global {
            body.string()?;
            body.string()?;
        }
        columns.push(Column {
            name: body.string()?,
            kind: Type::read(body)?,
        });
    }
    Ok(columns)
}

/// The rest of a body.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .context("the bytes end too early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// An `[int]`.
    pub fn int(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into()?))
    }

    /// A `[short]`.
    pub fn short(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into()?))
    }

    /// A `[string]`.
    pub fn string(&mut self) -> Result<String> {
        let length = self.short()?;
        Ok(String::from_utf8(self.take(length.into())?.to_vec())?)
    }

    /// A `[string list]`.
    pub fn strings(&mut self) -> Result<Vec<String>> {
        (0..self.short()?).map(|_| self.string()).collect()
    }

    /// `[bytes]`; none when null.
    pub fn bytes(&mut self) -> Result<Option<Vec<u8>>> {
        let length = self.int()? as i32;
        if length < 0 {
            return Ok(None);
        }
        Ok(Some(self.take(length as usize)?.to_vec()))
    }
}
