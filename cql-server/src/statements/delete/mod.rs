//! DELETE.
//!
//! Knows: its grammar, what it removes. Never: how rows are stored.

use super::{
    attributes::Attributes,
    conditions::{Conditions, conditions},
};
use crate::syntax::{
    Keyword, Parsed, QualifiedName, Relation, Term, Tokens, column, commas, integer, name, relations, sign,
    table, term, word, words,
};

/// Removes cells, rows, ranges or partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delete {
    /// What of the rows; all of them where there is none.
    pub(crate) targets: Vec<Target>,
    pub(crate) table: QualifiedName,
    /// Without a time to live.
    pub(crate) attributes: Attributes,
    pub(crate) relations: Vec<Relation>,
    pub(crate) conditions: Conditions,
}

/// What of a row is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Column(String),
    Element { column: String, key: Term },
    Field { column: String, field: String },
}

/// `DELETE [targets] FROM table [USING TIMESTAMP ...] WHERE ... [IF ...]`
pub(crate) fn delete(input: Tokens<'_>) -> Parsed<'_, Delete> {
    let input = input.skip();
    let (input, targets) = if !input.name_at(0) {
        (input, Vec::new())
    } else {
        commas(target)(input)?
    };
    let (input, ()) = word(Keyword::From)(input)?;
    let (input, table) = table(input)?;
    let mut attributes = Attributes::default();
    let mut input = input;
    if input.is(Keyword::Using) {
        let (rest, ()) = words([Keyword::Using, Keyword::Timestamp])(input)?;
        let (rest, timestamp) = integer(rest)?;
        attributes.timestamp = Some(timestamp);
        input = rest;
    }
    let (input, ()) = word(Keyword::Where)(input)?;
    let (input, relations) = relations(input)?;
    let (input, conditions) = conditions(input)?;
    Ok((
        input,
        Delete {
            targets,
            table,
            attributes,
            relations,
            conditions,
        },
    ))
}

fn target(input: Tokens<'_>) -> Parsed<'_, Target> {
    let start = input;
    let (input, column) = column(input)?;
    if input.is_sign("[") {
        let (input, key) = term(input.skip())?;
        let (input, ()) = sign("]")(input)?;
        return Ok((input, Target::Element { column, key }));
    }
    if input.is_sign(".") {
        let (input, field) = name(input.skip())?;
        return Ok((input, Target::Field { column, field }));
    }
    if !input.is_sign(",") && !input.is(Keyword::From) {
        return Err(input.no_alternative_since(start));
    }
    Ok((input, Target::Column(column)))
}
