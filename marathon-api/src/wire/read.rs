//! Reads JSON, and tells every fault by its path: one answer says all that is wrong.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Faults with their paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Errors(Vec<(String, String)>);

impl Errors {
    pub(crate) fn push(&mut self, at: &str, error: &str) {
        let at = if at.is_empty() { "/" } else { at };
        self.0.push((at.to_owned(), error.to_owned()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_faults(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }
}

/// What can be read from JSON. Nothing is answered where something is wrong, which then is among the errors.
pub(crate) trait Read: Sized {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self>;
}

impl Read for String {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let read = value.as_str().map(str::to_owned);
        or_error(read, at, errors, "error.expected.jsstring")
    }
}

impl Read for f64 {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        or_error(value.as_f64(), at, errors, "error.expected.jsnumber")
    }
}

impl Read for u32 {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        if !value.is_number() {
            return or_error(None, at, errors, "error.expected.jsnumber");
        }
        // 3.0 is 3, as in the original.
        #[allow(clippy::cast_possible_truncation, reason = "it is whole")]
        let whole = value.as_i64().or_else(|| {
            let number = value
                .as_f64()
                .filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
            number.map(|number| number as i64)
        });
        match whole {
            Some(number) if number < 0 => or_error(None, at, errors, "error.min"),
            Some(number) => {
                let read = i32::try_from(number)
                    .ok()
                    .and_then(|number| u32::try_from(number).ok());
                or_error(read, at, errors, "error.expected.int")
            }
            None => or_error(None, at, errors, "error.expected.int"),
        }
    }
}

impl Read for bool {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        or_error(value.as_bool(), at, errors, "error.expected.jsboolean")
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let items = or_error(value.as_array(), at, errors, "error.expected.jsarray")?;
        // Each is read, so that each fault is told.
        let items = items.iter().enumerate();
        let read: Vec<Option<T>> = items
            .map(|(index, item)| T::read(item, &format!("{at}({index})"), errors))
            .collect();
        read.into_iter().collect()
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let fields = or_error(value.as_object(), at, errors, "error.expected.jsobject")?;
        let read: Vec<Option<(String, T)>> = fields
            .iter()
            .map(|(name, value)| Some((name.clone(), T::read(value, &format!("{at}/{name}"), errors)?)))
            .collect();
        read.into_iter().collect()
    }
}

fn or_error<T>(read: Option<T>, at: &str, errors: &mut Errors, error: &str) -> Option<T> {
    if read.is_none() {
        errors.push(at, error);
    }
    read
}

/// The fields of an object. Those that nobody asks for are skipped.
pub(crate) struct Fields<'a> {
    fields: &'a Map<String, Value>,
    at: &'a str,
    errors: &'a mut Errors,
    failed: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value, at: &'a str, errors: &'a mut Errors) -> Option<Self> {
        let fields = or_error(value.as_object(), at, errors, "error.expected.jsobject")?;
        Some(Fields {
            fields,
            at,
            errors,
            failed: false,
        })
    }

    /// A field that may be missing; null is as if it were.
    pub(crate) fn maybe<T: Read>(&mut self, name: &str) -> Option<T> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        let read = T::read(value, &format!("{}/{name}", self.at), self.errors);
        self.failed |= read.is_none();
        read
    }

    /// A field that must be there.
    pub(crate) fn needed<T: Read + Default>(&mut self, name: &str) -> T {
        if self.fields.get(name).is_none_or(Value::is_null) {
            self.fault(name, "error.path.missing");
            return T::default();
        }
        self.maybe(name).unwrap_or_default()
    }

    /// A number with a least and a greatest value.
    pub(crate) fn within(&mut self, name: &str, least: f64, greatest: f64) -> Option<f64> {
        let read: f64 = self.maybe(name)?;
        if read < least {
            self.fault(name, "error.min");
        } else if read > greatest {
            self.fault(name, "error.max");
        }
        Some(read)
    }

    /// A text that must be one of some.
    pub(crate) fn one_of<T: Copy>(&mut self, name: &str, of: &[(&str, T)]) -> Option<T> {
        let read: String = self.maybe(name)?;
        let found = of.iter().find(|(known, _)| known.eq_ignore_ascii_case(&read));
        if found.is_none() {
            self.fault(name, "error.unknown.enum.literal");
        }
        found.map(|(_, value)| *value)
    }

    /// Tells a fault of a field.
    pub(crate) fn fault(&mut self, name: &str, error: &str) {
        self.errors.push(&format!("{}/{name}", self.at), error);
        self.failed = true;
    }

    /// The field as it is.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// What was read, where nothing was wrong.
    pub(crate) fn done<T>(self, read: T) -> Option<T> {
        (!self.failed).then_some(read)
    }
}
