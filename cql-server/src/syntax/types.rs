//! Names of types as statements write them; which type a name is depends on the schema and comes later.

use super::{
    error::Mismatch,
    input::{Parsed, Tokens, commas, kind, sign},
    names::user_type,
    token::{Keyword, Kind},
};
use crate::core::types::{Native, marshal::unknown_class, names::RawType};

/// A sign behind a parameter of a type: to know that it ends the original has read on.
fn closed_by<'a>(wanted: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, ()> {
    move |input| {
        sign(wanted)(input).map_err(|error| {
            error.map(|mismatch| Mismatch {
                has_read_on: true,
                ..mismatch
            })
        })
    }
}

/// The native type that `keyword` names.
pub(crate) fn native_of(keyword: Keyword) -> Option<Native> {
    Some(match keyword {
        Keyword::Ascii => Native::Ascii,
        Keyword::Bigint => Native::Bigint,
        Keyword::Blob => Native::Blob,
        Keyword::Boolean => Native::Boolean,
        Keyword::Counter => Native::Counter,
        Keyword::Decimal => Native::Decimal,
        Keyword::Double => Native::Double,
        Keyword::Duration => Native::Duration,
        Keyword::Float => Native::Float,
        Keyword::Inet => Native::Inet,
        Keyword::Int => Native::Int,
        Keyword::Smallint => Native::Smallint,
        Keyword::Tinyint => Native::Tinyint,
        Keyword::Text | Keyword::Varchar => Native::Text,
        Keyword::Uuid => Native::Uuid,
        Keyword::Varint => Native::Varint,
        Keyword::Timeuuid => Native::Timeuuid,
        Keyword::Date => Native::Date,
        Keyword::Time => Native::Time,
        Keyword::Timestamp => Native::Timestamp,
        _ => return None,
    })
}

/// A native type.
pub(crate) fn native_type(input: Tokens<'_>) -> Parsed<'_, Native> {
    match input.peek() {
        Kind::Word(keyword) => match native_of(keyword) {
            Some(native) => Ok((input.skip(), native)),
            None => Err(input.no_alternative()),
        },
        _ => Err(input.no_alternative()),
    }
}

/// Any type.
pub(crate) fn type_name(input: Tokens<'_>) -> Parsed<'_, RawType> {
    let outer = input;
    let (input, found) = nested(input.deeper()?)?;
    Ok((input.as_deep_as(outer), found))
}

fn nested(input: Tokens<'_>) -> Parsed<'_, RawType> {
    // Words that open a parameter list are names of user-defined types everywhere else.
    let has_parameters = input.sign_at(1, "<");
    match input.peek() {
        Kind::Word(keyword) if native_of(keyword).is_some() => {
            let (input, native) = native_type(input)?;
            Ok((input, RawType::Native(native)))
        }
        Kind::Word(Keyword::List) if has_parameters => one(input, |of| RawType::List { of, frozen: false }),
        Kind::Word(Keyword::Set) => one(input, |of| RawType::Set { of, frozen: false }),
        Kind::Word(Keyword::Frozen) if has_parameters => {
            let (rest, ()) = sign("<")(input.skip())?;
            let (rest, of) = type_name(rest)?;
            let (rest, ()) = closed_by(">")(rest)?;
            match of.freeze() {
                Ok(frozen) => Ok((rest, frozen)),
                Err(error) => Err(input.refused(error.to_string())),
            }
        }
        Kind::Word(Keyword::Map) if has_parameters => {
            let (input, ()) = sign("<")(input.skip())?;
            let (input, key) = type_name(input)?;
            let (input, ()) = closed_by(",")(input)?;
            let (input, value) = type_name(input)?;
            let (input, ()) = closed_by(">")(input)?;
            let map = RawType::Map {
                key: Box::new(key),
                value: Box::new(value),
                frozen: false,
            };
            Ok((input, map))
        }
        Kind::Word(Keyword::Tuple) if has_parameters => {
            let (input, ()) = sign("<")(input.skip())?;
            if input.is_sign(">") {
                return Err(input.refused(format!(
                    "Failed parsing statement: [{}] reason: NullPointerException Cannot invoke \
                     \"org.apache.cassandra.cql3.CQL3Type$Raw.supportsFreezing()\" because \"t\" is null",
                    input.statement_text()
                )));
            }
            let (input, fields) = commas(type_name)(input)?;
            let (input, ()) = closed_by(">")(input)?;
            Ok((input, RawType::Tuple(fields)))
        }
        Kind::Word(Keyword::Vector) if has_parameters => vector(input),
        Kind::String => {
            let class = input.text();
            match unknown_class(&class) {
                None => Ok((input.skip(), RawType::Custom(class.into_owned()))),
                Some(full) => Err(input.refused(format!(
                    "Error setting type {class}: Unable to find abstract-type class '{full}'"
                ))),
            }
        }
        _ => {
            let (input, name) = user_type(input)?;
            let named = RawType::Named {
                keyspace: name.keyspace,
                name: name.name,
                frozen: false,
            };
            Ok((input, named))
        }
    }
}

/// A type with one parameter.
fn one(input: Tokens<'_>, make: impl Fn(Box<RawType>) -> RawType) -> Parsed<'_, RawType> {
    let (input, ()) = sign("<")(input.skip())?;
    let (input, of) = type_name(input)?;
    let (input, ()) = closed_by(">")(input)?;
    Ok((input, make(Box::new(of))))
}

fn vector(input: Tokens<'_>) -> Parsed<'_, RawType> {
    let (input, ()) = sign("<")(input.skip())?;
    let (input, of) = type_name(input)?;
    let (input, ()) = closed_by(",")(input)?;
    let at = input;
    let (input, text) = kind(Kind::Integer)(input)?;
    let Ok(dimensions) = text.parse::<i32>() else {
        return Err(at.refused(format!(
            "Failed parsing statement: [{}] reason: NumberFormatException For input string: \"{text}\"",
            at.statement_text()
        )));
    };
    let (input, ()) = closed_by(">")(input)?;
    let vector = RawType::Vector {
        of: Box::new(of),
        dimensions: dimensions.into(),
    };
    Ok((input, vector))
}
