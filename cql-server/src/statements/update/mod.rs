//! UPDATE.
//!
//! Knows: its grammar, what it writes. Never: how rows are stored.

use super::{
    attributes::{Attributes, using},
    conditions::{Conditions, conditions},
};
use crate::syntax::{
    Keyword, Kind, Parsed, QualifiedName, Relation, Term, Tokens, column, commas, literal, name, relations,
    sign, table, term, word,
};
use std::collections::{HashMap, HashSet};

/// Writes cells of one row, or of the rows of one partition's static part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) table: QualifiedName,
    pub(crate) attributes: Attributes,
    pub(crate) operations: Vec<Operation>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) conditions: Conditions,
}

/// What is done to one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) column: String,
    pub(crate) change: Change,
}

/// How it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// `c = value`
    Set(Term),
    /// `c = c + value`, `c += value`
    Add(Term),
    /// `c = c - value`, `c -= value`
    Subtract(Term),
    /// `c = value + c`
    Prepend(Term),
    /// `c[key] = value`
    SetElement { key: Term, value: Term },
    /// `c.field = value`
    SetField { field: String, value: Term },
}

/// What a statement changes of one column.
#[derive(Default)]
struct Changed<'a> {
    is_set: bool,
    is_changed: bool,
    fields: HashSet<&'a str>,
}

impl<'a> Changed<'a> {
    /// Whether the statement may make this change, too.
    fn allows(&mut self, change: &'a Change) -> bool {
        let allowed = !self.is_set
            && match change {
                Change::Set(_) => !self.is_changed,
                Change::SetField { field, .. } => self.fields.insert(field),
                _ => true,
            };
        self.is_set |= matches!(change, Change::Set(_));
        self.is_changed = true;
        allowed
    }
}

/// `UPDATE table [USING ...] SET ... WHERE ... [IF ...]`
pub(crate) fn update(input: Tokens<'_>) -> Parsed<'_, Update> {
    let (input, table) = table(input.skip())?;
    let (input, attributes) = using(input)?;
    let (input, ()) = word(Keyword::Set)(input)?;
    let (input, operations) = commas(operation)(input)?;
    let mut changed: HashMap<&str, Changed<'_>> = HashMap::new();
    for one in &operations {
        if !changed.entry(&one.column).or_default().allows(&one.change) {
            return Err(input.refused(format!("Multiple incompatible setting of column {}", one.column)));
        }
    }
    let (input, ()) = word(Keyword::Where)(input)?;
    let (input, relations) = relations(input)?;
    let (input, conditions) = conditions(input)?;
    Ok((
        input,
        Update {
            table,
            attributes,
            operations,
            relations,
            conditions,
        },
    ))
}

fn operation(input: Tokens<'_>) -> Parsed<'_, Operation> {
    let (input, column) = column(input)?;
    let (input, change) = match input.peek() {
        Kind::Sign("=") => assignment(input.skip(), &column)?,
        Kind::Sign("+=") => {
            let (input, value) = term(input.skip())?;
            (input, Change::Add(value))
        }
        Kind::Sign("-=") => {
            let (input, value) = term(input.skip())?;
            (input, Change::Subtract(value))
        }
        Kind::Sign("[") => {
            let (input, key) = term(input.skip())?;
            let (input, ()) = sign("]")(input)?;
            let (input, ()) = sign("=")(input)?;
            let (input, value) = term(input)?;
            (input, Change::SetElement { key, value })
        }
        Kind::Sign(".") => {
            let (input, field) = name(input.skip())?;
            let (input, ()) = sign("=")(input)?;
            let (input, value) = term(input)?;
            (input, Change::SetField { field, value })
        }
        _ => return Err(input.no_alternative()),
    };
    Ok((input, Operation { column, change }))
}

/// What follows the sign of equality.
fn assignment<'a>(input: Tokens<'a>, target: &str) -> Parsed<'a, Change> {
    let own = |input: Tokens<'a>, sign: &str| {
        let (rest, other) = column(input)?;
        if other != target {
            let message = format!("Only expressions of the form X = X {sign}<value> are supported.");
            return Err(input.refused(message));
        }
        Ok((rest, ()))
    };
    let names_column = input.name_at(0) || input.peek() == Kind::EmptyQuotedName;
    match input.peek_at(1) {
        Kind::Sign("+") if names_column => {
            let (input, ()) = own(input, "+")?;
            let (input, value) = term(input.skip())?;
            Ok((input, Change::Add(value)))
        }
        Kind::Sign("-") if names_column => {
            let (input, ()) = own(input, "-")?;
            let (input, value) = term(input.skip())?;
            Ok((input, Change::Subtract(value)))
        }
        // `c = c -1`: the minus sign belongs to the number.
        Kind::Integer if names_column => {
            let negative = input.skip().text().starts_with('-');
            let (input, ()) = own(input, if negative { "- " } else { "+ " })?;
            let (input, value) = literal(input)?;
            Ok((input, Change::Add(Term::Literal(value))))
        }
        _ => {
            let (input, value) = term(input)?;
            if !input.is_sign("+") {
                return Ok((input, Change::Set(value)));
            }
            let at = input.skip();
            let (input, other) = column(at)?;
            if other != target {
                return Err(at.refused("Only expressions of the form X = <value> + X are supported."));
            }
            Ok((input, Change::Prepend(value)))
        }
    }
}
