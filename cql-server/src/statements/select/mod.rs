//! SELECT.
//!
//! Knows: its grammar, which rows and columns it wants. Never: how rows are stored.

mod execute;
mod indexed;
mod nearest;
mod paging;
mod prepare;
mod selection;
pub(crate) mod selector;
mod sink;
mod system;
mod tombstones;

pub(crate) use execute::Paging;
#[cfg(any(test, feature = "internals"))]
pub(crate) use paging::Mark;
pub(crate) use prepare::{Plan, prepare};
pub(crate) use sink::{ANSWER_BYTES_MAX, PAGE_BYTES_MAX};

use crate::syntax::{
    Keyword, Kind, Parsed, QualifiedName, Relation, Term, Tokens, after_word, column, commas, integer,
    optional_where, table, term, word, words,
};
pub(crate) use selector::{Selected, Selector, TimeOf};

/// Reads rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Select {
    pub(crate) json: bool,
    pub(crate) distinct: bool,
    /// What of each row; everything where there is none.
    pub(crate) selected: Vec<Selected>,
    pub(crate) table: QualifiedName,
    pub(crate) relations: Vec<Relation>,
    pub(crate) group_by: Vec<Selector>,
    pub(crate) order_by: Vec<Ordering>,
    pub(crate) per_partition_limit: Option<Term>,
    pub(crate) limit: Option<Term>,
    pub(crate) allow_filtering: bool,
}

/// One column of ORDER BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ordering {
    pub(crate) column: String,
    /// `ANN OF`: nearest to this vector first.
    pub(crate) nearest_to: Option<Term>,
    pub(crate) descending: bool,
}

/// `SELECT [JSON] [DISTINCT] ... FROM table ...`
pub(crate) fn select(input: Tokens<'_>) -> Parsed<'_, Select> {
    let start = input.skip();
    let (input, json) = modifier(start, Keyword::Json);
    let (begin, distinct) = modifier(input, Keyword::Distinct);
    // The original has tried all of it before it takes such a word for what it is.
    let (input, selected) = selection(begin).map_err(|error| match (json, distinct) {
        (true, _) => input.no_alternative_instead(error, start, Keyword::From),
        (_, true) => begin.no_alternative_instead(error, input, Keyword::From),
        _ => error,
    })?;
    let (input, ()) = word(Keyword::From)(input)?;
    let (input, table) = table(input)?;
    let (input, relations) = optional_where(input)?;
    let (input, group_by) = list_after(input, Keyword::Group, selector::selector)?;
    let (input, order_by) = list_after(input, Keyword::Order, ordering)?;
    let (input, per_partition_limit) = after_word(Keyword::Per, |input| {
        let (input, ()) = words([Keyword::Partition, Keyword::Limit])(input)?;
        integer(input)
    })(input)?;
    let (input, limit) = after_word(Keyword::Limit, integer)(input)?;
    let (input, allowed) = after_word(Keyword::Allow, word(Keyword::Filtering))(input)?;
    let allow_filtering = allowed.is_some();
    let select = Select {
        json,
        distinct,
        selected,
        table,
        relations,
        group_by,
        order_by,
        per_partition_limit,
        limit,
        allow_filtering,
    };
    Ok((input, select))
}

/// Takes `keyword` where it is meant as one: a column may have the same name.
fn modifier(input: Tokens<'_>, keyword: Keyword) -> (Tokens<'_>, bool) {
    let is_meant = match input.peek_at(1) {
        Kind::Word(Keyword::From) | Kind::End => false,
        Kind::Word(Keyword::As) => {
            input.name_at(2) && !matches!(input.peek_at(3), Kind::Sign(",") | Kind::Word(Keyword::From))
        }
        Kind::Sign("*") => matches!(
            input.peek_at(2),
            Kind::Word(Keyword::From) | Kind::Sign("*") | Kind::End
        ),
        Kind::Sign(sign) => matches!(sign, "[" | "{" | ":" | "("),
        _ => true,
    };
    if input.is(keyword) && is_meant {
        (input.skip(), true)
    } else {
        (input, false)
    }
}

/// `*` or selectors with aliases.
pub(crate) fn selection(input: Tokens<'_>) -> Parsed<'_, Vec<Selected>> {
    if input.is_sign("*") {
        return Ok((input.skip(), Vec::new()));
    }
    commas(selector::selected)(input)
}

/// The list after `keyword` BY, if that is next.
fn list_after<'a, T>(
    input: Tokens<'a>,
    keyword: Keyword,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> Parsed<'a, Vec<T>> {
    if !input.is(keyword) {
        return Ok((input, Vec::new()));
    }
    let (input, ()) = word(Keyword::By)(input.skip())?;
    commas(parser)(input)
}

fn ordering(input: Tokens<'_>) -> Parsed<'_, Ordering> {
    let (input, column) = column(input)?;
    let (input, nearest_to) = after_word(Keyword::Ann, |input| {
        let (input, ()) = word(Keyword::Of)(input)?;
        term(input)
    })(input)?;
    let (input, descending) = match input.peek() {
        Kind::Word(Keyword::Asc) => (input.skip(), false),
        Kind::Word(Keyword::Desc) => (input.skip(), true),
        _ => (input, false),
    };
    Ok((
        input,
        Ordering {
            column,
            nearest_to,
            descending,
        },
    ))
}
