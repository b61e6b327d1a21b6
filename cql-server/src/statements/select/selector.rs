//! Selectors: what SELECT wants of a row, and what GROUP BY groups by.

use crate::{
    core::{
        functions::Operator,
        types::{Native, names::RawType},
    },
    syntax::{
        Keyword, Kind, PRODUCTS, Parsed, QualifiedName, SUMS, Term, Tokens, after_word, chain, column,
        commas, commas_until, function, hint, literal, marker, name, native_of, native_type, sign, term,
        word,
    },
};

/// A selector with the name that its column of the result shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) selector: Selector,
    pub(crate) alias: Option<String>,
}

/// Which time of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeOf {
    WriteTime,
    MaxWriteTime,
    Ttl,
}

/// What is wanted of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selector {
    Column(String),
    /// A literal, null or bind marker.
    Term(Term),
    /// `count(*)`
    CountRows,
    Call {
        function: QualifiedName,
        arguments: Vec<Selector>,
    },
    /// `of` is a column, maybe with elements, slices or fields of it.
    Time {
        kind: TimeOf,
        of: Box<Selector>,
    },
    /// `CAST(x AS type)`
    Cast {
        of: Box<Selector>,
        to: Native,
    },
    /// `(type) x`
    Hint {
        kind: RawType,
        of: Box<Selector>,
    },
    Operation {
        operator: Operator,
        left: Box<Selector>,
        right: Box<Selector>,
    },
    Negation(Box<Selector>),
    Field {
        of: Box<Selector>,
        field: String,
    },
    Element {
        of: Box<Selector>,
        key: Term,
    },
    Slice {
        of: Box<Selector>,
        from: Option<Term>,
        to: Option<Term>,
    },
    List(Vec<Selector>),
    Set(Vec<Selector>),
    /// Which of both depends on the type that is wanted.
    MapOrUdt(Vec<(Selector, Selector)>),
    /// A tuple; with one field maybe only parentheses.
    Tuple(Vec<Selector>),
}

