//! Prepares and executes statements: the shell around the schema and the store.
//!
//! Knows: the current schema, the store, clock and chance, prepared statements. Never: frames, opcodes, sockets.

mod binding;
mod building;
mod calls;
mod clients;
mod collecting;
mod conditional;
mod consistency;
mod define;
mod disk;
mod estimates;
mod failures;
mod gathering;
mod guard;
mod locks;
mod node;
mod plans;
mod prepared;
mod roles;
mod running;
mod service;
mod session;
mod shown;
mod spread;
mod steps;
mod syncing;
#[cfg(test)]
mod tests;
mod time;
mod turns;
mod usage;
mod views;
mod weight;

pub(crate) use crate::core::schema::SchemaChange;
pub(crate) use calls::{BatchStatement, Description, Pending, PreparedStatement, Statements};
pub(crate) use clients::{Clients, Present};
pub(crate) use consistency::Consistency;
pub(crate) use gathering::Gathering;
pub(crate) use node::{Engine, Identity};
#[cfg(any(test, feature = "internals"))]
pub(crate) use prepared::prepare;
pub(crate) use prepared::{BatchPlan, Prepared};
pub(crate) use session::Session;
pub(crate) use steps::Steps;
pub(crate) use turns::Pace;

use crate::core::types::CqlType;
use bytes::Bytes;
use std::sync::Arc;

/// A bound value: bytes of the frame that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Set(Bytes),
    Null,
    /// Leaves alone what it would have set.
    Unset,
}

/// What a request says beside the statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    pub(crate) consistency: Consistency,
    pub(crate) serial_consistency: Option<Consistency>,
    /// By position; named values are brought into position by whoever knows the statement.
    pub(crate) values: Vec<Value>,
    /// Names of `values`, where the client gave them.
    pub(crate) names: Option<Vec<String>>,
    pub(crate) page_size: Option<i32>,
    pub(crate) paging_state: Option<Bytes>,
    /// The client's default timestamp, microseconds.
    pub(crate) timestamp_us: Option<i64>,
    pub(crate) now_in_seconds: Option<i32>,
    /// The keyspace of this request alone (v5), else the session's.
    pub(crate) keyspace: Option<Arc<str>>,
    /// Where its steps are noted, if it is traced.
    pub(crate) steps: Option<Steps>,
    /// With whose writes its own are stored; nobody's, where there is none.
    pub(crate) gathering: Option<Arc<Gathering>>,
}

/// A column of a result or a bind marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnSpec {
    pub(crate) keyspace: Arc<str>,
    pub(crate) table: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) kind: CqlType,
}

/// Rows in the form in which they leave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) columns: Arc<[ColumnSpec]>,
    /// How many rows `content` holds.
    pub(crate) count: u32,
    /// Each value as `[bytes]` of the protocol, row after row.
    pub(crate) content: Bytes,
    /// Where the next page goes on.
    pub(crate) paging_state: Option<Bytes>,
}

/// What a statement gives.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Void,
    Rows(Rows),
    SetKeyspace(Arc<str>),
    SchemaChange(SchemaChange),
}

/// An outcome with what is told beside it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) warnings: Vec<String>,
}
