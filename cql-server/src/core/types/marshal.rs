//! Type names of Java: the marshal classes that custom types, `vector` on the wire and old tools show.

use super::names::vector_dimensions;
use super::{CqlType, Native, UserType};
use crate::error::{CqlError, Result};
use std::fmt::Write;
use std::sync::Arc;

const PACKAGE: &str = "org.apache.cassandra.db.marshal.";
/// How deep classes may nest.
const DEPTH_MAX: usize = 64;

const CLASSES: [(&str, Native); 22] = [
    ("AsciiType", Native::Ascii),
    ("LongType", Native::Bigint),
    ("BytesType", Native::Blob),
    ("BooleanType", Native::Boolean),
    ("CounterColumnType", Native::Counter),
    ("SimpleDateType", Native::Date),
    ("DecimalType", Native::Decimal),
    ("DoubleType", Native::Double),
    ("DurationType", Native::Duration),
    ("EmptyType", Native::Empty),
    ("FloatType", Native::Float),
    ("InetAddressType", Native::Inet),
    ("Int32Type", Native::Int),
    ("ShortType", Native::Smallint),
    ("UTF8Type", Native::Text),
    ("TimeType", Native::Time),
    ("TimestampType", Native::Timestamp),
    ("DateType", Native::Timestamp),
    ("TimeUUIDType", Native::Timeuuid),
    ("ByteType", Native::Tinyint),
    ("UUIDType", Native::Uuid),
    ("IntegerType", Native::Varint),
];

/// The class of a type, with its parameters.
pub(crate) fn class_name(kind: &CqlType) -> String {
    let mut out = String::new();
    write_class(&mut out, kind, false);
    out
}

/// Inside a frozen type nothing says again that it is frozen.
fn write_class(out: &mut String, kind: &CqlType, in_frozen: bool) {
    let frozen = match kind {
        CqlType::List { frozen, .. } | CqlType::Set { frozen, .. } | CqlType::Map { frozen, .. } => *frozen,
        CqlType::Udt { frozen, .. } => *frozen,
        _ => false,
    };
    let says_frozen = frozen && !in_frozen;
    if says_frozen {
        out.push_str(PACKAGE);
        out.push_str("FrozenType(");
    }
    write_bare(out, kind, in_frozen || frozen);
    if says_frozen {
        out.push(')');
    }
}

fn write_bare(out: &mut String, kind: &CqlType, in_frozen: bool) {
    if let CqlType::Custom(class) = kind {
        out.push_str(class);
        return;
    }
    out.push_str(PACKAGE);
    match kind {
        CqlType::Native(native) => {
            let class = CLASSES.iter().find(|(_, known)| known == native);
            out.push_str(class.map_or("", |(class, _)| class));
        }
        CqlType::List { of, .. } => write_parameters(out, "ListType", [&**of], in_frozen),
        CqlType::Set { of, .. } => write_parameters(out, "SetType", [&**of], in_frozen),
        CqlType::Map { key, value, .. } => write_parameters(out, "MapType", [&**key, &**value], in_frozen),
        CqlType::Tuple(parts) => write_parameters(out, "TupleType", parts.iter(), true),
        CqlType::Vector { of, dimensions } => {
            out.push_str("VectorType(");
            write_class(out, of, in_frozen);
            let _ = write!(out, " , {dimensions})");
        }
        CqlType::Udt { of, .. } => {
            let _ = write!(out, "UserType({},{}", of.keyspace, hex(&of.name));
            for (name, field) in &of.fields {
                let _ = write!(out, ",{}:", hex(name));
                write_class(out, field, in_frozen);
            }
            out.push(')');
        }
        CqlType::Custom(_) => {}
    }
}

fn write_parameters<'a>(
    out: &mut String,
    class: &str,
    parameters: impl IntoIterator<Item = &'a CqlType>,
    in_frozen: bool,
) {
    out.push_str(class);
    for (i, parameter) in parameters.into_iter().enumerate() {
        out.push(if i == 0 { '(' } else { ',' });
        write_class(out, parameter, in_frozen);
    }
    out.push(')');
}

