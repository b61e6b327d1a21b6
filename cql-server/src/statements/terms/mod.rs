//! Terms made ready: what a statement's values are, once its markers are bound.
//!
//! Knows: which type a place wants, and the original's words where a term does not fit it. Never: where values go.

mod evaluate;
mod prepare;

pub(crate) use evaluate::Values;
pub(crate) use prepare::{Planner, Receiver, fits, shown};

use crate::core::types::CqlType;
use bytes::Bytes;
use std::sync::Arc;

/// A term whose type is known.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    /// A value that needs no binding; `None` is null.
    Constant(Option<Bytes>),
    Marker {
        index: usize,
        kind: CqlType,
        name: Arc<str>,
    },
    /// A collection, vector, tuple or user type, put together from its parts.
    Compound { kind: CqlType, parts: Vec<Prepared> },
    /// `token(...)` of the columns of a partition key.
    Token(Vec<Prepared>),
}

impl Prepared {
    fn is_constant(&self) -> bool {
        matches!(self, Prepared::Constant(_))
    }
}
