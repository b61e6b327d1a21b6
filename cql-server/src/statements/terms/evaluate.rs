use super::Prepared;
use crate::{
    core::{
        functions::{Context, Function},
        types::{self, CqlType, compare, elements, token},
    },
    engine::Value,
    error::{CqlError, Result},
};
use bytes::Bytes;

/// What one execution brings along.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) bound: &'a [Value],
    /// Milliseconds since 1970, for functions of time.
    pub(crate) now_ms: i64,
    /// For functions that make unique values.
    pub(crate) random: &'a server_kit::Random,
}

impl<'a> Values<'a> {
    /// What functions are told beside their arguments.
    pub(crate) fn context<'c>(&self, random: &'c dyn Fn() -> u64) -> Context<'c> {
        Context {
            now_ms: self.now_ms,
            random,
        }
    }
}

/// Of a list with null elements the original finds out when it is to store them one by one.
fn unstorable(kind: &CqlType, error: CqlError) -> CqlError {
    match error {
        CqlError::Invalid(why)
            if why == types::validate::NULL_ELEMENT && matches!(kind, CqlType::List { frozen: false, .. }) =>
        {
            CqlError::Server(
                "java.lang.NullPointerException: Cannot invoke \"java.nio.ByteBuffer.remaining()\" because \"value\" is null"
                    .to_owned(),
            )
        }
        error => error,
    }
}

impl Prepared {
    /// The value, with the markers bound.
    pub(crate) fn evaluate(&self, values: &Values<'_>) -> Result<Value> {
        match self {
            Prepared::Constant(Some(value)) => Ok(Value::Set(value.clone())),
            Prepared::Constant(None) => Ok(Value::Null),
            Prepared::Marker { index, kind, .. } => {
                let value = values.bound.get(*index).unwrap_or(&Value::Null);
                if let Value::Set(bytes) = value {
                    types::validate(kind, bytes).map_err(|error| unstorable(kind, error))?;
                }
                Ok(value.clone())
            }
            Prepared::Compound { kind, parts } => {
                let mut found = Vec::with_capacity(parts.len());
                for part in parts {
                    found.push(part.evaluate(values)?);
                }
                build(kind, found).map(Value::Set)
            }
            Prepared::Call { function, arguments } => {
                let mut found = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    found.push(argument.evaluate(values)?);
                }
                call(function, found, &values.context(&|| values.random.next_u64()))
            }
            Prepared::Token(parts) => {
                let mut key = Vec::with_capacity(parts.len());
                for part in parts {
                    match part.bytes(values)? {
                        Some(bytes) => key.push(bytes),
                        None => return Ok(Value::Null),
                    }
                }
                let token = token::token(&token::partition_key(&key));
                Ok(Value::Set(Bytes::copy_from_slice(&token.to_be_bytes())))
            }
        }
    }

    /// The value where null and unset mean the same.
    pub(crate) fn bytes(&self, values: &Values<'_>) -> Result<Option<Bytes>> {
        Ok(self.evaluate(values)?.bytes())
    }

    /// Itself as a constant; it holds no marker.
    pub(super) fn folded(self) -> Result<Prepared> {
        match self {
            Prepared::Compound { kind, parts } => {
                let constants = parts.into_iter().map(|part| match part {
                    Prepared::Constant(Some(value)) => Value::Set(value),
                    _ => Value::Null,
                });
                Ok(Prepared::Constant(Some(build(&kind, constants.collect())?)))
            }
            Prepared::Call { function, arguments } => {
                let constants = arguments.into_iter().map(|argument| match argument {
                    Prepared::Constant(Some(value)) => Value::Set(value),
                    _ => Value::Null,
                });
                // What is pure asks neither for the time nor for chance.
                let context = Context {
                    now_ms: 0,
                    random: &|| 0,
                };
                Ok(Prepared::Constant(
                    call(&function, constants.collect(), &context)?.bytes(),
                ))
            }
            other => Ok(other),
        }
    }
}

impl Value {
    /// The bytes, where null and unset mean the same.
    pub(crate) fn bytes(self) -> Option<Bytes> {
        match self {
            Value::Set(bytes) => Some(bytes),
            Value::Null | Value::Unset => None,
        }
    }
}

fn call(function: &Function, arguments: Vec<Value>, context: &Context<'_>) -> Result<Value> {
    if arguments.contains(&Value::Unset) {
        return Err(CqlError::invalid(format!(
            "Invalid unset value for argument in call to function system.{}",
            function.name
        )));
    }
    let arguments: Vec<Option<Bytes>> = arguments.into_iter().map(Value::bytes).collect();
    let borrowed: Vec<Option<&[u8]>> = arguments.iter().map(Option::as_deref).collect();
    let result = function.call(&borrowed, context)?;
    Ok(result.map_or(Value::Null, |value| Value::Set(value.into())))
}

/// Puts a value together from its parts.
pub(crate) fn build(kind: &CqlType, parts: Vec<Value>) -> Result<Bytes> {
    let built = match kind {
        CqlType::List { .. } => elements::collection(filled("collections", parts)?),
        CqlType::Set { of, .. } => {
            let mut parts = filled("collections", parts)?;
            parts.sort_by(|a, b| compare(of, a, b));
            parts.dedup_by(|a, b| compare(of, a, b).is_eq());
            elements::collection(parts)
        }
        CqlType::Map { key, .. } => map(key, filled("collections", parts)?),
        CqlType::Vector { of, .. } => elements::vector(of, filled("vectors", parts)?),
        _ => elements::tuple(parts.into_iter().map(Value::bytes)),
    };
    Ok(built.into())
}

/// Of entries with the same key the last one counts.
fn map(key: &CqlType, parts: Vec<Bytes>) -> Vec<u8> {
    let mut entries: Vec<&[Bytes]> = parts.chunks_exact(2).rev().collect();
    entries.sort_by(|a, b| compare(key, &a[0], &b[0]));
    entries.dedup_by(|a, b| compare(key, &a[0], &b[0]).is_eq());
    let mut out = elements::Collection::default();
    for entry in entries {
        out.entry(&entry[0], &entry[1]);
    }
    out.finish()
}

fn filled(kinds: &str, parts: Vec<Value>) -> Result<Vec<Bytes>> {
    parts
        .into_iter()
        .map(|part| match part {
            Value::Set(bytes) => Ok(bytes),
            Value::Null => Err(CqlError::invalid(format!("null is not supported inside {kinds}"))),
            Value::Unset => Err(CqlError::invalid(format!(
                "unset value is not supported inside {kinds}"
            ))),
        })
        .collect()
}
