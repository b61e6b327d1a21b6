//! Names: unquoted ones are in lower case from here on, quoted ones as they were written.

use super::{
    input::{Parsed, Tokens, sign},
    token::{Class, Keyword, Kind},
    types::native_of,
};
use std::fmt;

/// A table, type, function or index, maybe with its keyspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct QualifiedName {
    pub(crate) keyspace: Option<String>,
    pub(crate) name: String,
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.keyspace {
            Some(keyspace) => write!(f, "{keyspace}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Any name: of a column, field, keyspace.
pub(crate) fn name(input: Tokens<'_>) -> Parsed<'_, String> {
    if !input.name_at(0) {
        return Err(input.no_alternative());
    }
    let text = input.text();
    let name = if input.peek() == Kind::QuotedName {
        text.into_owned()
    } else {
        text.to_lowercase()
    };
    Ok((input.skip(), name))
}

/// A column where it is used: the empty name too.
pub(crate) fn column(input: Tokens<'_>) -> Parsed<'_, String> {
    if input.peek() == Kind::EmptyQuotedName {
        return Ok((input.skip(), String::new()));
    }
    name(input)
}

/// A name in place of which a bind marker has an error of its own.
fn name_of<'a>(input: Tokens<'a>, what: &str) -> Parsed<'a, String> {
    if input.peek() == Kind::Marker {
        return Err(input.refused(format!("Bind variables cannot be used for {what} names")));
    }
    name(input)
}

/// A keyspace.
pub(crate) fn keyspace(input: Tokens<'_>) -> Parsed<'_, String> {
    name_of(input, "keyspace")
}

/// A table or view, maybe with its keyspace.
pub(crate) fn table(input: Tokens<'_>) -> Parsed<'_, QualifiedName> {
    let (rest, found) = qualified(input, |input| name_of(input, "table"))?;
    // The original looks behind the name for what may follow it.
    if found.keyspace.is_none() && matches!(rest.peek(), Kind::Identifier | Kind::QuotedName) {
        return Err(rest.no_alternative_since(input));
    }
    Ok((rest, found))
}

/// An index, maybe with its keyspace.
pub(crate) fn index(input: Tokens<'_>) -> Parsed<'_, QualifiedName> {
    qualified(input, |input| name_of(input, "index"))
}

/// Names that a user-defined type cannot have.
const RESERVED_TYPES: &[&str] = &[
    "byte",
    "complex",
    "enum",
    "date",
    "interval",
    "macaddr",
    "bitstring",
];

/// A user-defined type, maybe with its keyspace.
pub(crate) fn user_type(input: Tokens<'_>) -> Parsed<'_, QualifiedName> {
    if matches!(input.peek(), Kind::Word(keyword) if native_of(keyword).is_some()) && !input.sign_at(1, ".") {
        return Err(input.skip().expected(Kind::Sign(".")));
    }
    qualified(input, |input| match input.peek() {
        Kind::Word(keyword) if keyword.class() != Class::Basic && keyword != Keyword::Key => {
            Err(input.no_alternative())
        }
        Kind::Identifier if RESERVED_TYPES.contains(&&*input.text()) => {
            Err(input.refused(format!("Invalid (reserved) user type name {}", input.text())))
        }
        _ => name(input),
    })
}

/// A function or aggregate, maybe with its keyspace.
pub(crate) fn function(input: Tokens<'_>) -> Parsed<'_, QualifiedName> {
    qualified(input, local_function)
}

/// A function without keyspace.
pub(crate) fn local_function(input: Tokens<'_>) -> Parsed<'_, String> {
    match input.peek() {
        Kind::Word(Keyword::Token) => Ok((input.skip(), "token".to_owned())),
        Kind::Word(Keyword::Count) => name(input),
        Kind::Word(keyword) if keyword.class() == Class::Other => Err(input.no_alternative()),
        _ => name(input),
    }
}

/// A role: a name or a string.
pub(crate) fn role(input: Tokens<'_>) -> Parsed<'_, String> {
    if input.peek() == Kind::String {
        return Ok((input.skip(), input.text().into_owned()));
    }
    name_of(input, "role")
}

/// `local`, maybe with a keyspace and a dot before.
fn qualified<'a>(
    input: Tokens<'a>,
    local: impl Fn(Tokens<'a>) -> Parsed<'a, String>,
) -> Parsed<'a, QualifiedName> {
    let (input, keyspace) = if input.sign_at(1, ".") {
        let (input, keyspace) = keyspace(input)?;
        (sign(".")(input)?.0, Some(keyspace))
    } else {
        (input, None)
    };
    let (input, name) = local(input)?;
    Ok((input, QualifiedName { keyspace, name }))
}
