//! Values as text: CQL literals, and JSON as the original writes it.

use super::elements::{elements, entries, fields, vector_elements};
use super::{CqlType, Native, UserType, decimal, duration::Duration, hex, literal, moments, names};
use std::borrow::Cow;

/// A value as CQL writes it. What cannot be shown is shown as its bytes.
pub(crate) fn cql(kind: &CqlType, value: &[u8]) -> String {
    match kind {
        CqlType::List { of, .. } => format!("[{}]", joined(elements(value).map(|x| cql(of, x)))),
        CqlType::Set { of, .. } => format!("{{{}}}", joined(elements(value).map(|x| cql(of, x)))),
        CqlType::Map { key, value: of, .. } => {
            format!(
                "{{{}}}",
                joined(entries(value).map(|(k, v)| format!("{}: {}", cql(key, k), cql(of, v))))
            )
        }
        CqlType::Vector { of, .. } => format!("[{}]", joined(vector_elements(of, value).map(|x| cql(of, x)))),
        CqlType::Tuple(parts) => {
            format!(
                "({})",
                joined(
                    parts
                        .iter()
                        .zip(fields(value))
                        .map(|(part, field)| cql_or_null(part, field))
                )
            )
        }
        CqlType::Udt { of, .. } => {
            let shown = of.fields.iter().zip(fields(value));
            let shown =
                shown.map(|((name, part), x)| format!("{}: {}", names::quoted(name), cql_or_null(part, x)));
            format!("{{{}}}", joined(shown))
        }
        CqlType::Custom(_) => format!("0x{}", hex(value)),
        CqlType::Native(Native::Ascii | Native::Text) => {
            format!("'{}'", String::from_utf8_lossy(value).replace('\'', "''"))
        }
        CqlType::Native(Native::Blob) => format!("0x{}", hex(value)),
        CqlType::Native(_) if value.is_empty() => "null".into(),
        CqlType::Native(native @ (Native::Inet | Native::Date | Native::Time | Native::Timestamp)) => {
            format!("'{}'", text(*native, value))
        }
        CqlType::Native(native) => text(*native, value),
    }
}

fn cql_or_null(kind: &CqlType, value: Option<&[u8]>) -> String {
    value.map_or_else(|| "null".into(), |value| cql(kind, value))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A value that is not empty as plain text: what a cast to text gives.
pub(crate) fn text(native: Native, value: &[u8]) -> String {
    try_text(native, value).unwrap_or_else(|| format!("0x{}", hex(value)))
}

fn try_text(native: Native, value: &[u8]) -> Option<String> {
    Some(match native {
        Native::Ascii | Native::Text => String::from_utf8_lossy(value).into_owned(),
        Native::Blob | Native::Empty => format!("0x{}", hex(value)),
        Native::Bigint | Native::Counter => i64::from_be_bytes(value.try_into().ok()?).to_string(),
        Native::Int => i32::from_be_bytes(value.try_into().ok()?).to_string(),
        Native::Smallint => i16::from_be_bytes(value.try_into().ok()?).to_string(),
        Native::Tinyint => i8::from_be_bytes(value.try_into().ok()?).to_string(),
        Native::Boolean => (*value.first()? != 0).to_string(),
        Native::Float => {
            let number = f32::from_be_bytes(value.try_into().ok()?);
            let two = Some(format!("{number:.1e}")).filter(|two| two.parse() == Ok(number));
            java_number(number.into(), &two.unwrap_or_else(|| format!("{number:e}")))
        }
        Native::Double => {
            let number = f64::from_be_bytes(value.try_into().ok()?);
            let two = Some(format!("{number:.1e}")).filter(|two| two.parse() == Ok(number));
            java_number(number, &two.unwrap_or_else(|| format!("{number:e}")))
        }
        Native::Varint => decimal::varint(value)?.to_string(),
        Native::Decimal => decimal::Decimal::of(value)?.to_string(),
        Native::Inet => literal::inet_text(value)?,
        Native::Uuid | Native::Timeuuid => uuid_text(value)?,
        Native::Date => moments::date_text(u32::from_be_bytes(value.try_into().ok()?)),
        Native::Time => moments::time_text(i64::from_be_bytes(value.try_into().ok()?)),
        Native::Timestamp => moments::timestamp_text(i64::from_be_bytes(value.try_into().ok()?), 'T'),
        Native::Duration => Duration::of(value)?.to_string(),
    })
}

fn uuid_text(value: &[u8]) -> Option<String> {
    let digits = hex(<&[u8; 16]>::try_from(value).ok()?);
    let part = |range| digits.get(range).unwrap_or_default();
    Some(format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    ))
}

