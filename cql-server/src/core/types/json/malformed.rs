//! What is wrong with a text that is no JSON, in the words of the library that the original reads it with.

use std::fmt;

/// The kinds of complaints that the library has, by their Java classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Something stands where it must not.
    Parse,
    /// The text ends too early.
    End,
    /// It is JSON, but nothing that can be made of it what is wanted.
    Mismatch,
    /// The same, of a text that would have to mean something.
    Format,
    /// More of it than is read.
    Constraint,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Parse => "com.fasterxml.jackson.core.JsonParseException",
            Class::End => "com.fasterxml.jackson.core.io.JsonEOFException",
            Class::Mismatch => "com.fasterxml.jackson.databind.exc.MismatchedInputException",
            Class::Format => "com.fasterxml.jackson.databind.exc.InvalidFormatException",
            Class::Constraint => "com.fasterxml.jackson.core.exc.StreamConstraintsException",
        }
    }
}

/// A place in a text, both counted from one; no column: before anything in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    line: usize,
    column: Option<usize>,
}

impl Location {
    /// Where no text is.
    pub(super) const NOWHERE: Location = Location {
        line: 1,
        column: None,
    };

    /// The place `at` so many bytes. Columns are counted in UTF-16, as Java has them.
    pub(super) fn of(text: &str, at: usize) -> Location {
        let before = text.get(..at).unwrap_or(text);
        let begins = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let carriages = before.matches('\r').count() - before.matches("\r\n").count();
        Location {
            line: before.matches('\n').count() + carriages + 1,
            column: Some(before[begins..].encode_utf16().count() + 1),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}",
            self.line
        )?;
        match self.column {
            Some(column) => write!(f, ", column: {column}]"),
            None => f.write_str("]"),
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(super) class: Class,
    pub(super) message: String,
    pub(super) at: Location,
}

impl Malformed {
    /// With its class in front of it.
    pub(crate) fn with_class(&self) -> String {
        format!("{}: {self}", self.class.name())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            // Where more stands than is read is not told.
            Class::Constraint => f.write_str(&self.message),
            _ => write!(f, "{}\n at {}", self.message, self.at),
        }
    }
}

/// A character as complaints show it.
pub(super) fn unexpected(c: char) -> String {
    format!("Unexpected character ({})", described(c))
}

pub(super) fn described(c: char) -> String {
    let code = u32::from(c);
    match code {
        0..0x20 => format!("(CTRL-CHAR, code {code})"),
        0x100.. => format!("'{c}' (code {code} / 0x{code:x})"),
        _ => format!("'{c}' (code {code})"),
    }
}
