//! IF: what must hold for a write to be applied.

use crate::syntax::{
    Comparison, InValues, Keyword, Kind, Parsed, Term, Tokens, ands, column, comparison, in_values, name,
    sign, term,
};

/// What a conditional write asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Conditions {
    /// Nothing: the write is not conditional.
    #[default]
    None,
    /// `IF NOT EXISTS`
    NotExists,
    /// `IF EXISTS`
    Exists,
    /// `IF` conditions: all of them.
    Columns(Vec<Condition>),
}

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: String,
    pub(crate) part: Part,
    pub(crate) test: Test,
}

/// Which part of the column's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Element(Term),
    Field(String),
}

/// How it is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Compare(Comparison, Term),
    In(InValues),
    Contains(Term),
    ContainsKey(Term),
}

/// `IF EXISTS` or `IF` conditions, if they are next.
pub(crate) fn conditions(input: Tokens<'_>) -> Parsed<'_, Conditions> {
    if !input.is(Keyword::If) {
        return Ok((input, Conditions::None));
    }
    let input = input.skip();
    // A column may be called `exists`.
    let is_column = matches!(input.peek_at(1), Kind::Sign(sign) if sign != ";")
        || matches!(input.peek_at(1), Kind::Word(Keyword::In | Keyword::Contains));
    if input.is(Keyword::Exists) && !is_column {
        return Ok((input.skip(), Conditions::Exists));
    }
    let (input, all) = ands(condition)(input)?;
    Ok((input, Conditions::Columns(all)))
}

fn condition(input: Tokens<'_>) -> Parsed<'_, Condition> {
    let start = input;
    let (input, column) = column(input)?;
    let (input, part) = part(input)?;
    let (input, test) = match input.peek() {
        Kind::Word(Keyword::In) => {
            let (input, values) = in_values(input.skip(), term)?;
            (input, Test::In(values))
        }
        Kind::Word(Keyword::Contains) if part == Part::Whole => {
            if input.peek_at(1) == Kind::Word(Keyword::Key) {
                let (input, key) = term(input.skip().skip())?;
                (input, Test::ContainsKey(key))
            } else {
                let (input, value) = term(input.skip())?;
                (input, Test::Contains(value))
            }
        }
        Kind::Word(Keyword::Like) => return Err(input.no_alternative()),
        _ => {
            let Ok((input, operator)) = comparison(input) else {
                return Err(input.no_alternative_since(start));
            };
            let (input, value) = term(input)?;
            (input, Test::Compare(operator, value))
        }
    };
    Ok((input, Condition { column, part, test }))
}

fn part(input: Tokens<'_>) -> Parsed<'_, Part> {
    if input.is_sign("[") {
        let (input, element) = term(input.skip())?;
        let (input, ()) = sign("]")(input)?;
        return Ok((input, Part::Element(element)));
    }
    if input.is_sign(".") {
        let (input, field) = name(input.skip())?;
        return Ok((input, Part::Field(field)));
    }
    Ok((input, Part::Whole))
}