/// A number as Java shows it; `scientific` has its shortest digits, but no fewer than two.
fn java_number(number: f64, scientific: &str) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        };
    }
    let (sign, scientific) = scientific
        .strip_prefix('-')
        .map_or(("", scientific), |rest| ("-", rest));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    let digits = digits
        .strip_suffix('0')
        .filter(|rest| rest.len() == 1)
        .unwrap_or(&digits);
    if number != 0.0 && !(-3..7).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        return format!(
            "{sign}{first}.{}E{exponent}",
            if rest.is_empty() { "0" } else { rest }
        );
    }
    if exponent < 0 {
        return format!(
            "{sign}0.{}{digits}",
            "0".repeat(exponent.unsigned_abs() as usize - 1)
        );
    }
    let whole = exponent as usize + 1;
    let digits = format!("{digits:0<whole$}");
    let (whole, fraction) = digits.split_at(whole);
    format!(
        "{sign}{whole}.{}",
        if fraction.is_empty() { "0" } else { fraction }
    )
}

/// A value as JSON.
pub(crate) fn json(kind: &CqlType, value: &[u8]) -> String {
    match kind {
        CqlType::List { of, .. } | CqlType::Set { of, .. } => {
            format!("[{}]", joined(elements(value).map(|x| json(of, x))))
        }
        CqlType::Map { key, value: of, .. } => {
            format!(
                "{{{}}}",
                joined(entries(value).map(|(k, v)| format!("{}: {}", json_key(key, k), json(of, v))))
            )
        }
        CqlType::Vector { of, .. } => {
            format!("[{}]", joined(vector_elements(of, value).map(|x| json(of, x))))
        }
        CqlType::Tuple(parts) => {
            let given = fields(value).chain(std::iter::repeat(None));
            format!(
                "[{}]",
                joined(
                    parts
                        .iter()
                        .zip(given)
                        .map(|(part, field)| json_or_null(part, field))
                )
            )
        }
        CqlType::Udt { of, .. } => json_user_type(of, value),
        CqlType::Custom(_) => format!("\"0x{}\"", hex(value)),
        CqlType::Native(native) => json_native(*native, value),
    }
}

/// A value, or null.
pub(crate) fn json_or_null(kind: &CqlType, value: Option<&[u8]>) -> String {
    value.map_or_else(|| "null".into(), |value| json(kind, value))
}

fn json_user_type(of: &UserType, value: &[u8]) -> String {
    let given = fields(value).chain(std::iter::repeat(None));
    let shown = of.fields.iter().zip(given).map(|((name, part), field)| {
        format!("{}: {}", json_text(&json_name(name)), json_or_null(part, field))
    });
    format!("{{{}}}", joined(shown))
}

/// A name as JSON knows it: one that has to be quoted in CQL for its letters keeps the quotes.
pub(crate) fn json_name(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_uppercase) {
        Cow::Owned(format!("\"{name}\""))
    } else {
        Cow::Borrowed(name)
    }
}

/// Keys of JSON are text, whatever they are in CQL.
fn json_key(kind: &CqlType, value: &[u8]) -> String {
    let key = json(kind, value);
    if key.starts_with('"') {
        key
    } else {
        json_text(&key)
    }
}

fn json_native(native: Native, value: &[u8]) -> String {
    match native {
        Native::Ascii | Native::Text => json_text(&String::from_utf8_lossy(value)),
        Native::Blob => format!("\"0x{}\"", hex(value)),
        _ if value.is_empty() => "\"\"".into(),
        Native::Float | Native::Double => match text(native, value) {
            shown if shown.contains('N') || shown.contains('y') => "null".into(),
            shown => shown,
        },
        Native::Bigint
        | Native::Boolean
        | Native::Counter
        | Native::Decimal
        | Native::Int
        | Native::Smallint
        | Native::Tinyint
        | Native::Varint => text(native, value),
        Native::Timestamp => {
            let milliseconds = value.try_into().map_or(0, i64::from_be_bytes);
            format!("\"{}\"", moments::timestamp_text(milliseconds, ' '))
        }
        Native::Date
        | Native::Duration
        | Native::Empty
        | Native::Inet
        | Native::Time
        | Native::Timeuuid
        | Native::Uuid => {
            format!("\"{}\"", text(native, value))
        }
    }
}

/// Text in quotes, escaped.
pub(crate) fn json_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
