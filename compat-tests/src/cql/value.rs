//! Types as the protocol names them, and their values as text that reads like CQL.

use std::fmt;
use std::net::IpAddr;

use anyhow::{Context, Result, bail, ensure};

use super::text;
use super::wire::Reader;

/// A type in the metadata of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A type that has nothing inside.
    Native(&'static str),
    /// A Java class, which is how types younger than the protocol travel.
    Custom(String),
    /// `list`.
    List(Box<Type>),
    /// `set`.
    Set(Box<Type>),
    /// `map`.
    Map(Box<(Type, Type)>),
    /// A user-defined type: its name and its fields.
    User(String, Vec<(String, Type)>),
    /// `tuple`.
    Tuple(Vec<Type>),
    /// `vector` of a native type.
    Vector(Box<Type>, usize),
}

const NATIVE: &[(u16, &str)] = &[
    (0x01, "ascii"),
    (0x02, "bigint"),
    (0x03, "blob"),
    (0x04, "boolean"),
    (0x05, "counter"),
    (0x06, "decimal"),
    (0x07, "double"),
    (0x08, "float"),
    (0x09, "int"),
    (0x0b, "timestamp"),
    (0x0c, "uuid"),
    (0x0d, "text"),
    (0x0e, "varint"),
    (0x0f, "timeuuid"),
    (0x10, "inet"),
    (0x11, "date"),
    (0x12, "time"),
    (0x13, "smallint"),
    (0x14, "tinyint"),
    (0x15, "duration"),
];

impl Type {
    /// Reads an `[option]`.
    pub fn read(body: &mut Reader) -> Result<Self> {
        let id = body.short()?;
        Ok(match id {
            0x00 => Self::custom(body.string()?),
            0x20 => Self::List(Box::new(Self::read(body)?)),
            0x22 => Self::Set(Box::new(Self::read(body)?)),
            0x21 => Self::Map(Box::new((Self::read(body)?, Self::read(body)?))),
            0x30 => {
                body.string()?;
                let name = body.string()?;
                let fields = (0..body.short()?)
                    .map(|_| Ok((body.string()?, Self::read(body)?)))
                    .collect::<Result<_>>()?;
                Self::User(name, fields)
            }
            0x31 => Self::Tuple(
                (0..body.short()?)
                    .map(|_| Self::read(body))
                    .collect::<Result<_>>()?,
            ),
            _ => {
                let native = NATIVE.iter().find(|(native, _)| *native == id);
                Self::Native(native.with_context(|| format!("type {id:#x}"))?.1)
            }
        })
    }

    fn custom(class: String) -> Self {
        Self::vector(&class).unwrap_or(Self::Custom(class))
    }

    /// `VectorType(FloatType, 3)`, for elements whose name in CQL is their class without `Type`.
    fn vector(class: &str) -> Option<Self> {
        let short = class
            .replace("org.apache.cassandra.db.marshal.", "")
            .replace(' ', "");
        let (element, dimension) = short
            .strip_prefix("VectorType(")?
            .strip_suffix(')')?
            .rsplit_once(',')?;
        let element = match element {
            "UTF8Type" => Self::Native("text"),
            "Int32Type" => Self::Native("int"),
            "LongType" => Self::Native("bigint"),
            "FloatType" => Self::Native("float"),
            "DoubleType" => Self::Native("double"),
            other => Self::vector(other)?,
        };
        Some(Self::Vector(Box::new(element), dimension.parse().ok()?))
    }

    /// Bytes of this type as text, or as plain hex after `bad` where they are not of this type.
    pub fn show(&self, value: Option<&[u8]>) -> String {
        let Some(value) = value else {
            return "null".to_owned();
        };
        if value.is_empty() && !matches!(self, Self::Native("text" | "ascii" | "blob")) {
            return "empty".to_owned();
        }
        self.try_show(value)
            .unwrap_or_else(|_| format!("bad {}", text::hex(value)))
    }

    fn try_show(&self, value: &[u8]) -> Result<String> {
        let mut body = Reader(value);
        let shown = match self {
            Self::Native(name) => return native(name, value),
            // Younger than protocol v4, which therefore names its class.
            Self::Custom(class) if class.ends_with(".DurationType") => return native("duration", value),
            Self::Custom(_) => return Ok(format!("0x{}", text::hex(value))),
            Self::List(element) => format!("[{}]", elements(&mut body, element)?),
            Self::Set(element) => format!("{{{}}}", elements(&mut body, element)?),
            Self::Map(pair) => {
                let entry = |body: &mut Reader| Ok(format!("{}: {}", pair.0.next(body)?, pair.1.next(body)?));
                let count = body.int()?;
                let entries: Vec<_> = (0..count).map(|_| entry(&mut body)).collect::<Result<_>>()?;
                format!("{{{}}}", entries.join(", "))
            }
            Self::User(_, fields) => {
                // A value from before the type was altered ends earlier.
                let mut shown = Vec::new();
                for (name, kind) in fields {
                    if body.0.is_empty() {
                        break;
                    }
                    shown.push(format!("{name}: {}", kind.next(&mut body)?));
                }
                format!("{{{}}}", shown.join(", "))
            }
            Self::Tuple(kinds) => {
                let mut shown = Vec::new();
                for kind in kinds {
                    if body.0.is_empty() {
                        break;
                    }
                    shown.push(kind.next(&mut body)?);
                }
                format!("({})", shown.join(", "))
            }
            Self::Vector(element, dimension) => {
                let mut shown = Vec::new();
                for _ in 0..*dimension {
                    let length = element.vector_length(&mut body)?;
                    shown.push(element.show(Some(body.take(length)?)));
                }
                format!("[{}]", shown.join(", "))
            }
        };
        ensure!(body.0.is_empty(), "bytes are left over");
        Ok(shown)
    }

