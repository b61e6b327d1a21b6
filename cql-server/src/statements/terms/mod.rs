//! Terms made ready: what a statement's values are, once its markers are bound.
//!
//! Knows: which type a place wants, and the original's words where a term does not fit it. Never: where values go.

mod computed;
mod evaluate;
mod given;
mod prepare;

pub(crate) use evaluate::{Values, build};
pub(crate) use given::{compound_fit, literal_fit, preferred};
pub(crate) use prepare::{Planner, Receiver, fits, shown};

use crate::core::{functions::Function, types::CqlType};
use bytes::Bytes;

/// A term whose type is known.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    /// A value that needs no binding; `None` is null.
    Constant(Option<Bytes>),
    Marker {
        index: usize,
        kind: CqlType,
    },
    /// A collection, vector, tuple or user type, put together from its parts.
    Compound {
        kind: CqlType,
        parts: Vec<Prepared>,
    },
    Call {
        function: Function,
        arguments: Vec<Prepared>,
    },
    /// `token(...)` of the columns of a partition key.
    Token(Vec<Prepared>),
}

impl Prepared {
    fn is_constant(&self) -> bool {
        matches!(self, Prepared::Constant(_))
    }
}
