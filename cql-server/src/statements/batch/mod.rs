//! BEGIN BATCH ... APPLY BATCH.
//!
//! Knows: its grammar, what holds for its statements together. Never: how rows are stored.

mod prepare;

pub(crate) use prepare::{check, prepare};

use super::{
    attributes::{Attributes, using},
    delete::{Delete, delete},
    insert::{Insert, insert},
    update::{Update, update},
};
use crate::syntax::{Keyword, Kind, Parsed, Tokens, word, words};

/// Several writes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) kind: BatchKind,
    pub(crate) attributes: Attributes,
    pub(crate) statements: Vec<Modification>,
}

/// What a batch promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchKind {
    /// All or nothing.
    Logged,
    Unlogged,
    Counter,
}

/// A statement of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Modification {
    Insert(Insert),
    Update(Update),
    Delete(Delete),
}

/// `BEGIN [UNLOGGED | COUNTER] BATCH [USING ...] statements APPLY BATCH`
pub(crate) fn batch(input: Tokens<'_>) -> Parsed<'_, Batch> {
    let input = input.skip();
    let (input, kind) = match input.peek() {
        Kind::Word(Keyword::Unlogged) => (input.skip(), BatchKind::Unlogged),
        Kind::Word(Keyword::Counter) => (input.skip(), BatchKind::Counter),
        _ => (input, BatchKind::Logged),
    };
    let (input, ()) = word(Keyword::Batch)(input)?;
    let (mut input, attributes) = using(input)?;
    let mut statements = Vec::new();
    loop {
        let (rest, statement) = match input.peek() {
            Kind::Word(Keyword::Insert) => insert(input).map(|(rest, s)| (rest, Modification::Insert(s)))?,
            Kind::Word(Keyword::Update) => update(input).map(|(rest, s)| (rest, Modification::Update(s)))?,
            Kind::Word(Keyword::Delete) => delete(input).map(|(rest, s)| (rest, Modification::Delete(s)))?,
            _ => break,
        };
        statements.push(statement);
        input = if rest.is_sign(";") { rest.skip() } else { rest };
    }
    let (input, ()) = words([Keyword::Apply, Keyword::Batch])(input)?;
    Ok((
        input,
        Batch {
            kind,
            attributes,
            statements,
        },
    ))
}