/// A selector, maybe with `AS alias`.
pub(super) fn selected(input: Tokens<'_>) -> Parsed<'_, Selected> {
    let start = input;
    let (input, selector) = selector(input)?;
    let (input, alias) = after_word(Keyword::As, name)(input)?;
    // A bare name that nothing which may follow a selector follows: the decision about it failed.
    let goes_on = matches!(input.peek(), Kind::Sign("," | ")") | Kind::Word(Keyword::From));
    if alias.is_none() && !goes_on && matches!(selector, Selector::Column(_)) {
        return Err(input.no_alternative_since(start));
    }
    Ok((input, Selected { selector, alias }))
}

/// Any selector.
pub(crate) fn selector(input: Tokens<'_>) -> Parsed<'_, Selector> {
    let outer = input;
    let (input, found) = chain(input.deeper()?, SUMS, product, operation)?;
    Ok((input.as_deep_as(outer), found))
}

fn product(input: Tokens<'_>) -> Parsed<'_, Selector> {
    chain(input, PRODUCTS, negatable, operation)
}

fn operation(operator: Operator, left: Selector, right: Selector) -> Selector {
    Selector::Operation {
        operator,
        left: Box::new(left),
        right: Box::new(right),
    }
}

fn negatable(input: Tokens<'_>) -> Parsed<'_, Selector> {
    if !input.is_sign("-") {
        return modified(input);
    }
    let outer = input;
    let (input, of) = negatable(input.skip().deeper()?)?;
    Ok((input.as_deep_as(outer), Selector::Negation(Box::new(of))))
}

fn modified(input: Tokens<'_>) -> Parsed<'_, Selector> {
    let (input, found) = simple(input)?;
    modifiers(input, found)
}

/// The fields, elements and slices that follow `found`.
fn modifiers(input: Tokens<'_>, found: Selector) -> Parsed<'_, Selector> {
    let outer = input;
    let (mut input, mut found) = (input, found);
    loop {
        input = match input.peek() {
            Kind::Sign(".") => {
                let (rest, field) = name(input.skip().deeper()?)?;
                found = Selector::Field {
                    of: Box::new(found),
                    field,
                };
                rest
            }
            Kind::Sign("[") => {
                let (rest, selector) = part(input.skip().deeper()?, Box::new(found))?;
                found = selector;
                sign("]")(rest)?.0
            }
            _ => return Ok((input.as_deep_as(outer), found)),
        }
    }
}

/// An element or a slice of `of`.
fn part(input: Tokens<'_>, of: Box<Selector>) -> Parsed<'_, Selector> {
    if input.peek() == Kind::Range {
        let (input, to) = term(input.skip())?;
        return Ok((
            input,
            Selector::Slice {
                of,
                from: None,
                to: Some(to),
            },
        ));
    }
    let (input, key) = term(input)?;
    if input.peek() != Kind::Range {
        return Ok((input, Selector::Element { of, key }));
    }
    let input = input.skip();
    let (input, to) = if input.is_sign("]") {
        (input, None)
    } else {
        let (input, to) = term(input)?;
        (input, Some(to))
    };
    Ok((
        input,
        Selector::Slice {
            of,
            from: Some(key),
            to,
        },
    ))
}

/// A selector without operators and modifiers.
fn simple(input: Tokens<'_>) -> Parsed<'_, Selector> {
    let is_call = input.sign_at(1, "(");
    match input.peek() {
        Kind::Word(Keyword::Null) => Ok((input.skip(), Selector::Term(Term::Null))),
        Kind::Marker | Kind::Sign(":") => {
            let (input, marker) = marker(input)?;
            Ok((input, Selector::Term(Term::Marker(marker))))
        }
        Kind::Sign("[") => {
            let (input, elements) = commas_until("]", selector)(input.skip())?;
            Ok((input, Selector::List(elements)))
        }
        Kind::Sign("{") => braces(input.skip()),
        Kind::Sign("(") => parentheses(input),
        Kind::Word(Keyword::Count) if is_call && input.sign_at(2, "*") => {
            let (input, ()) = sign(")")(input.skip().skip().skip())?;
            Ok((input, Selector::CountRows))
        }
        Kind::Word(Keyword::Writetime) if is_call => time(input, TimeOf::WriteTime),
        Kind::Word(Keyword::Maxwritetime) if is_call => time(input, TimeOf::MaxWriteTime),
        Kind::Word(Keyword::Ttl) if is_call => time(input, TimeOf::Ttl),
        Kind::Word(Keyword::Cast) if is_call => cast(input),
        Kind::Word(Keyword::Token) => call(input),
        _ if input.name_at(0) => {
            let is_qualified_call = input.sign_at(1, ".") && input.name_at(2) && input.sign_at(3, "(");
            if is_call || is_qualified_call {
                return call(input);
            }
            let (rest, column) = name(input)?;
            // The original looks behind the name for what may follow it.
            if matches!(rest.peek(), Kind::Identifier | Kind::QuotedName)
                || matches!(rest.peek(), Kind::Word(keyword) if native_of(keyword).is_some())
            {
                return Err(rest.no_alternative_since(input));
            }
            Ok((rest, Selector::Column(column)))
        }
        _ => {
            let (input, literal) = literal(input)?;
            Ok((input, Selector::Term(Term::Literal(literal))))
        }
    }
}

fn call(input: Tokens<'_>) -> Parsed<'_, Selector> {
    let (input, function) = function(input)?;
    let (input, ()) = sign("(")(input)?;
    let (input, arguments) = commas_until(")", selector)(input)?;
    Ok((input, Selector::Call { function, arguments }))
}

fn time(input: Tokens<'_>, kind: TimeOf) -> Parsed<'_, Selector> {
    let (input, ()) = sign("(")(input.skip())?;
    let (input, column) = column(input)?;
    let (input, of) = modifiers(input, Selector::Column(column))?;
    let (input, ()) = sign(")")(input)?;
    Ok((
        input,
        Selector::Time {
            kind,
            of: Box::new(of),
        },
    ))
}

fn cast(input: Tokens<'_>) -> Parsed<'_, Selector> {
    let (input, ()) = sign("(")(input.skip())?;
    let (input, of) = selector(input)?;
    let (input, ()) = word(Keyword::As)(input)?;
    let (input, to) = native_type(input)?;
    let (input, ()) = sign(")")(input)?;
    Ok((input, Selector::Cast { of: Box::new(of), to }))
}

/// A set, map or value of a user-defined type.
fn braces(input: Tokens<'_>) -> Parsed<'_, Selector> {
    if input.is_sign("}") {
        return Ok((input.skip(), Selector::Set(Vec::new())));
    }
    let (rest, first) = selector(input)?;
    if rest.is_sign(":") {
        let (input, entries) = commas(entry)(input)?;
        let (input, ()) = sign("}")(input)?;
        return Ok((input, Selector::MapOrUdt(entries)));
    }
    let (input, mut elements) = if rest.is_sign(",") {
        commas(selector)(rest.skip())?
    } else {
        (rest, Vec::new())
    };
    elements.insert(0, first);
    let (input, ()) = sign("}")(input)?;
    Ok((input, Selector::Set(elements)))
}

fn entry(input: Tokens<'_>) -> Parsed<'_, (Selector, Selector)> {
    let (input, key) = selector(input)?;
    let (input, ()) = sign(":")(input)?;
    let (input, value) = selector(input)?;
    Ok((input, (key, value)))
}

/// A tuple, a selector in parentheses, or a type that says how the selector after it is meant.
fn parentheses(input: Tokens<'_>) -> Parsed<'_, Selector> {
    let starts_selector = |rest: Tokens<'_>| match rest.peek() {
        Kind::Sign(sign) => matches!(sign, "(" | "[" | "{" | ":"),
        Kind::Word(Keyword::As) | Kind::End | Kind::Range => false,
        Kind::Word(Keyword::Token | Keyword::Null | Keyword::Nan | Keyword::Infinity) => true,
        Kind::Word(_) => rest.name_at(0),
        // `(a) -1` is no hint, and no selector either.
        _ => true,
    };
    if let Some((rest, kind)) = hint(input).filter(|(rest, _)| starts_selector(*rest)) {
        let (rest, of) = simple(rest.deeper()?)?;
        return Ok((
            rest.as_deep_as(input),
            Selector::Hint {
                kind,
                of: Box::new(of),
            },
        ));
    }
    let (input, fields) = commas(selector)(input.skip())?;
    let (input, ()) = sign(")")(input)?;
    Ok((input, Selector::Tuple(fields)))
}
