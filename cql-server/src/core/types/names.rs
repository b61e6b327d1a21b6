//! Type names of CQL: what stands in CREATE TABLE, in `system_schema` and in error messages.

use super::{CqlType, Native, UserType};
use crate::error::{CqlError, Result};
use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

/// How deep type names may nest.
const DEPTH_MAX: usize = 64;

/// Words that name nothing unless they are quoted.
const RESERVED: [&str; 57] = [
    "add",
    "allow",
    "alter",
    "and",
    "apply",
    "asc",
    "authorize",
    "batch",
    "begin",
    "by",
    "columnfamily",
    "create",
    "delete",
    "desc",
    "describe",
    "drop",
    "entries",
    "execute",
    "from",
    "full",
    "grant",
    "if",
    "in",
    "index",
    "infinity",
    "insert",
    "into",
    "is",
    "keyspace",
    "limit",
    "materialized",
    "modify",
    "nan",
    "norecursive",
    "not",
    "null",
    "of",
    "on",
    "or",
    "order",
    "primary",
    "rename",
    "revoke",
    "schema",
    "select",
    "set",
    "table",
    "to",
    "token",
    "truncate",
    "unlogged",
    "update",
    "use",
    "using",
    "view",
    "where",
    "with",
];

/// Whether `word`, in lower case, is reserved.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// A name as CQL has to write it: quoted where it would not come back as it is.
pub(crate) fn quoted(name: &str) -> Cow<'_, str> {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !is_reserved(name);
    if plain {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    }
}

impl Native {
    /// Every native type, by its name.
    const NAMES: [(&'static str, Native); 22] = [
        ("ascii", Native::Ascii),
        ("bigint", Native::Bigint),
        ("blob", Native::Blob),
        ("boolean", Native::Boolean),
        ("counter", Native::Counter),
        ("date", Native::Date),
        ("decimal", Native::Decimal),
        ("double", Native::Double),
        ("duration", Native::Duration),
        ("empty", Native::Empty),
        ("float", Native::Float),
        ("inet", Native::Inet),
        ("int", Native::Int),
        ("smallint", Native::Smallint),
        ("text", Native::Text),
        ("time", Native::Time),
        ("timestamp", Native::Timestamp),
        ("timeuuid", Native::Timeuuid),
        ("tinyint", Native::Tinyint),
        ("uuid", Native::Uuid),
        ("varchar", Native::Text),
        ("varint", Native::Varint),
    ];

    /// The type of that name, whatever its case.
    pub(crate) fn named(name: &str) -> Option<Native> {
        Self::NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, native)| *native)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, native)| *native == self)
            .map_or("", |(name, _)| name)
    }
}

impl Display for CqlType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            CqlType::Native(native) => f.write_str(native.name()),
            CqlType::List { of, frozen } => frozen_if(f, *frozen, format_args!("list<{of}>")),
            CqlType::Set { of, frozen } => frozen_if(f, *frozen, format_args!("set<{of}>")),
            CqlType::Map { key, value, frozen } => frozen_if(f, *frozen, format_args!("map<{key}, {value}>")),
            CqlType::Tuple(parts) => {
                f.write_str("frozen<tuple<")?;
                comma_separated(f, parts.iter())?;
                f.write_str(">>")
            }
            CqlType::Udt { of, frozen } => frozen_if(f, *frozen, format_args!("{}", quoted(&of.name))),
            CqlType::Vector { of, dimensions } => write!(f, "vector<{of}, {dimensions}>"),
            CqlType::Custom(class) => write!(f, "'{class}'"),
        }
    }
}

fn frozen_if(f: &mut Formatter<'_>, frozen: bool, inner: fmt::Arguments<'_>) -> fmt::Result {
    if frozen {
        write!(f, "frozen<{inner}>")
    } else {
        f.write_fmt(inner)
    }
}

fn comma_separated<T: Display>(f: &mut Formatter<'_>, parts: impl Iterator<Item = T>) -> fmt::Result {
    for (i, part) in parts.enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{part}")?;
    }
    Ok(())
}

/// A type as a statement spells it: user types are names that nobody looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RawType {
    Native(Native),
    Named {
        keyspace: Option<String>,
        name: String,
        frozen: bool,
    },
    List {
        of: Box<RawType>,
        frozen: bool,
    },
    Set {
        of: Box<RawType>,
        frozen: bool,
    },
    Map {
        key: Box<RawType>,
        value: Box<RawType>,
        frozen: bool,
    },
    Tuple(Vec<RawType>),
    Vector {
        of: Box<RawType>,
        dimensions: i64,
    },
    /// A Java class, as it was quoted.
    Custom(String),
}

