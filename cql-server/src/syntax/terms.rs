//! Terms: literals, bind markers, collections, calls and arithmetic, wherever a statement has a value.

use super::{
    input::{Parsed, Tokens, commas, commas_until, kind, parenthesised, sign, word},
    names::{self, QualifiedName},
    token::{Keyword, Kind},
    types::{native_type, type_name},
};
use crate::core::{
    functions::Operator,
    types::{Native, names::RawType},
};
use std::sync::Arc;

/// What sort of literal a text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiteralKind {
    String,
    Integer,
    Float,
    Boolean,
    Duration,
    Uuid,
    Hex,
}

/// A constant as it was written, without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) kind: LiteralKind,
    pub(crate) text: Arc<str>,
}

/// A bind marker: its position among all of the statement, and its name if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) index: u16,
    pub(crate) name: Option<Arc<str>>,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Literal(Literal),
    Null,
    Marker(Marker),
    /// `[...]`: a list or a vector.
    List(Vec<Term>),
    /// `{...}`: a set; without elements maybe a map.
    Set(Vec<Term>),
    Map(Vec<(Term, Term)>),
    Udt(Vec<(String, Term)>),
    Tuple(Vec<Term>),
    Call {
        function: QualifiedName,
        arguments: Vec<Term>,
    },
    /// `CAST(x AS type)`
    Cast {
        of: Box<Term>,
        to: Native,
    },
    /// `(type) x`
    Hint {
        kind: RawType,
        of: Box<Term>,
    },
    Operation {
        operator: Operator,
        left: Box<Term>,
        right: Box<Term>,
    },
    Negation(Box<Term>),
}

/// Any value.
pub(crate) fn term(input: Tokens<'_>) -> Parsed<'_, Term> {
    let outer = input;
    let (input, found) = chain(input.deeper()?, SUMS, product, operation)?;
    if input.no_value_here() {
        let is_marker = matches!(&found, Term::Marker(marker) if marker.name.is_none());
        return Err(input.no_alternative_since(if is_marker { outer } else { input }));
    }
    Ok((input.as_deep_as(outer), found))
}

fn product(input: Tokens<'_>) -> Parsed<'_, Term> {
    chain(input, PRODUCTS, negatable, operation)
}

fn operation(operator: Operator, left: Term, right: Term) -> Term {
    Term::Operation {
        operator,
        left: Box::new(left),
        right: Box::new(right),
    }
}

/// Signs of one precedence.
pub(crate) type Operators = &'static [(&'static str, Operator)];

/// The lower precedence.
pub(crate) const SUMS: Operators = &[("+", Operator::Add), ("-", Operator::Subtract)];

/// The higher precedence.
pub(crate) const PRODUCTS: Operators = &[
    ("*", Operator::Multiply),
    ("/", Operator::Divide),
    ("%", Operator::Modulo),
];

/// Operands with operators of one precedence between them, from left to right. Each operator counts as
/// nesting, because the result nests to the left.
pub(crate) fn chain<'a, T>(
    input: Tokens<'a>,
    operators: Operators,
    operand: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
    join: impl Fn(Operator, T, T) -> T,
) -> Parsed<'a, T> {
    let outer = input;
    let (mut input, mut left) = operand(input)?;
    while let Some((_, operator)) = operators.iter().find(|(sign, _)| input.is_sign(sign)) {
        // In `x = value + x` of UPDATE the sum belongs to the operation, not to the term.
        let (rest, right) = match operand(input.skip().behind_operator()?) {
            Err(nom::Err::Error(_)) if *operator == Operator::Add && input.skip().name_at(0) => break,
            other => other?,
        };
        left = join(*operator, left, right);
        input = rest;
    }
    Ok((input.as_deep_as(outer), left))
}

