//! WHERE: the relations that restrict which rows a statement is about.

use super::{
    input::{Parsed, Tokens, ands, commas, commas_until, parenthesised, sign, words},
    names::{self, QualifiedName},
    terms::{Marker, Term, marker, term, tuple},
    token::{Keyword, Kind},
};

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    NotEqual,
}

impl Comparison {
    /// Its sign.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::NotEqual => "!=",
        }
    }
}

/// The values of IN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InValues {
    List(Vec<Term>),
    /// One marker for the whole list.
    Marker(Marker),
}

/// One relation of WHERE; all of them hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Relation {
    Column {
        column: String,
        operator: Comparison,
        term: Term,
    },
    In {
        column: String,
        values: InValues,
    },
    Contains {
        column: String,
        term: Term,
    },
    ContainsKey {
        column: String,
        term: Term,
    },
    Like {
        column: String,
        term: Term,
    },
    IsNotNull {
        column: String,
    },
    /// `column[key] = term`
    Element {
        column: String,
        key: Term,
        operator: Comparison,
        term: Term,
    },
    /// `token(columns) > term`
    Token {
        columns: Vec<String>,
        operator: Comparison,
        term: Term,
    },
    /// `(columns) > term`
    Tuple {
        columns: Vec<String>,
        operator: Comparison,
        term: Term,
    },
    /// `(columns) IN ...`
    TupleIn {
        columns: Vec<String>,
        values: InValues,
    },
    /// `expr(index, term)`
    Expression {
        index: QualifiedName,
        term: Term,
    },
}

/// The relations after WHERE.
pub(crate) fn relations(input: Tokens<'_>) -> Parsed<'_, Vec<Relation>> {
    ands(relation)(input)
}

/// WHERE and its relations, if it is next.
pub(crate) fn optional_where(input: Tokens<'_>) -> Parsed<'_, Vec<Relation>> {
    if input.is(Keyword::Where) {
        relations(input.skip())
    } else {
        Ok((input, Vec::new()))
    }
}

fn relation(input: Tokens<'_>) -> Parsed<'_, Relation> {
    match input.peek() {
        Kind::Expr => expression(input),
        Kind::Word(Keyword::Token) => token(input),
        Kind::Sign("(") if input.name_at(1) && (input.sign_at(2, ",") || input.sign_at(2, ")")) => {
            columns(input)
        }
        Kind::Sign("(") => {
            let outer = input;
            let (input, inner) = relation(input.skip().deeper()?)?;
            let (input, ()) = sign(")")(input)?;
            Ok((input.as_deep_as(outer), inner))
        }
        _ => single(input),
    }
}

fn expression(input: Tokens<'_>) -> Parsed<'_, Relation> {
    let (input, index) = names::index(input.skip())?;
    let (input, ()) = sign(",")(input)?;
    let (input, term) = term(input)?;
    let (input, ()) = sign(")")(input)?;
    Ok((input, Relation::Expression { index, term }))
}

fn token(input: Tokens<'_>) -> Parsed<'_, Relation> {
    let (input, columns) = parenthesised(commas(names::column))(input.skip())?;
    let (input, operator) = comparison(input)?;
    let (input, term) = term(input)?;
    Ok((
        input,
        Relation::Token {
            columns,
            operator,
            term,
        },
    ))
}

/// Several columns at once.
fn columns(input: Tokens<'_>) -> Parsed<'_, Relation> {
    let (input, columns) = parenthesised(commas(names::column))(input)?;
    if input.is(Keyword::In) {
        let (input, values) = in_values(input.skip(), tuple_or_marker)?;
        return Ok((input, Relation::TupleIn { columns, values }));
    }
    let start = input;
    let (input, operator) = comparison(input)?;
    let (input, term) = match input.peek() {
        Kind::Sign("(") => tuple(input)?,
        Kind::Marker | Kind::Sign(":") => tuple_or_marker(input)?,
        _ => return Err(input.no_alternative_since(start)),
    };
    Ok((
        input,
        Relation::Tuple {
            columns,
            operator,
            term,
        },
    ))
}

fn tuple_or_marker(input: Tokens<'_>) -> Parsed<'_, Term> {
    if input.is_sign("(") {
        return tuple(input);
    }
    let (input, marker) = marker(input)?;
    Ok((input, Term::Marker(marker)))
}

/// One column.
fn single(input: Tokens<'_>) -> Parsed<'_, Relation> {
    let start = input;
    let (input, column) = names::column(input)?;
    match input.peek() {
        Kind::Word(Keyword::Like) => {
            let (input, term) = term(input.skip())?;
            Ok((input, Relation::Like { column, term }))
        }
        Kind::Word(Keyword::Is) => {
            let (input, ()) = words([Keyword::Is, Keyword::Not, Keyword::Null])(input)?;
            Ok((input, Relation::IsNotNull { column }))
        }
        Kind::Word(Keyword::In) => {
            if !matches!(input.peek_at(1), Kind::Marker | Kind::Sign("(" | ":")) {
                return Err(input.skip().no_alternative_since(start));
            }
            let (input, values) = in_values(input.skip(), term)?;
            Ok((input, Relation::In { column, values }))
        }
        Kind::Word(Keyword::Contains) => {
            let is_key = input.peek_at(1) == Kind::Word(Keyword::Key);
            let (input, term) = term(if is_key { input.skip().skip() } else { input.skip() })?;
            let relation = if is_key {
                Relation::ContainsKey { column, term }
            } else {
                Relation::Contains { column, term }
            };
            Ok((input, relation))
        }
        Kind::Sign("[") => {
            let (input, key) = term(input.skip())?;
            let (input, ()) = sign("]")(input)?;
            let (input, operator) = comparison(input)?;
            let (input, term) = term(input)?;
            Ok((
                input,
                Relation::Element {
                    column,
                    key,
                    operator,
                    term,
                },
            ))
        }
        _ => {
            let Ok((input, operator)) = comparison(input) else {
                return Err(input.no_alternative_since(start));
            };
            let (input, term) = term(input)?;
            Ok((
                input,
                Relation::Column {
                    column,
                    operator,
                    term,
                },
            ))
        }
    }
}

/// What stands between two values.
pub(crate) fn comparison(input: Tokens<'_>) -> Parsed<'_, Comparison> {
    let Kind::Sign(sign) = input.peek() else {
        return Err(input.no_alternative());
    };
    let comparison = match sign {
        "=" => Comparison::Equal,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        "!=" => Comparison::NotEqual,
        _ => return Err(input.no_alternative()),
    };
    Ok((input.skip(), comparison))
}

/// The values after IN: a list of what `value` parses, or one marker for all.
pub(crate) fn in_values<'a>(
    input: Tokens<'a>,
    value: impl Fn(Tokens<'a>) -> Parsed<'a, Term>,
) -> Parsed<'a, InValues> {
    if input.is_sign("(") {
        let (input, values) = commas_until(")", value)(input.skip())?;
        return Ok((input, InValues::List(values)));
    }
    let (input, marker) = marker(input)?;
    Ok((input, InValues::Marker(marker)))
}
