//! Values as the original's library (Jackson's trees) reads them: a number may be written as text, and a text as a number.

use serde_json::Value;

/// A value as text: nothing is `null`, lists and objects are empty, as there.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Array(_) | Value::Object(_) => String::new(),
    }
}

pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => text.trim() == "true",
        _ => false,
    }
}

pub(super) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or(0.0),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .unwrap_or(0.0),
        Value::Bool(true) => 1.0,
        _ => 0.0,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "what is too large is the largest")]
pub(super) fn whole(value: &Value) -> i64 {
    match value {
        Value::Number(number) => number
            .as_i64()
            .unwrap_or_else(|| number.as_f64().unwrap_or(0.0) as i64),
        Value::String(text) => text.trim().parse().unwrap_or(0),
        Value::Bool(true) => 1,
        _ => 0,
    }
}

/// A field, where it is there and is not `null`.
pub(super) fn field<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    of.get(name).filter(|value| !value.is_null())
}

pub(super) fn text_or(of: &Value, name: &str, otherwise: &str) -> String {
    field(of, name).map_or_else(|| otherwise.to_owned(), text)
}

pub(super) fn truth_or(of: &Value, name: &str, otherwise: bool) -> bool {
    field(of, name).map_or(otherwise, truth)
}

/// The elements of a list; of anything else there are none.
pub(super) fn items<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
