//! INSERT, of values and of JSON.
//!
//! Knows: its grammar, what it writes. Never: how rows are stored.

use super::{
    attributes::{Attributes, using},
    conditions::Conditions,
};
use crate::syntax::{
    Keyword, Kind, Marker, Parsed, QualifiedName, Term, Tokens, column, commas, if_not_exists, marker,
    parenthesised, string, table, term, word,
};

/// Writes one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Insert {
    pub(crate) table: QualifiedName,
    pub(crate) content: Content,
    /// `None` or `NotExists`.
    pub(crate) conditions: Conditions,
    pub(crate) attributes: Attributes,
}

/// What is inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// As many columns as values is for whoever prepares the statement to check.
    Values {
        columns: Vec<String>,
        values: Vec<Term>,
    },
    Json {
        document: Document,
        default_unset: bool,
    },
}

/// A JSON document, or the marker that it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    Literal(String),
    Marker(Marker),
}

/// `INSERT INTO table ...`
pub(crate) fn insert(input: Tokens<'_>) -> Parsed<'_, Insert> {
    let (input, ()) = word(Keyword::Into)(input.skip())?;
    let start = input;
    let (input, table) = table(input)?;
    let (input, content) = match input.peek() {
        Kind::Word(Keyword::Json) => json(input.skip())?,
        Kind::Sign("(") => values(input)?,
        _ => return Err(input.no_alternative_since(start)),
    };
    let (input, is_conditional) = if_not_exists(input)?;
    let (input, attributes) = using(input)?;
    let conditions = if is_conditional {
        Conditions::NotExists
    } else {
        Conditions::None
    };
    Ok((
        input,
        Insert {
            table,
            content,
            conditions,
            attributes,
        },
    ))
}

fn values(input: Tokens<'_>) -> Parsed<'_, Content> {
    let (input, columns) = parenthesised(commas(column))(input)?;
    let (input, ()) = word(Keyword::Values)(input)?;
    let (input, values) = parenthesised(commas(term))(input)?;
    Ok((input, Content::Values { columns, values }))
}

fn json(input: Tokens<'_>) -> Parsed<'_, Content> {
    let (input, document) = match input.peek() {
        Kind::String => {
            let (input, text) = string(input)?;
            (input, Document::Literal(text))
        }
        _ => {
            let (input, marker) = marker(input)?;
            (input, Document::Marker(marker))
        }
    };
    let (input, default_unset) = default(input)?;
    Ok((
        input,
        Content::Json {
            document,
            default_unset,
        },
    ))
}

/// `DEFAULT NULL` or `DEFAULT UNSET`, if it is next.
fn default(input: Tokens<'_>) -> Parsed<'_, bool> {
    if !input.is(Keyword::Default) {
        return Ok((input, false));
    }
    let input = input.skip();
    match input.peek() {
        Kind::Word(Keyword::Null) => Ok((input.skip(), false)),
        Kind::Word(Keyword::Unset) => Ok((input.skip(), true)),
        _ => Err(input.no_alternative()),
    }
}
