//! JSON to values: what INSERT JSON and `from_json` take, with the original's words for what they do not take.

mod malformed;
mod reader;

pub(crate) use malformed::Malformed;
pub(crate) use reader::{Json, parse};

use super::elements::{self, Collection};
use super::{CqlType, Native, UserType, compare, literal, show};
use crate::error::{CqlError, Result};
use std::borrow::Cow;

/// The columns that a text of `INSERT ... JSON` names, in their order.
pub(crate) fn columns(text: &str) -> Result<Vec<(String, Json)>> {
    match reader::parse_map(text) {
        Ok(Some(entries)) => Ok(entries),
        Ok(None) => Err(CqlError::invalid("Got null for INSERT JSON values")),
        Err(why) => Err(CqlError::Invalid(format!(
            "Could not decode JSON string as a map: {}. (String was: {text})",
            why.with_class()
        ))),
    }
}

/// The column that a key of JSON names: one in quotes keeps its letters, any other is in lower case.
pub(crate) fn column_name(key: &str) -> String {
    match key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => key.to_lowercase(),
    }
}

/// The bytes of a value given in JSON. Null is for the caller: only it knows whether null may stand there.
pub(crate) fn value(kind: &CqlType, json: &Json) -> Result<Vec<u8>> {
    match kind {
        CqlType::Native(native) => return native_value(*native, json),
        CqlType::Custom(_) => return native_value(Native::Blob, json),
        _ => {}
    }
    let json = &*unwrapped(json)?;
    match kind {
        CqlType::List { of, .. } => list_of(of, json),
        CqlType::Set { of, .. } => set_of(of, json),
        CqlType::Map { key, value, .. } => map_of(key, value, json),
        CqlType::Tuple(parts) => tuple_of(parts, json),
        CqlType::Udt { of, .. } => user_type_of(of, json),
        CqlType::Vector { of, dimensions } => vector_of(of, usize::from(*dimensions), json),
        CqlType::Native(_) | CqlType::Custom(_) => native_value(Native::Blob, json),
    }
}

fn refused<T>(message: String) -> Result<T> {
    Err(CqlError::Invalid(message))
}

fn unexpected<T>(wanted: &str, json: &Json) -> Result<T> {
    refused(format!("{wanted}, but got a {}: {json}", json.class()))
}

/// Collections may also come as a text that holds them.
fn unwrapped(json: &Json) -> Result<Cow<'_, Json>> {
    match json {
        Json::Text(text) => match parse(text) {
            Ok(inner) => Ok(Cow::Owned(inner)),
            Err(why) => refused(format!("Error decoding JSON string: {why}")),
        },
        other => Ok(Cow::Borrowed(other)),
    }
}

fn items<'a>(json: &'a Json, wanted: &str) -> Result<&'a [Json]> {
    match json {
        Json::List(items) => Ok(items),
        other => unexpected(wanted, other),
    }
}

fn list_of(of: &CqlType, json: &Json) -> Result<Vec<u8>> {
    let mut out = Collection::default();
    for item in items(json, "Expected a list")? {
        if *item == Json::Null {
            return refused("Invalid null element in list".into());
        }
        out.push(&value(of, item)?);
    }
    Ok(out.finish())
}

fn set_of(of: &CqlType, json: &Json) -> Result<Vec<u8>> {
    let mut found = Vec::new();
    for item in items(json, "Expected a list (representing a set)")? {
        if *item == Json::Null {
            return refused("Invalid null element in set".into());
        }
        found.push(value(of, item)?);
    }
    found.sort_by(|a, b| compare(of, a, b));
    found.dedup_by(|a, b| compare(of, a, b).is_eq());
    Ok(elements::collection(found))
}

fn map_of(key: &CqlType, of: &CqlType, json: &Json) -> Result<Vec<u8>> {
    let Json::Map(entries) = json else {
        return unexpected("Expected a map", json);
    };
    let mut found = Vec::with_capacity(entries.len());
    for (name, item) in entries {
        if *item == Json::Null {
            return refused("Invalid null value in map".into());
        }
        found.push((value(key, &Json::Text(name.clone()))?, value(of, item)?));
    }
    // Of keys that are equal in CQL the last one counts.
    found.reverse();
    found.sort_by(|a, b| compare(key, &a.0, &b.0));
    found.dedup_by(|a, b| compare(key, &a.0, &b.0).is_eq());
    let mut out = Collection::default();
    found.iter().for_each(|(key, value)| out.entry(key, value));
    Ok(out.finish())
}

fn tuple_of(parts: &[CqlType], json: &Json) -> Result<Vec<u8>> {
    let given = items(json, "Expected a list representation of a tuple")?;
    let count = parts.len();
    if given.len() > count {
        return refused(format!("Tuple contains extra items (expected {count}): {json}"));
    }
    if given.len() < count {
        return refused(format!("Tuple is missing items (expected {count}): {json}"));
    }
    let fields = parts
        .iter()
        .zip(given)
        .map(|(part, item)| field(part, Some(item)));
    Ok(elements::tuple(fields.collect::<Result<Vec<_>>>()?))
}

fn field(kind: &CqlType, json: Option<&Json>) -> Result<Option<Vec<u8>>> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(json) => value(kind, json).map(Some),
    }
}

