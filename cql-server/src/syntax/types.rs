//! Names of types as statements write them; which type a name is depends on the schema and comes later.

use super::{
    input::{Parsed, Tokens, commas, kind, sign},
    names::{QualifiedName, user_type},
    token::{Keyword, Kind},
};
use crate::{
    core::types::{Native, names::RawType},
    error::Result,
};

/// A type as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TypeName {
    Native(Native),
    List(Box<TypeName>),
    Set(Box<TypeName>),
    Map(Box<TypeName>, Box<TypeName>),
    Tuple(Vec<TypeName>),
    Vector(Box<TypeName>, i32),
    User(QualifiedName),
    Frozen(Box<TypeName>),
    /// The name of a Java class.
    Custom(String),
}

impl TypeName {
    /// The same, ready to be resolved. What cannot be frozen is refused.
    pub(crate) fn raw(&self) -> Result<RawType> {
        let boxed = |of: &TypeName| of.raw().map(Box::new);
        Ok(match self {
            TypeName::Native(native) => RawType::Native(*native),
            TypeName::List(of) => RawType::List {
                of: boxed(of)?,
                frozen: false,
            },
            TypeName::Set(of) => RawType::Set {
                of: boxed(of)?,
                frozen: false,
            },
            TypeName::Map(key, value) => RawType::Map {
                key: boxed(key)?,
                value: boxed(value)?,
                frozen: false,
            },
            TypeName::Tuple(fields) => {
                RawType::Tuple(fields.iter().map(TypeName::raw).collect::<Result<_>>()?)
            }
            TypeName::Vector(of, dimensions) => RawType::Vector {
                of: boxed(of)?,
                dimensions: i64::from(*dimensions),
            },
            TypeName::User(name) => RawType::Named {
                keyspace: name.keyspace.clone(),
                name: name.name.clone(),
                frozen: false,
            },
            TypeName::Frozen(of) => of.raw()?.freeze()?,
            TypeName::Custom(class) => RawType::Custom(class.clone()),
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
pub(crate) fn type_name(input: Tokens<'_>) -> Parsed<'_, TypeName> {
    let outer = input;
    let (input, found) = nested(input.deeper()?)?;
    Ok((input.as_deep_as(outer), found))
}

fn nested(input: Tokens<'_>) -> Parsed<'_, TypeName> {
    // Words that open a parameter list are names of user-defined types everywhere else.
    let has_parameters = input.sign_at(1, "<");
    match input.peek() {
        Kind::Word(keyword) if native_of(keyword).is_some() => {
            let (input, native) = native_type(input)?;
            Ok((input, TypeName::Native(native)))
        }
        Kind::Word(Keyword::List) if has_parameters => one(input, TypeName::List),
        Kind::Word(Keyword::Set) => one(input, TypeName::Set),
        Kind::Word(Keyword::Frozen) if has_parameters => one(input, TypeName::Frozen),
        Kind::Word(Keyword::Map) if has_parameters => {
            let (input, ()) = sign("<")(input.skip())?;
            let (input, key) = type_name(input)?;
            let (input, ()) = sign(",")(input)?;
            let (input, value) = type_name(input)?;
            let (input, ()) = sign(">")(input)?;
            Ok((input, TypeName::Map(Box::new(key), Box::new(value))))
        }
        Kind::Word(Keyword::Tuple) if has_parameters => {
            let (input, ()) = sign("<")(input.skip())?;
            let (input, fields) = commas(type_name)(input)?;
            let (input, ()) = sign(">")(input)?;
            Ok((input, TypeName::Tuple(fields)))
        }
        Kind::Word(Keyword::Vector) if has_parameters => vector(input),
        Kind::String => Ok((input.skip(), TypeName::Custom(input.text().into_owned()))),
        _ => {
            let (input, name) = user_type(input)?;
            Ok((input, TypeName::User(name)))
        }
    }
}

/// A type with one parameter.
fn one(input: Tokens<'_>, make: impl Fn(Box<TypeName>) -> TypeName) -> Parsed<'_, TypeName> {
    let (input, ()) = sign("<")(input.skip())?;
    let (input, of) = type_name(input)?;
    let (input, ()) = sign(">")(input)?;
    Ok((input, make(Box::new(of))))
}

fn vector(input: Tokens<'_>) -> Parsed<'_, TypeName> {
    let (input, ()) = sign("<")(input.skip())?;
    let (input, of) = type_name(input)?;
    let (input, ()) = sign(",")(input)?;
    let at = input;
    let (input, text) = kind(Kind::Integer)(input)?;
    let Ok(dimensions) = text.parse() else {
        return Err(at.refused(format!("For input string: \"{text}\"")));
    };
    let (input, ()) = sign(">")(input)?;
    Ok((input, TypeName::Vector(Box::new(of), dimensions)))
}