fn hex(name: &str) -> String {
    name.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The class that `text` names, if the original has none of that name.
pub(crate) fn unknown_class(text: &str) -> Option<String> {
    const COMPOSITES: [&str; 5] = [
        "ColumnToCollectionType",
        "CompositeType",
        "DynamicCompositeType",
        "LexicalUUIDType",
        "PartitionerDefinedOrder",
    ];
    if !matches!(parse(text), Ok(CqlType::Custom(_))) {
        return None;
    }
    let name = text.split('(').next().unwrap_or_default().trim();
    let full = if name.contains('.') {
        name.to_owned()
    } else {
        format!("{PACKAGE}{name}")
    };
    let known = full
        .strip_prefix(PACKAGE)
        .is_some_and(|short| COMPOSITES.contains(&short));
    (!known).then_some(full)
}

/// The type of a class with its parameters; a class that is none of Cassandra's is kept as it is.
pub(crate) fn parse(text: &str) -> Result<CqlType> {
    let mut reader = Reader { text, rest: text };
    let parsed = reader.any(0)?;
    if !reader.rest.trim().is_empty() {
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
        let at = self.text.len() - self.rest.len();
        CqlError::Syntax(format!("Syntax error parsing '{}' at char {at}", self.text))
    }

    fn accept(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.starts_with(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        if self.accept(wanted) {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    fn word(&mut self) -> Result<&'a str> {
        self.rest = self.rest.trim_start();
        let other = |c: char| !(c.is_ascii_alphanumeric() || "-+._&$".contains(c));
        let (word, rest) = self
            .rest
            .split_at(self.rest.find(other).unwrap_or(self.rest.len()));
        if word.is_empty() {
            return Err(self.failure());
        }
        self.rest = rest;
        Ok(word)
    }

    fn any(&mut self, depth: usize) -> Result<CqlType> {
        if depth > DEPTH_MAX {
            return Err(self.failure());
        }
        let start = self.rest;
        let class = self.word()?;
        let short = class.strip_prefix(PACKAGE).unwrap_or(class);
        if let Some((_, native)) = CLASSES.iter().find(|(known, _)| *known == short) {
            return Ok(CqlType::Native(*native));
        }
        match short {
            "FrozenType" => Ok(self.one(depth)?.freeze()),
            // The order of a column is kept beside its type.
            "ReversedType" => self.one(depth),
            "ListType" => Ok(CqlType::List {
                of: Arc::new(self.one(depth)?.freeze()),
                frozen: false,
            }),
            "SetType" => Ok(CqlType::Set {
                of: Arc::new(self.one(depth)?.freeze()),
                frozen: false,
            }),
            "MapType" => {
                let mut parts = self.several(depth)?.into_iter();
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(key), Some(value), None) => Ok(CqlType::Map {
                        key: Arc::new(key.freeze()),
                        value: Arc::new(value.freeze()),
                        frozen: false,
                    }),
                    _ => Err(self.failure()),
                }
            }
            "TupleType" => Ok(CqlType::Tuple(
                self.several(depth)?.into_iter().map(CqlType::freeze).collect(),
            )),
            "VectorType" => self.vector(depth),
            "UserType" => self.user_type(depth),
            _ => self.custom(class, start, depth),
        }
    }

    fn one(&mut self, depth: usize) -> Result<CqlType> {
        self.expect('(')?;
        let inner = self.any(depth + 1)?;
        self.expect(')')?;
        Ok(inner)
    }

    fn several(&mut self, depth: usize) -> Result<Vec<CqlType>> {
        self.expect('(')?;
        let mut parts = vec![self.any(depth + 1)?];
        while self.accept(',') {
            parts.push(self.any(depth + 1)?);
        }
        self.expect(')')?;
        Ok(parts)
    }

    fn vector(&mut self, depth: usize) -> Result<CqlType> {
        self.expect('(')?;
        let of = Arc::new(self.any(depth + 1)?.freeze());
        self.expect(',')?;
        let dimensions = self.word()?.parse().map_err(|_| self.failure())?;
        self.expect(')')?;
        Ok(CqlType::Vector {
            of,
            dimensions: vector_dimensions(dimensions)?,
        })
    }

    fn user_type(&mut self, depth: usize) -> Result<CqlType> {
        self.expect('(')?;
        let keyspace = Arc::from(self.word()?);
        self.expect(',')?;
        let name = self.hex_word()?;
        let mut fields = Vec::new();
        while self.accept(',') {
            let field = self.hex_word()?;
            self.expect(':')?;
            fields.push((field, self.any(depth + 1)?));
        }
        self.expect(')')?;
        Ok(CqlType::Udt {
            of: Arc::new(UserType {
                keyspace,
                name,
                fields,
            }),
            frozen: false,
        })
    }

    fn hex_word(&mut self) -> Result<Arc<str>> {
        let word = self.word()?;
        let digits: Option<Vec<u32>> = word.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits
            .filter(|digits| digits.len() % 2 == 0)
            .ok_or_else(|| self.failure())?;
        let bytes = digits
            .chunks(2)
            .map(|pair| (pair[0] * 16 + pair[1]) as u8)
            .collect();
        String::from_utf8(bytes)
            .map(Arc::from)
            .map_err(|_| self.failure())
    }

    /// A class without meaning here keeps its spelling, with whatever stands in its parentheses.
    fn custom(&mut self, class: &'a str, start: &'a str, depth: usize) -> Result<CqlType> {
        if self.accept('(') && !self.accept(')') {
            let mut open = 1;
            while open > 0 {
                let end = self.rest.find(['(', ')']).ok_or_else(|| self.failure())?;
                open = if self.rest[end..].starts_with('(') {
                    open + 1
                } else {
                    open - 1
                };
                self.rest = &self.rest[end + 1..];
                if open + depth > DEPTH_MAX {
                    return Err(self.failure());
                }
            }
        }
        let spelled = start[..start.len() - self.rest.len()].trim();
        debug_assert!(spelled.starts_with(class));
        Ok(CqlType::Custom(Arc::from(spelled)))
    }
}