fn user_type_of(of: &UserType, json: &Json) -> Result<Vec<u8>> {
    let Json::Map(entries) = json else {
        return unexpected("Expected a map", json);
    };
    let given: Vec<(String, &Json)> = entries
        .iter()
        .map(|(key, item)| (column_name(key), item))
        .collect();
    let fields = of.fields.iter().map(|(name, part)| {
        let item = given.iter().rfind(|(key, _)| key == &**name);
        field(part, item.map(|(_, item)| *item))
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    let known = |key: &str| of.fields.iter().any(|(name, _)| key == &**name);
    if let Some((key, _)) = given.iter().find(|(key, _)| !known(key)) {
        return refused(format!(
            "Unknown field '{key}' in value of user defined type {}",
            of.name
        ));
    }
    Ok(elements::tuple(fields))
}

fn vector_of(of: &CqlType, dimensions: usize, json: &Json) -> Result<Vec<u8>> {
    let given = items(json, "Expected a list")?;
    if given.len() != dimensions {
        return refused(format!(
            "List had incorrect size: expected {dimensions} but given {}; {json}",
            given.len()
        ));
    }
    if given.contains(&Json::Null) {
        return refused("Invalid null element in list".into());
    }
    let found = given
        .iter()
        .map(|item| value(of, item))
        .collect::<Result<Vec<_>>>()?;
    Ok(elements::vector(of, found))
}

fn native_value(native: Native, json: &Json) -> Result<Vec<u8>> {
    match (native, json) {
        (Native::Counter, _) => Err(CqlError::Server("null".into())),
        (Native::Blob, _) => blob_value(json),
        (Native::Varint | Native::Decimal, _) => exact_value(native, json),
        (_, Json::Text(text)) => literal::parse_native(native, text),
        (Native::Boolean, Json::Boolean(value)) => Ok(vec![u8::from(*value)]),
        (Native::Int, Json::Integer(digits)) if json.class() == "Integer" => {
            literal::parse_native(native, digits)
        }
        (Native::Bigint, Json::Integer(digits)) if json.class() != "BigInteger" => {
            literal::parse_native(native, digits)
        }
        // The original wants a long here, and a small number is none.
        (Native::Timestamp, Json::Integer(digits)) if json.class() == "Long" => {
            literal::parse_native(native, digits)
        }
        (Native::Smallint | Native::Tinyint, Json::Integer(_) | Json::Float(_)) => {
            literal::parse_native(native, &json.to_string())
        }
        (Native::Float, Json::Integer(_) | Json::Float(_)) => {
            Ok((json.number() as f32).to_be_bytes().to_vec())
        }
        (Native::Double, Json::Integer(_) | Json::Float(_)) => Ok(json.number().to_be_bytes().to_vec()),
        (Native::Empty, _) => refused(format!("Expected an empty string, but got: {json}")),
        _ => unexpected(wanted(native), json),
    }
}

fn wanted(native: Native) -> &'static str {
    match native {
        Native::Ascii => "Expected an ascii string",
        Native::Text => "Expected a UTF-8 string",
        Native::Bigint => "Expected a bigint value",
        Native::Int => "Expected an int value",
        Native::Smallint => "Expected a short value",
        Native::Tinyint => "Expected a byte value",
        Native::Boolean => "Expected a boolean value",
        Native::Float => "Expected a float value",
        Native::Double => "Expected a double value",
        Native::Inet => "Expected a string representation of an inet value",
        Native::Uuid => "Expected a string representation of a uuid",
        Native::Timeuuid => "Expected a string representation of a timeuuid",
        Native::Date => "Expected a string representation of a date value",
        Native::Time => "Expected a string representation of a time value",
        Native::Timestamp => "Expected a long or a datestring representation of a timestamp value",
        Native::Duration => "Expected a string representation of a duration",
        Native::Blob | Native::Counter | Native::Decimal | Native::Empty | Native::Varint => {
            "Expected a value"
        }
    }
}

fn blob_value(json: &Json) -> Result<Vec<u8>> {
    let invalid = |why: String| {
        CqlError::Invalid(format!(
            "Value '{json}' is not a valid blob representation: {why}"
        ))
    };
    let Json::Text(text) = json else {
        let class = match json {
            Json::List(_) | Json::Map(_) => format!("java.util.{}", json.class()),
            Json::Integer(_) if json.class() == "BigInteger" => "java.math.BigInteger".into(),
            _ => format!("java.lang.{}", json.class()),
        };
        return Err(invalid(format!(
            "class {class} cannot be cast to class java.lang.String ({class} and java.lang.String are in module \
             java.base of loader 'bootstrap')"
        )));
    };
    match text.strip_prefix("0x") {
        Some(digits) => literal::parse_hex(digits).map_err(|error| invalid(error.to_string())),
        None => Err(invalid(format!(
            "String representation of blob is missing 0x prefix: {text}"
        ))),
    }
}

fn exact_value(native: Native, json: &Json) -> Result<Vec<u8>> {
    let shown = json.to_string();
    let name = CqlType::Native(native).to_string();
    let invalid = |_| {
        CqlError::Invalid(format!(
            "Value '{shown}' is not a valid representation of a {name} value"
        ))
    };
    if native == Native::Varint && shown.is_empty() {
        return Err(invalid(CqlError::invalid("")));
    }
    literal::parse_native(native, &shown).map_err(invalid)
}

impl Json {
    /// The number it is; for those that are.
    fn number(&self) -> f64 {
        match self {
            Json::Integer(digits) => digits.parse().unwrap_or(f64::NAN),
            Json::Float(number) => *number,
            _ => f64::NAN,
        }
    }
}

/// As Java shows what it read.
impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = |i: usize| if i == 0 { "" } else { ", " };
        match self {
            Json::Null => f.write_str("null"),
            Json::Boolean(value) => write!(f, "{value}"),
            Json::Integer(digits) => f.write_str(digits),
            Json::Float(number) => f.write_str(&show::text(Native::Double, &number.to_be_bytes())),
            Json::Text(text) => f.write_str(text),
            Json::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    f.write_str(separator(i))?;
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Map(entries) => {
                f.write_str("{")?;
                for (i, (key, item)) in entries.iter().enumerate() {
                    write!(f, "{}{key}=", separator(i))?;
                    item.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}