impl Display for RawType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RawType::Native(native) => f.write_str(native.name()),
            RawType::Named {
                keyspace,
                name,
                frozen,
            } => match keyspace {
                Some(keyspace) => frozen_if(f, *frozen, format_args!("{keyspace}.{name}")),
                None => frozen_if(f, *frozen, format_args!("{name}")),
            },
            RawType::List { of, frozen } => frozen_if(f, *frozen, format_args!("list<{of}>")),
            RawType::Set { of, frozen } => frozen_if(f, *frozen, format_args!("set<{of}>")),
            RawType::Map { key, value, frozen } => frozen_if(f, *frozen, format_args!("map<{key}, {value}>")),
            RawType::Tuple(parts) => {
                f.write_str("tuple<")?;
                comma_separated(f, parts.iter())?;
                f.write_str(">")
            }
            RawType::Vector { of, dimensions } => write!(f, "vector<{of}, {dimensions}>"),
            RawType::Custom(class) => f.write_str(class),
        }
    }
}

impl RawType {
    /// What `frozen<...>` around it makes of it.
    pub(crate) fn freeze(self) -> Result<RawType> {
        match self {
            RawType::Native(_) | RawType::Custom(_) => Err(CqlError::invalid(format!(
                "frozen<> is only allowed on collections, tuples, and user-defined types (got {self})"
            ))),
            other => Ok(other.frozen()),
        }
    }

    /// Frozen as far as it can be.
    fn frozen(self) -> RawType {
        let boxed = |raw: Box<RawType>| Box::new(raw.frozen());
        match self {
            RawType::Native(_) | RawType::Custom(_) => self,
            RawType::Named { keyspace, name, .. } => RawType::Named {
                keyspace,
                name,
                frozen: true,
            },
            RawType::List { of, .. } => RawType::List {
                of: boxed(of),
                frozen: true,
            },
            RawType::Set { of, .. } => RawType::Set {
                of: boxed(of),
                frozen: true,
            },
            RawType::Map { key, value, .. } => RawType::Map {
                key: boxed(key),
                value: boxed(value),
                frozen: true,
            },
            RawType::Tuple(parts) => RawType::Tuple(parts.into_iter().map(RawType::frozen).collect()),
            RawType::Vector { of, dimensions } => RawType::Vector {
                of: boxed(of),
                dimensions,
            },
        }
    }

    /// The type it means to a statement on `keyspace`, whose user types `lookup` knows by name.
    pub(crate) fn resolve(
        &self,
        keyspace: &str,
        lookup: &dyn Fn(&str) -> Option<Arc<UserType>>,
    ) -> Result<CqlType> {
        match self {
            RawType::Native(native) => Ok(CqlType::Native(*native)),
            RawType::Named {
                keyspace: own,
                name,
                frozen,
            } => {
                let of = user_type(keyspace, own.as_deref(), name, lookup)?;
                Ok(CqlType::Udt { of, frozen: *frozen })
            }
            RawType::List { of, frozen } => {
                self.check_element(of, *frozen)?;
                Ok(CqlType::List {
                    of: Arc::new(of.resolve(keyspace, lookup)?),
                    frozen: *frozen,
                })
            }
            RawType::Set { of, frozen } => {
                self.check_element(of, *frozen)?;
                self.refuse_duration(of, "Durations are not allowed inside sets")?;
                Ok(CqlType::Set {
                    of: Arc::new(of.resolve(keyspace, lookup)?),
                    frozen: *frozen,
                })
            }
            RawType::Map { key, value, frozen } => {
                self.check_element(value, *frozen)?;
                self.refuse_duration(key, "Durations are not allowed as map keys")?;
                self.check_element(key, *frozen)?;
                Ok(CqlType::Map {
                    key: Arc::new(key.resolve(keyspace, lookup)?),
                    value: Arc::new(value.resolve(keyspace, lookup)?),
                    frozen: *frozen,
                })
            }
            RawType::Tuple(parts) => {
                if parts.contains(&RawType::Native(Native::Counter)) {
                    return Err(CqlError::invalid("Counters are not allowed inside tuples"));
                }
                let parts = parts
                    .iter()
                    .map(|part| part.clone().frozen().resolve(keyspace, lookup));
                Ok(CqlType::Tuple(parts.collect::<Result<_>>()?))
            }
            RawType::Vector { of, dimensions } => {
                let dimensions = vector_dimensions(*dimensions)?;
                let of = Arc::new((**of).clone().frozen().resolve(keyspace, lookup)?);
                Ok(CqlType::Vector { of, dimensions })
            }
            RawType::Custom(class) => super::marshal::parse(class),
        }
    }

    fn check_element(&self, element: &RawType, frozen: bool) -> Result<()> {
        let nested = match element {
            RawType::List { frozen, .. } | RawType::Set { frozen, .. } | RawType::Map { frozen, .. }
                if !*frozen =>
            {
                Some("collections")
            }
            RawType::Named { frozen: false, .. } => Some("UDTs"),
            _ => None,
        };
        if let (Some(nested), false) = (nested, frozen) {
            return Err(CqlError::invalid(format!(
                "Non-frozen {nested} are not allowed inside collections: {self}"
            )));
        }
        if *element == RawType::Native(Native::Counter) {
            return Err(CqlError::invalid(format!(
                "Counters are not allowed inside collections: {self}"
            )));
        }
        Ok(())
    }