    fn next(&self, body: &mut Reader) -> Result<String> {
        Ok(self.show(body.bytes()?.as_deref()))
    }

    /// The size of the next element of a vector: of the type, or written before the element.
    fn vector_length(&self, body: &mut Reader) -> Result<usize> {
        Ok(match self {
            Self::Native("int" | "float") => 4,
            Self::Native("bigint" | "double") => 8,
            Self::Vector(element, dimension) if !matches!(**element, Self::Native("text")) => {
                element.vector_length(&mut Reader(&[]))? * dimension
            }
            _ => unsigned_vint(body)? as usize,
        })
    }
}

fn elements(body: &mut Reader, element: &Type) -> Result<String> {
    let count = body.int()?;
    let shown: Vec<_> = (0..count).map(|_| element.next(body)).collect::<Result<_>>()?;
    Ok(shown.join(", "))
}

fn native(name: &str, value: &[u8]) -> Result<String> {
    Ok(match name {
        "ascii" | "text" => text::quoted(std::str::from_utf8(value)?),
        "blob" => format!("0x{}", text::hex(value)),
        "boolean" => match value {
            [0] => "false".to_owned(),
            [_] => "true".to_owned(),
            _ => bail!("not one byte"),
        },
        "tinyint" => i8::from_be_bytes(value.try_into()?).to_string(),
        "smallint" => i16::from_be_bytes(value.try_into()?).to_string(),
        "int" => i32::from_be_bytes(value.try_into()?).to_string(),
        "bigint" | "counter" => i64::from_be_bytes(value.try_into()?).to_string(),
        "varint" => text::big_integer(value),
        "decimal" => {
            let (scale, unscaled) = value.split_at_checked(4).context("no scale")?;
            text::decimal(i32::from_be_bytes(scale.try_into()?), unscaled)
        }
        "float" => format!("{:?}", f32::from_be_bytes(value.try_into()?)).replace("inf", "Infinity"),
        "double" => format!("{:?}", f64::from_be_bytes(value.try_into()?)).replace("inf", "Infinity"),
        "timestamp" => text::timestamp(i64::from_be_bytes(value.try_into()?)),
        "date" => text::date(i64::from(u32::from_be_bytes(value.try_into()?)) - (1 << 31)),
        "time" => text::time(i64::from_be_bytes(value.try_into()?)),
        "uuid" | "timeuuid" => text::uuid(value.try_into()?),
        "inet" => match *value {
            [a, b, c, d] => IpAddr::from([a, b, c, d]).to_string(),
            _ => IpAddr::from(<[u8; 16]>::try_from(value)?).to_string(),
        },
        "duration" => {
            let mut body = Reader(value);
            let mut part = || -> Result<i64> {
                let coded = unsigned_vint(&mut body)?;
                Ok((coded >> 1) as i64 ^ -((coded & 1) as i64))
            };
            format!("{}mo{}d{}ns", part()?, part()?, part()?)
        }
        _ => bail!("{name} is no native type"),
    })
}

/// The leading ones of the first byte tell how many bytes follow it.
fn unsigned_vint(body: &mut Reader) -> Result<u64> {
    let first = body.take(1)?.first().copied().unwrap_or_default();
    let more = first.leading_ones();
    let kept = if more >= 7 { 0 } else { first & (0x7f >> more) };
    let mut value = u64::from(kept);
    for byte in body.take(more as usize)? {
        value = value << 8 | u64::from(*byte);
    }
    Ok(value)
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native(name) => f.write_str(name),
            Self::Custom(class) => write!(f, "'{class}'"),
            Self::List(element) => write!(f, "list<{element}>"),
            Self::Set(element) => write!(f, "set<{element}>"),
            Self::Map(pair) => write!(f, "map<{}, {}>", pair.0, pair.1),
            Self::User(name, fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, kind)| format!("{name} {kind}"))
                    .collect();
                write!(f, "{name}({})", fields.join(", "))
            }
            Self::Tuple(kinds) => {
                let kinds: Vec<_> = kinds.iter().map(Self::to_string).collect();
                write!(f, "tuple<{}>", kinds.join(", "))
            }
            Self::Vector(element, dimension) => write!(f, "vector<{element}, {dimension}>"),
        }
    }
}
