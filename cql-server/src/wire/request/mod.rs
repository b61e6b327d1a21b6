//! Requests, decoded: values stay slices of the received buffer.
//!
//! Knows: the bodies of QUERY, PREPARE, EXECUTE, BATCH, STARTUP, REGISTER and AUTH_RESPONSE.
//! Never: whether a statement exists, or what its values mean.

use super::{read::Reader, version::Version};
use crate::{
    engine::{Consistency, Parameters, Value},
    error::{CqlError, Result},
    statements::batch::BatchKind,
};
use bytes::Bytes;

/// Bits of a query's flags.
mod flags {
    pub(super) const VALUES: u32 = 0x01;
    pub(super) const SKIP_METADATA: u32 = 0x02;
    pub(super) const PAGE_SIZE: u32 = 0x04;
    pub(super) const PAGING_STATE: u32 = 0x08;
    pub(super) const SERIAL_CONSISTENCY: u32 = 0x10;
    pub(super) const TIMESTAMP: u32 = 0x20;
    pub(super) const NAMES: u32 = 0x40;
    pub(super) const KEYSPACE: u32 = 0x80;
    pub(super) const NOW_IN_SECONDS: u32 = 0x100;
    /// PREPARE has one flag of its own.
    pub(super) const PREPARE_KEYSPACE: u32 = 0x01;
}

/// QUERY.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) text: String,
    pub(crate) parameters: Parameters,
    pub(crate) skip_metadata: bool,
}

impl Query {
    pub(crate) fn read(body: &mut Reader, version: Version) -> Result<Self> {
        let text = body.long_string()?;
        let (parameters, skip_metadata) = parameters(body, version)?;
        Ok(Query {
            text,
            parameters,
            skip_metadata,
        })
    }
}

/// PREPARE.
#[derive(Debug, Clone)]
pub(crate) struct Prepare {
    pub(crate) text: String,
    /// The keyspace for names without one, in place of the session's.
    pub(crate) keyspace: Option<String>,
}

impl Prepare {
    pub(crate) fn read(body: &mut Reader, version: Version) -> Result<Self> {
        let text = body.long_string()?;
        let flags = if version.has_segments() { body.u32()? } else { 0 };
        let named = flags & flags::PREPARE_KEYSPACE != 0;
        let keyspace = named.then(|| body.string()).transpose()?;
        Ok(Prepare { text, keyspace })
    }
}

/// EXECUTE.
#[derive(Debug, Clone)]
pub(crate) struct Execute {
    pub(crate) id: Bytes,
    /// From version 5 on: the result metadata that the client knows.
    pub(crate) metadata_id: Option<Bytes>,
    pub(crate) parameters: Parameters,
    pub(crate) skip_metadata: bool,
}

impl Execute {
    pub(crate) fn read(body: &mut Reader, version: Version) -> Result<Self> {
        let id = body.short_bytes()?;
        let metadata_id = version.has_segments().then(|| body.short_bytes()).transpose()?;
        let (parameters, skip_metadata) = parameters(body, version)?;
        Ok(Execute {
            id,
            metadata_id,
            parameters,
            skip_metadata,
        })
    }
}

/// What a batch names: a text, or the id of a prepared statement.
#[derive(Debug, Clone)]
pub(crate) enum Named {
    Text(String),
    Prepared(Bytes),
}

/// BATCH.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) kind: BatchKind,
    pub(crate) statements: Vec<(Named, Vec<Value>)>,
    /// Without values: each statement has its own.
    pub(crate) parameters: Parameters,
}

impl Batch {
    pub(crate) fn read(body: &mut Reader, version: Version) -> Result<Self> {
        let kind = match body.u8()? {
            0 => BatchKind::Logged,
            1 => BatchKind::Unlogged,
            2 => BatchKind::Counter,
            other => return Err(CqlError::Protocol(format!("Invalid BATCH message type {other}"))),
        };
        // A kind, a length and a count: no statement takes less.
        let count = body.counted(5)?;
        let mut statements = Vec::with_capacity(count);
        for _ in 0..count {
            let statement = match body.u8()? {
                0 => Named::Text(body.long_string()?),
                1 => Named::Prepared(body.short_bytes()?),
                other => {
                    return Err(CqlError::Protocol(format!(
                        "Invalid query kind in BATCH messages. Must be 0 or 1 but got {other}"
                    )));
                }
            };
            statements.push((statement, values(body, version)?));
        }
        let (parameters, _) = parameters(body, version)?;
        Ok(Batch {
            kind,
            statements,
            parameters,
        })
    }
}