fn negatable(input: Tokens<'_>) -> Parsed<'_, Term> {
    if input.is_sign("-") {
        let (input, of) = simple(input.skip())?;
        return Ok((input, Term::Negation(Box::new(of))));
    }
    simple(input)
}

/// A term without operators.
fn simple(input: Tokens<'_>) -> Parsed<'_, Term> {
    match input.peek() {
        Kind::Word(Keyword::Null) => Ok((input.skip(), Term::Null)),
        Kind::Word(Keyword::Cast) if input.sign_at(1, "(") => cast(input),
        Kind::Marker | Kind::Sign(":") => {
            let (input, marker) = marker(input)?;
            Ok((input, Term::Marker(marker)))
        }
        Kind::Sign("[") => {
            let (input, elements) = commas_until("]", term)(input.skip())?;
            Ok((input, Term::List(elements)))
        }
        Kind::Sign("{") => braces(input),
        Kind::Sign("(") => parentheses(input),
        Kind::Word(Keyword::Token) => call(input),
        _ if input.name_at(0) => call(input),
        _ => {
            let (input, literal) = literal(input)?;
            Ok((input, Term::Literal(literal)))
        }
    }
}

/// A constant.
pub(crate) fn literal(input: Tokens<'_>) -> Parsed<'_, Literal> {
    let kind = match input.peek() {
        Kind::String => LiteralKind::String,
        Kind::Integer => LiteralKind::Integer,
        Kind::Float => LiteralKind::Float,
        Kind::Boolean => LiteralKind::Boolean,
        Kind::Duration => LiteralKind::Duration,
        Kind::Uuid => LiteralKind::Uuid,
        Kind::Hex => LiteralKind::Hex,
        Kind::Word(Keyword::Nan) | Kind::NegativeNan => return Ok((input.skip(), float("NaN"))),
        Kind::Word(Keyword::Infinity) => return Ok((input.skip(), float("Infinity"))),
        Kind::NegativeInfinity => return Ok((input.skip(), float("-Infinity"))),
        _ => return Err(input.no_alternative()),
    };
    let text: Arc<str> = input.text().into();
    let is_endless = kind == LiteralKind::Float && text.parse::<f64>().is_ok_and(f64::is_infinite);
    if is_endless {
        return Err(input.refused(format!(
            "Failed parsing statement: [{}] reason: NumberFormatException Character I is neither a decimal digit number, \
             decimal point, nor \"e\" notation exponential mark.",
            input.statement_text()
        )));
    }
    Ok((input.skip(), Literal { kind, text }))
}

fn float(text: &str) -> Literal {
    Literal {
        kind: LiteralKind::Float,
        text: text.into(),
    }
}

/// `?` or `:name`.
pub(crate) fn marker(input: Tokens<'_>) -> Parsed<'_, Marker> {
    let (input, name) = match input.peek() {
        Kind::Marker => (input.skip(), None),
        Kind::Sign(":") => {
            let (input, name) = names::name(input.skip())?;
            (input, Some(Arc::from(name)))
        }
        _ => return Err(input.no_alternative()),
    };
    let (input, index) = input.marker(name.clone())?;
    Ok((input, Marker { index, name }))
}

/// An integer or a bind marker.
pub(crate) fn integer(input: Tokens<'_>) -> Parsed<'_, Term> {
    if input.peek() == Kind::Integer {
        let (input, literal) = literal(input)?;
        return Ok((input, Term::Literal(literal)));
    }
    let (input, marker) = marker(input)?;
    Ok((input, Term::Marker(marker)))
}

/// A call of a function, or of one of a keyspace.
fn call(input: Tokens<'_>) -> Parsed<'_, Term> {
    let start = input;
    let (input, function) = names::function(input)?;
    if !input.is_sign("(") {
        return Err(input.no_alternative_since(start));
    }
    let (input, arguments) = commas_until(")", term)(input.skip())?;
    Ok((input, Term::Call { function, arguments }))
}

fn cast(input: Tokens<'_>) -> Parsed<'_, Term> {
    let (input, ()) = sign("(")(input.skip())?;
    let outer = input;
    let (input, of) = simple(input.deeper()?)?;
    let (input, ()) = word(Keyword::As)(input.as_deep_as(outer))?;
    let (input, to) = native_type(input)?;
    let (input, ()) = sign(")")(input)?;
    Ok((input, Term::Cast { of: Box::new(of), to }))
}

/// A set, map or value of a user-defined type.
fn braces(input: Tokens<'_>) -> Parsed<'_, Term> {
    let start = input;
    let input = input.skip();
    if input.is_sign("}") {
        return Ok((input.skip(), Term::Set(Vec::new())));
    }
    if input.name_at(0) && input.sign_at(1, ":") {
        let (input, fields) = commas(udt_field)(input)?;
        let (input, ()) = sign("}")(input)?;
        return Ok((input, Term::Udt(fields)));
    }
    if input.name_at(0) && !input.sign_at(1, "(") && !input.sign_at(1, ".") {
        return Err(input.skip().no_alternative_since(start));
    }
    let (input, first) = term(input)?;
    if !input.is_sign(":") {
        let (input, mut elements) = if input.is_sign(",") {
            commas(term)(input.skip())?
        } else {
            (input, Vec::new())
        };
        elements.insert(0, first);
        let (input, ()) = sign("}")(input)?;
        return Ok((input, Term::Set(elements)));
    }
    let (input, value) = term(input.skip())?;
    let (input, mut entries) = if input.is_sign(",") {
        commas(map_entry)(input.skip())?
    } else {
        (input, Vec::new())
    };
    entries.insert(0, (first, value));
    let (input, ()) = sign("}")(input)?;
    Ok((input, Term::Map(entries)))
}

fn udt_field(input: Tokens<'_>) -> Parsed<'_, (String, Term)> {
    let (input, name) = names::name(input)?;
    let (input, ()) = sign(":")(input)?;
    let (input, value) = term(input)?;
    Ok((input, (name, value)))
}

/// A key, a colon, a value.
pub(super) fn map_entry(input: Tokens<'_>) -> Parsed<'_, (Term, Term)> {
    let (input, key) = term(input)?;
    let (input, ()) = sign(":")(input)?;
    let (input, value) = term(input)?;
    Ok((input, (key, value)))
}

/// A tuple, or a type that says how the term after it is meant.
fn parentheses(input: Tokens<'_>) -> Parsed<'_, Term> {
    if let Some((rest, kind)) = hint(input) {
        let (rest, of) = simple(rest.deeper()?)?;
        return Ok((
            rest.as_deep_as(input),
            Term::Hint {
                kind,
                of: Box::new(of),
            },
        ));
    }
    tuple(input)
}

/// `(a, b, ...)`.
pub(crate) fn tuple(input: Tokens<'_>) -> Parsed<'_, Term> {
    if input.is_sign("(") && input.sign_at(1, ")") {
        return Err(input.skip().no_alternative_since(input));
    }
    let (input, fields) = parenthesised(commas(term))(input)?;
    Ok((input, Term::Tuple(fields)))
}

/// A type in parentheses: no term looks like one, except a string.
pub(crate) fn hint(input: Tokens<'_>) -> Option<(Tokens<'_>, RawType)> {
    let input = input.skip();
    if !matches!(input.peek(), Kind::Word(_) | Kind::Identifier | Kind::QuotedName) {
        return None;
    }
    let (input, found) = type_name(input).ok()?;
    input.is_sign(")").then(|| (input.skip(), found))
}

/// A string.
pub(crate) fn string(input: Tokens<'_>) -> Parsed<'_, String> {
    let (input, text) = kind(Kind::String)(input)?;
    Ok((input, text.into_owned()))
}
