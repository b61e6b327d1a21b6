//! A way in for fuzz targets and micro-benchmarks, which are crates of their own. Behind the feature `internals`;
//! nothing here is an interface to build on.

use crate::{
    core::{
        rows::{RowWriter, Stamp},
        schema::Schema,
        types::{CqlType, Native, ordered, token},
    },
    state::rows::Partition,
    statements::{Statement, ddl::Circumstances},
    wire::{
        compression::Compression,
        envelope::{HEADER_BYTES, Header},
        opcode::Opcode,
        read::Reader,
        request::{self, Batch, Execute, Prepare, Query},
        segment::Format,
        version::Version,
    },
};
use bytes::Bytes;
use std::sync::Arc;

#[cfg(test)]
mod tests;
mod values;

pub use values::{json_value, key, paging_state, stored_statements, value};

/// What a compressed body may say that it expands to here.
const EXPANDED_BYTES_MAX: usize = 1 << 20;

/// Reads an envelope as a connection that has agreed on no version does. Whether it is a request.
pub fn decode_envelope(frame: &Bytes) -> bool {
    let Some(header) = frame.first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    match Header::read(header, None) {
        Ok(header) => decode_request(
            header.opcode as u8,
            header.version.number(),
            frame.slice(HEADER_BYTES..),
        ),
        Err(_) => false,
    }
}

/// Reads the body of a request. Whether it is well-formed.
pub fn decode_request(opcode: u8, version: u8, body: Bytes) -> bool {
    let (Some(opcode), Some(version)) = (Opcode::of(opcode), Version::of(version)) else {
        return false;
    };
    let mut body = Reader::new(body);
    match opcode {
        Opcode::Startup => body.string_map().is_ok(),
        Opcode::Query => Query::read(&mut body, version).is_ok(),
        Opcode::Prepare => Prepare::read(&mut body, version).is_ok(),
        Opcode::Execute => Execute::read(&mut body, version).is_ok(),
        Opcode::Batch => Batch::read(&mut body, version).is_ok(),
        Opcode::Register => request::register(&mut body).is_ok(),
        _ => false,
    }
}

/// Reads segments as long as they are whole. How many there are.
pub fn decode_segments(lz4: bool, mut bytes: Bytes) -> usize {
    let format = if lz4 { Format::Lz4 } else { Format::Plain };
    let mut count = 0;
    while let Ok(Some(header)) = format.read_header(&bytes) {
        let total = format.header_bytes() + header.stored + crate::wire::segment::TRAILER_BYTES;
        if bytes.len() < total {
            break;
        }
        let segment = bytes.split_to(total).slice(format.header_bytes()..);
        if format.payload(header, segment).is_err() {
            break;
        }
        count += 1;
    }
    count
}

/// Makes the checksums of the segment at the start of `bytes` hold, or nothing behind them is ever reached.
pub fn repair_segment(lz4: bool, bytes: &mut [u8]) {
    use crate::wire::segment::{Header, PAYLOAD_MAX, TRAILER_BYTES, crc_of};
    let format = if lz4 { Format::Lz4 } else { Format::Plain };
    let (start, end) = (format.header_bytes(), bytes.len().saturating_sub(TRAILER_BYTES));
    if end <= start || end - start > PAYLOAD_MAX {
        return;
    }
    let header = Header {
        stored: end - start,
        uncompressed: if lz4 { usize::from(bytes[0]) } else { 0 },
        self_contained: bytes[1] & 1 == 1,
    };
    format.write_header(header, bytes);
    let crc = crc_of([&bytes[start..end]]);
    bytes[end..].copy_from_slice(&crc);
}

/// Expands the body of an envelope. Whether it does.
pub fn expand(snappy: bool, body: Bytes) -> bool {
    let compression = if snappy {
        Compression::Snappy
    } else {
        Compression::Lz4
    };
    match compression.uncompressed(&body) {
        Some(length) if length <= EXPANDED_BYTES_MAX => compression.expand(body, length).is_some(),
        _ => false,
    }
}

/// Reads a statement. Whether it is one.
pub fn parse(text: &str) -> bool {
    crate::syntax::parse(text).is_ok()
}

/// Tables to plan statements on.
#[derive(Debug)]
pub struct Sample(pub(crate) Arc<Schema>);

impl Default for Sample {
    fn default() -> Self {
        let mut schema = Schema::default();
        for text in [
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "CREATE TABLE ks.t (k bigint, c text, v text, n int, PRIMARY KEY (k, c))",
        ] {
            if let Ok(Statement::Ddl(ddl)) = crate::syntax::parse(text).map(|parsed| parsed.statement) {
                let cx = Circumstances {
                    materialized_views_enabled: false,
                    site: Arc::default(),
                    keyspace: None,
                    now_us: 0,
                    id: uuid::Uuid::nil(),
                };
                if let Ok(applied) = ddl.apply(&schema, &cx) {
                    schema = applied.schema;
                }
            }
        }
        Sample(Arc::new(schema))
    }
}

impl Sample {
    /// Reads a statement and prepares it. Whether it can be.
    pub fn plan(&self, text: &str) -> bool {
        crate::engine::prepare(&self.0, text, None).is_ok()
    }
}

/// Where the row of a key of one column and a text lies.
pub fn row_key(key: i64, clustering: &str) -> Bytes {
    let key = token::partition_key(&[key.to_be_bytes()]);
    let partition = Partition::new(1, token::token(&key), &key);
    let mut position = Vec::new();
    let text = CqlType::Native(Native::Text);
    match ordered::encode(&mut position, &text, false, Some(clustering.as_bytes())) {
        Ok(()) => partition.row_key(&position),
        Err(_) => Bytes::new(),
    }
}

/// A row of as many columns as there are values, as it is stored.
pub fn row(timestamp: i64, values: &[&[u8]]) -> Vec<u8> {
    let stamp = Stamp {
        timestamp,
        expiry: None,
    };
    let mut row = RowWriter::new(stamp, true, None);
    for (column, value) in (0..).zip(values) {
        row.value(column, None, value);
    }
    row.finish()
}

/// Folds versions of a row.
pub fn merge(existing: Option<&[u8]>, operands: &[&[u8]]) -> Vec<u8> {
    crate::core::rows::merge(existing, operands)
}
