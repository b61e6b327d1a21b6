//! Answers and events, encoded.
//!
//! Knows: the bodies of everything a server sends but errors. Never: how an answer came about.

use super::{
    envelope::{Envelope, flags},
    ids::Id,
    opcode::Opcode,
    types::put_type,
    version::Version,
    write::Put,
};
use crate::engine::{ColumnSpec, Outcome, Rows, SchemaChange};
use bytes::{BufMut, Bytes, BytesMut};

/// The CQL version that SUPPORTED tells.
pub(crate) const CQL_VERSION: &str = "3.4.7";

/// A message before it is put into an envelope.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) opcode: Opcode,
    pub(crate) flags: u8,
    pub(crate) body: BytesMut,
    /// Rows as they were written.
    pub(crate) content: Bytes,
}

/// Kinds of RESULT.
mod kinds {
    pub(super) const VOID: i32 = 1;
    pub(super) const ROWS: i32 = 2;
    pub(super) const SET_KEYSPACE: i32 = 3;
    pub(super) const PREPARED: i32 = 4;
    pub(super) const SCHEMA_CHANGE: i32 = 5;
}

/// Bits of the flags of metadata.
mod metadata {
    pub(super) const GLOBAL_TABLE: i32 = 1;
    pub(super) const MORE_PAGES: i32 = 2;
    pub(super) const NONE: i32 = 4;
    pub(super) const CHANGED: i32 = 8;
}

/// How much rows tell of their columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metadata {
    Whole,
    /// The client said that it knows.
    Left,
    /// What the client knows is no longer so: this is the new id.
    Changed(Id),
}

impl Message {
    pub(crate) fn new(opcode: Opcode, body: BytesMut) -> Self {
        Message {
            opcode,
            flags: 0,
            body,
            content: Bytes::new(),
        }
    }

    /// On its way to `stream`.
    pub(crate) fn into_envelope(self, version: Version, stream: i16) -> Envelope {
        Envelope {
            version: version.number(),
            flags: self.flags,
            stream,
            opcode: self.opcode,
            body: self.body,
            content: self.content,
        }
    }

    pub(crate) fn ready() -> Self {
        Message::new(Opcode::Ready, BytesMut::new())
    }

    /// `class`: the Java class of the authenticator, by which drivers choose what they answer.
    pub(crate) fn authenticate(class: &str) -> Self {
        let mut body = BytesMut::new();
        body.put_string(class);
        Message::new(Opcode::Authenticate, body)
    }

    pub(crate) fn auth_success() -> Self {
        let mut body = BytesMut::new();
        body.put_bytes_or_null(None);
        Message::new(Opcode::AuthSuccess, body)
    }

    pub(crate) fn supported() -> Self {
        let mut body = BytesMut::with_capacity(128);
        body.put_string_multimap(&[
            ("PROTOCOL_VERSIONS", &super::version::SUPPORTED),
            ("COMPRESSION", &["snappy", "lz4"]),
            ("CQL_VERSION", &[CQL_VERSION]),
        ]);
        Message::new(Opcode::Supported, body)
    }

    /// What a statement gave.
    pub(crate) fn result(outcome: Outcome, version: Version, told: Metadata) -> Self {
        let mut body = BytesMut::with_capacity(64);
        match outcome {
            Outcome::Void => body.put_i32(kinds::VOID),
            Outcome::Rows(rows) => return Message::rows(rows, version, told),
            Outcome::SetKeyspace(keyspace) => {
                body.put_i32(kinds::SET_KEYSPACE);
                body.put_string(&keyspace);
            }
            Outcome::SchemaChange(change) => {
                body.put_i32(kinds::SCHEMA_CHANGE);
                put_schema_change(&mut body, &change);
            }
        }
        Message::new(Opcode::Result, body)
    }

    fn rows(rows: Rows, version: Version, told: Metadata) -> Self {
        let mut body = BytesMut::with_capacity(64);
        body.put_i32(kinds::ROWS);
        put_metadata(
            &mut body,
            &rows.columns,
            rows.paging_state.as_deref(),
            version,
            told,
        );
        body.put_u32(rows.count);
        Message {
            content: rows.content,
            ..Message::new(Opcode::Result, body)
        }
    }

    /// Puts what goes before any body: the id of its trace, and warnings, which version 3 cannot tell.
    pub(crate) fn preceded(mut self, version: Version, trace: Option<[u8; 16]>, warnings: &[String]) -> Self {
        let warnings = if version >= Version::V4 { warnings } else { &[] };
        if trace.is_none() && warnings.is_empty() {
            return self;
        }
        let mut body = BytesMut::with_capacity(64 + self.body.len());
        if let Some(id) = trace {
            self.flags |= flags::TRACING;
            body.put_slice(&id);
        }
        if !warnings.is_empty() {
            self.flags |= flags::WARNING;
            body.put_string_list(warnings);
        }
        body.extend_from_slice(&self.body);
        self.body = body;
        self
    }
}

