//! Built-in functions: scalar, aggregate, casts and operators.
//!
//! Knows: their names, overloads, and what they give. Never: the rows they are applied to; the time but as an argument.

mod aggregates;
mod casts;
mod collections;
mod conversions;
mod masking;
mod math;
mod number;
mod operators;
mod resolve;
mod time;
pub(crate) mod vectors;

pub(crate) use aggregates::Accumulator;
pub(crate) use operators::Operator;
pub(crate) use resolve::{Fit, Given, Wanted, cast, negation, operation, resolve};

use crate::core::types::{CqlType, Native};
use crate::error::{CqlError, Result};
use std::fmt;
use std::sync::Arc;

/// What a call brings along beside its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Milliseconds since 1970.
    pub(crate) now_ms: i64,
    /// Random bits, for functions that make unique values.
    pub(crate) random: &'a dyn Fn() -> u64,
}

/// What a scalar function does. An argument that is null is `None`.
type Scalar = dyn Fn(&[Option<&[u8]>], &Context<'_>) -> Result<Option<Vec<u8>>> + Send + Sync;

#[derive(Clone)]
enum Body {
    Scalar(Arc<Scalar>),
    Aggregate(aggregates::Kind),
}

/// A function, with the types that it has been found for.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) arguments: Vec<CqlType>,
    pub(crate) returns: CqlType,
    /// Whether equal arguments always give the same: what is not pure is not calculated ahead.
    pub(crate) pure: bool,
    body: Body,
}

impl Function {
    fn scalar(
        name: impl Into<Arc<str>>,
        arguments: Vec<CqlType>,
        returns: impl Into<CqlType>,
        body: impl Fn(&[Option<&[u8]>], &Context<'_>) -> Result<Option<Vec<u8>>> + Send + Sync + 'static,
    ) -> Function {
        let body = Body::Scalar(Arc::new(body));
        Function {
            name: name.into(),
            arguments,
            returns: returns.into(),
            pure: true,
            body,
        }
    }

    /// A function of one argument that gives null for null.
    fn of_one(
        name: impl Into<Arc<str>>,
        argument: impl Into<CqlType>,
        returns: impl Into<CqlType>,
        body: impl Fn(&[u8]) -> Result<Option<Vec<u8>>> + Send + Sync + 'static,
    ) -> Function {
        Function::scalar(
            name,
            vec![argument.into()],
            returns,
            move |arguments, _| match arguments {
                [Some(argument)] => body(argument),
                _ => Ok(None),
            },
        )
    }

    /// Whether it makes one value of many rows.
    pub(crate) fn is_aggregate(&self) -> bool {
        matches!(self.body, Body::Aggregate(_))
    }

    /// Calls a scalar function.
    pub(crate) fn call(&self, arguments: &[Option<&[u8]>], context: &Context<'_>) -> Result<Option<Vec<u8>>> {
        match &self.body {
            Body::Scalar(body) => body(arguments, context),
            Body::Aggregate(_) => Err(CqlError::Server(format!("{} is an aggregate", self.name))),
        }
    }

    /// What an aggregate gathers values in; `None` of a scalar function.
    pub(crate) fn accumulator(&self) -> Option<Accumulator> {
        match &self.body {
            Body::Aggregate(kind) => Some(Accumulator::new(*kind, self.arguments.first())),
            Body::Scalar(_) => None,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(CqlType::to_string).collect();
        write!(
            f,
            "system.{} : ({}) -> {}",
            self.name,
            arguments.join(", "),
            self.returns
        )
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What fails inside a function without a name of its own: the original answers a server error.
fn failed(why: impl Into<String>) -> CqlError {
    CqlError::Server(why.into())
}

fn native(kind: &CqlType) -> Option<Native> {
    match kind {
        CqlType::Native(native) => Some(*native),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