    fn refuse_duration(&self, element: &RawType, words: &str) -> Result<()> {
        if *element == RawType::Native(Native::Duration) {
            return Err(CqlError::invalid(format!("{words}: {self}")));
        }
        Ok(())
    }
}

/// The dimensions of a vector, if there can be that many.
pub(super) fn vector_dimensions(wanted: i64) -> Result<u16> {
    if wanted <= 0 {
        return Err(CqlError::invalid(format!(
            "vectors may only have positive dimensions; given {wanted}"
        )));
    }
    u16::try_from(wanted).map_err(|_| {
        CqlError::invalid(format!(
            "vectors may have at most {} dimensions; given {wanted}",
            u16::MAX
        ))
    })
}

fn user_type(
    keyspace: &str,
    own: Option<&str>,
    name: &str,
    lookup: &dyn Fn(&str) -> Option<Arc<UserType>>,
) -> Result<Arc<UserType>> {
    if let Some(own) = own.filter(|own| *own != keyspace) {
        return Err(CqlError::invalid(format!(
            "Statement on keyspace {keyspace} cannot refer to a user type in keyspace {own}; \
             user types can only be used in the keyspace they are defined in"
        )));
    }
    lookup(name).ok_or_else(|| CqlError::invalid(format!("Unknown type {keyspace}.{name}")))
}

/// Reads a type name.
pub(crate) fn parse(text: &str) -> Result<RawType> {
    let mut reader = Reader { text, rest: text };
    let parsed = reader.any(0)?;
    if reader.peek().is_some() {
        return Err(reader.failure());
    }
    Ok(parsed)
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn failure(&self) -> CqlError {
        CqlError::Syntax(format!("Failed parsing CQL type name '{}'", self.text))
    }

    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        if self.accept(wanted) {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    /// What stands between two `quote`s, which are doubled inside.
    fn between(&mut self, quote: char) -> Result<String> {
        let mut out = String::new();
        loop {
            let end = self.rest.find(quote).ok_or_else(|| self.failure())?;
            out.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            if !self.rest.starts_with(quote) {
                return Ok(out);
            }
            out.push(quote);
            self.rest = &self.rest[1..];
        }
    }

    /// An identifier, and whether it was quoted.
    fn word(&mut self) -> Result<(String, bool)> {
        if self.accept('"') {
            return Ok((self.between('"')?, true));
        }
        self.peek();
        let other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let (word, rest) = self
            .rest
            .split_at(self.rest.find(other).unwrap_or(self.rest.len()));
        if word.is_empty() {
            return Err(self.failure());
        }
        self.rest = rest;
        Ok((word.to_ascii_lowercase(), false))
    }

    fn number(&mut self) -> Result<i64> {
        let negative = self.accept('-');
        let (word, _) = self.word()?;
        let number: i64 = word.parse().map_err(|_| self.failure())?;
        Ok(if negative { -number } else { number })
    }

    fn any(&mut self, depth: usize) -> Result<RawType> {
        if depth > DEPTH_MAX {
            return Err(self.failure());
        }
        if self.accept('\'') {
            return Ok(RawType::Custom(self.between('\'')?));
        }
        let (word, in_quotes) = self.word()?;
        if !in_quotes && self.peek() == Some('<') {
            self.expect('<')?;
            let made = self.generic(&word, depth + 1)?;
            self.expect('>')?;
            return Ok(made);
        }
        if self.accept('.') {
            let (name, _) = self.word()?;
            return Ok(RawType::Named {
                keyspace: Some(word),
                name,
                frozen: false,
            });
        }
        match Native::named(&word).filter(|_| !in_quotes) {
            Some(native) => Ok(RawType::Native(native)),
            None => Ok(RawType::Named {
                keyspace: None,
                name: word,
                frozen: false,
            }),
        }
    }

    fn generic(&mut self, word: &str, depth: usize) -> Result<RawType> {
        let first = self.any(depth)?;
        match word {
            "frozen" => first.freeze(),
            "list" => Ok(RawType::List {
                of: Box::new(first),
                frozen: false,
            }),
            "set" => Ok(RawType::Set {
                of: Box::new(first),
                frozen: false,
            }),
            "map" => {
                self.expect(',')?;
                let value = Box::new(self.any(depth)?);
                Ok(RawType::Map {
                    key: Box::new(first),
                    value,
                    frozen: false,
                })
            }
            "tuple" => {
                let mut parts = vec![first];
                while self.accept(',') {
                    parts.push(self.any(depth)?);
                }
                Ok(RawType::Tuple(parts).frozen())
            }
            "vector" => {
                self.expect(',')?;
                let dimensions = self.number()?;
                Ok(RawType::Vector {
                    of: Box::new(first),
                    dimensions,
                })
            }
            _ => Err(self.failure()),
        }
    }
}