/// What PREPARE answers.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    pub(crate) id: Id,
    pub(crate) metadata_id: Id,
    /// A column for each bind marker.
    pub(crate) markers: &'a [ColumnSpec],
    /// Which markers make up the partition key, in its order; empty where some of it is not bound.
    pub(crate) partition_key: &'a [u16],
    /// Of the rows; empty where the statement gives none.
    pub(crate) columns: &'a [ColumnSpec],
}

impl Prepared<'_> {
    pub(crate) fn message(&self, version: Version) -> Message {
        let mut body = BytesMut::with_capacity(256);
        body.put_i32(kinds::PREPARED);
        body.put_short_bytes(&self.id);
        if version.has_segments() {
            body.put_short_bytes(&self.metadata_id);
        }
        let table = shared_table(self.markers);
        body.put_i32(table.map_or(0, |_| metadata::GLOBAL_TABLE));
        body.put_i32(self.markers.len() as i32);
        if version >= Version::V4 {
            body.put_i32(self.partition_key.len() as i32);
            self.partition_key.iter().for_each(|at| body.put_u16(*at));
        }
        put_columns(&mut body, self.markers, table, version);
        let told = if self.columns.is_empty() {
            Metadata::Left
        } else {
            Metadata::Whole
        };
        put_metadata(&mut body, self.columns, None, version, told);
        Message::new(Opcode::Result, body)
    }
}

fn put_metadata(
    out: &mut BytesMut,
    columns: &[ColumnSpec],
    paging_state: Option<&[u8]>,
    version: Version,
    told: Metadata,
) {
    let table = shared_table(columns).filter(|_| told != Metadata::Left);
    let more = paging_state.map_or(0, |_| metadata::MORE_PAGES);
    let extent = match told {
        Metadata::Whole => 0,
        Metadata::Left => metadata::NONE,
        Metadata::Changed(_) => metadata::CHANGED,
    };
    out.put_i32(table.map_or(0, |_| metadata::GLOBAL_TABLE) | more | extent);
    out.put_i32(columns.len() as i32);
    if paging_state.is_some() {
        out.put_bytes_or_null(paging_state);
    }
    if let Metadata::Changed(id) = told {
        out.put_short_bytes(&id);
    }
    if told != Metadata::Left {
        put_columns(out, columns, table, version);
    }
}

/// The table that all `columns` are of.
fn shared_table(columns: &[ColumnSpec]) -> Option<&ColumnSpec> {
    let (first, rest) = columns.split_first()?;
    let same = |column: &ColumnSpec| column.keyspace == first.keyspace && column.table == first.table;
    rest.iter().all(same).then_some(first)
}

fn put_columns(out: &mut BytesMut, columns: &[ColumnSpec], table: Option<&ColumnSpec>, version: Version) {
    if let Some(of) = table {
        out.put_string(&of.keyspace);
        out.put_string(&of.table);
    }
    for column in columns {
        if table.is_none() {
            out.put_string(&column.keyspace);
            out.put_string(&column.table);
        }
        out.put_string(&column.name);
        put_type(out, &column.kind, version);
    }
}

fn put_schema_change(out: &mut BytesMut, change: &SchemaChange) {
    out.put_string(change.change);
    out.put_string(change.target);
    out.put_string(&change.keyspace);
    if change.target != "KEYSPACE" {
        out.put_string(&change.name);
    }
    if matches!(change.target, "FUNCTION" | "AGGREGATE") {
        out.put_string_list(&change.arguments);
    }
}

/// Something that clients registered for.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Schema(SchemaChange),
}

impl Event {
    /// `None` where the version has no words for it.
    pub(crate) fn message(&self, version: Version) -> Option<Message> {
        let mut body = BytesMut::with_capacity(64);
        match self {
            Event::Schema(change) => {
                // Version 3 knows neither functions nor aggregates: the original tells it that the keyspace changed.
                let is_function = matches!(change.target, "FUNCTION" | "AGGREGATE");
                body.put_string("SCHEMA_CHANGE");
                if is_function && version < Version::V4 {
                    return None;
                }
                put_schema_change(&mut body, change);
            }
        }
        Some(Message::new(Opcode::Event, body))
    }
}

#[cfg(test)]
mod tests;
