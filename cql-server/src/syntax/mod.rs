//! Text to statements: tokens, and the grammar that statements share (names, terms, types, relations, options).
//!
//! Knows: CQL's grammar, and the original's words for what does not fit it. Never: the schema.

mod error;
mod input;
mod lexer;
mod names;
mod properties;
mod relations;
mod terms;
mod token;
mod types;

#[cfg(test)]
mod tests;

pub(crate) use error::Mismatch;
pub(crate) use input::{
    LEVEL, NESTING_MAX, Parsed, Tokens, after_word, ands, commas, commas_until, has_sign, has_word,
    if_exists, if_not_exists, kind, parenthesised, sign, word, words,
};
pub(crate) use names::{
    QualifiedName, column, function, index, keyspace, local_function, name, role, table, user_type,
};
pub(crate) use properties::{Property, PropertyValue, map, properties, property, unique};
pub(crate) use relations::{
    Comparison, InValues, Relation, comparison, in_values, optional_where, relations,
};
pub(crate) use terms::{
    Literal, LiteralKind, Marker, PRODUCTS, SUMS, Term, chain, hint, integer, literal, marker, string, term,
};
pub(crate) use token::{Keyword, Kind};
pub(crate) use types::{native_of, native_type, type_name};

use crate::{
    error::{CqlError, Result},
    statements::{self, Statement},
};
use error::Failure;
use input::Source;
use std::{cell::RefCell, sync::Arc};

/// A parsed text: the statement, and the names of its bind markers in the order of the text.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) statement: Statement,
    pub(crate) markers: Vec<Option<Arc<str>>>,
    /// How many words, literals and signs it has.
    pub(crate) tokens: usize,
}

/// Parses one statement.
pub(crate) fn parse(text: &str) -> Result<Text> {
    let parsed = with_tokens(text, |input| {
        let tokens = input.count();
        let (mut input, statement) = statements::statement(input)?;
        while input.is_sign(";") {
            input = input.skip();
        }
        match input.peek() {
            Kind::End => Ok((input, (statement, tokens))),
            _ => Err(nom::Err::Error(input.unexpected_rest())),
        }
    });
    parsed.map(|((statement, tokens), markers)| Text {
        statement,
        markers,
        tokens,
    })
}

/// Parses `text` with `parser`, to its end or as far as the parser goes.
pub(crate) fn with_tokens<T>(
    text: &str,
    parser: impl for<'a> Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> Result<(T, Vec<Option<Arc<str>>>)> {
    let tokens = lexer::tokens(text).map_err(syntax)?;
    let source = Source {
        text,
        tokens: &tokens,
        markers: RefCell::default(),
    };
    match parser(Tokens::new(&source)) {
        Ok((rest, found)) => {
            let count = rest.markers();
            let mut markers = source.markers.take();
            markers.truncate(count);
            Ok((found, markers))
        }
        Err(nom::Err::Error(mismatch) | nom::Err::Failure(mismatch)) => {
            Err(syntax(Failure::mismatch(text, &tokens, &mismatch)))
        }
        Err(nom::Err::Incomplete(_)) => Err(syntax(Failure::plain("Incomplete statement"))),
    }
}

fn syntax(failure: Failure) -> CqlError {
    CqlError::Syntax(failure.0)
}