/// Consistency, flags, and what the flags say follows. Answers whether metadata may be left out, too.
fn parameters(body: &mut Reader, version: Version) -> Result<(Parameters, bool)> {
    let mut told = Parameters {
        consistency: consistency(body)?,
        ..Parameters::default()
    };
    let flags = if version.has_segments() {
        body.u32()?
    } else {
        u32::from(body.u8()?)
    };
    let has = |flag| flags & flag != 0;
    if has(flags::VALUES) && has(flags::NAMES) {
        let count = body.counted(6)?;
        let mut names = Vec::with_capacity(count);
        told.values.reserve_exact(count);
        for _ in 0..count {
            names.push(body.string()?);
            told.values.push(body.value(version)?);
        }
        told.names = Some(names);
    } else if has(flags::VALUES) {
        told.values = values(body, version)?;
    }
    if has(flags::PAGE_SIZE) {
        let size = body.i32()?;
        if size == 0 {
            return Err(CqlError::Protocol("The page size cannot be 0".to_owned()));
        }
        told.page_size = Some(size).filter(|size| *size > 0);
    }
    if has(flags::PAGING_STATE) {
        told.paging_state = body.bytes()?;
    }
    if has(flags::SERIAL_CONSISTENCY) {
        told.serial_consistency = Some(consistency(body)?);
    }
    if has(flags::TIMESTAMP) {
        told.timestamp_us = Some(timestamp(body.i64()?)?);
    }
    if has(flags::KEYSPACE) {
        told.keyspace = Some(body.string()?.into());
    }
    if has(flags::NOW_IN_SECONDS) {
        told.now_in_seconds = Some(body.i32()?);
    }
    Ok((told, has(flags::SKIP_METADATA)))
}

fn values(body: &mut Reader, version: Version) -> Result<Vec<Value>> {
    let count = body.counted(4)?;
    (0..count).map(|_| body.value(version)).collect()
}

fn timestamp(microseconds: i64) -> Result<i64> {
    match microseconds {
        i64::MIN => Err(CqlError::Protocol(format!(
            "Out of bound timestamp, must be in [{}, {}] (got {})",
            i64::MIN + 1,
            i64::MAX,
            i64::MIN
        ))),
        _ => Ok(microseconds),
    }
}

fn consistency(body: &mut Reader) -> Result<Consistency> {
    use Consistency::*;
    const BY_CODE: [Consistency; 11] = [
        Any,
        One,
        Two,
        Three,
        Quorum,
        All,
        LocalQuorum,
        EachQuorum,
        Serial,
        LocalSerial,
        LocalOne,
    ];
    let code = body.u16()?;
    BY_CODE
        .get(usize::from(code))
        .copied()
        .ok_or_else(|| CqlError::Protocol(format!("Unknown code {code} for a consistency level")))
}

/// What clients can ask to be told of: a bit each.
pub(crate) mod events {
    pub(crate) const TOPOLOGY_CHANGE: u8 = 1;
    pub(crate) const STATUS_CHANGE: u8 = 2;
    pub(crate) const SCHEMA_CHANGE: u8 = 4;
}

/// REGISTER: the events asked for, as bits of [`events`].
pub(crate) fn register(body: &mut Reader) -> Result<u8> {
    body.string_list()?.into_iter().try_fold(0, |asked, name| {
        let name = name.to_uppercase();
        let bit = match name.as_str() {
            "TOPOLOGY_CHANGE" => events::TOPOLOGY_CHANGE,
            "STATUS_CHANGE" => events::STATUS_CHANGE,
            "SCHEMA_CHANGE" => events::SCHEMA_CHANGE,
            // Of the original, which has no such events for a cluster without tracing of its own.
            "TRACE_COMPLETE" => 0,
            _ => return Err(CqlError::Protocol(format!("Invalid value '{name}' for Type"))),
        };
        Ok(asked | bit)
    })
}

#[cfg(test)]
mod tests;
