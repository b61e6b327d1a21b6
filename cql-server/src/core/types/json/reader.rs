//! A reader of JSON that keeps whole numbers of any size, and the order of keys.

use super::malformed::{Class, Location, Malformed, described, unexpected};
use indexmap::IndexMap;

/// How deep JSON may nest, as the library has it that the original reads it with.
const DEPTH_MAX: usize = 1000;

/// Characters of an unknown word that are told.
const TOKEN_SHOWN: usize = 256;
/// What may stand where a value begins.
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    /// Its digits, with a sign where it is negative.
    Integer(String),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    /// Of equal keys the last one counts, at the place of the first.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The Java class that the original reads it into.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Boolean(_) => "Boolean",
            Json::Integer(digits) if digits.parse::<i32>().is_ok() => "Integer",
            Json::Integer(digits) if digits.parse::<i64>().is_ok() => "Long",
            Json::Integer(_) => "BigInteger",
            Json::Float(_) => "Double",
            Json::Text(_) => "String",
            Json::List(_) => "ArrayList",
            Json::Map(_) => "LinkedHashMap",
        }
    }
}

/// Reads the first value of a text, as the original does: what follows it is not looked at, but for what touches a
/// number. The error says what was wrong.
pub(crate) fn parse(text: &str) -> Result<Json, Malformed> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.root()?;
    if matches!(value, Json::Integer(_) | Json::Float(_))
        && let Some(c) = reader.here()
        && !is_blank(c)
    {
        let why = "Expected space separating root-level values";
        return Err(reader.wrong(format!("{}: {why}", unexpected(c))));
    }
    Ok(value)
}

/// Reads a text that must be a map, or null.
pub(super) fn parse_map(text: &str) -> Result<Option<Vec<(String, Json)>>, Malformed> {
    let mut reader = Reader { text, at: 0 };
    let first = reader.next()?;
    let at = reader.location();
    // Of a list nothing more is read.
    let value = match first {
        Some('[') => Json::List(Vec::new()),
        _ => parse(text)?,
    };
    let not_of = |what: &str, token: &str| {
        format!(
            "Cannot deserialize value of type `java.util.LinkedHashMap<java.lang.Object,java.lang.Object>` from {what} \
             value (token `JsonToken.{token}`)"
        )
    };
    let (class, message) = match value {
        Json::Map(entries) => return Ok(Some(entries)),
        Json::Null => return Ok(None),
        Json::Boolean(true) => (Class::Mismatch, not_of("Boolean", "VALUE_TRUE")),
        Json::Boolean(false) => (Class::Mismatch, not_of("Boolean", "VALUE_FALSE")),
        Json::Integer(_) => (Class::Mismatch, not_of("Integer", "VALUE_NUMBER_INT")),
        Json::Float(_) => (Class::Mismatch, not_of("Floating-point", "VALUE_NUMBER_FLOAT")),
        Json::List(_) => (Class::Mismatch, not_of("Array", "START_ARRAY")),
        Json::Text(text) if text.trim().is_empty() => (
            Class::Format,
            "Cannot coerce empty String (\"\") to element of `java.util.LinkedHashMap` (but could if coercion was enabled \
             using `CoercionConfig`)"
                .to_owned(),
        ),
        Json::Text(text) => (
            Class::Mismatch,
            format!(
                "Cannot construct instance of `java.util.LinkedHashMap` (although at least one Creator exists): no \
                 String-argument constructor/factory method to deserialize from String value ('{text}')"
            ),
        ),
    };
    Err(Malformed { class, message, at })
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// What a word may begin with, as Java has it.
fn begins_word(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$' | '¢'..='¥' | '\u{20a0}'..='\u{20cf}')
}

fn goes_on(c: char) -> bool {
    begins_word(c) || c.is_numeric()
}

/// What holds other values, from where it begins.
#[derive(Clone, Copy)]
struct Scope {
    name: &'static str,
    close: char,
    begins: usize,
}

/// What was opened and is not closed yet.
struct Open {
    scope: Scope,
    items: Items,
}

/// The values of it so far, and in a map the key of the next.
enum Items {
    List(Vec<Json>),
    Map(IndexMap<String, Json>, String),
}

impl Open {
    fn put(&mut self, value: Json) {
        match &mut self.items {
            Items::List(items) => items.push(value),
            Items::Map(entries, key) => {
                entries.insert(std::mem::take(key), value);
            }
        }
    }

    fn close(self) -> Json {
        match self.items {
            Items::List(items) => Json::List(items),
            Items::Map(entries, _) => Json::Map(entries.into_iter().collect()),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    /// How much of it is read.
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn here(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn location(&self) -> Location {
        Location::of(self.text, self.at)
    }

    fn told(&self, class: Class, message: impl Into<String>) -> Malformed {
        Malformed {
            class,
            message: message.into(),
            at: self.location(),
        }
    }

    /// Something is wrong with what comes next.
    fn wrong(&self, message: impl Into<String>) -> Malformed {
        self.told(Class::Parse, message)
    }

    /// Nothing comes where something should.
    fn ended(&mut self, message: &str) -> Malformed {
        self.at = self.text.len();
        self.told(Class::End, format!("Unexpected end-of-input{message}"))
    }

    /// The next character that is no blank.
    fn next(&mut self) -> Result<Option<char>, Malformed> {
        let left = self.rest().trim_start_matches(is_blank).len();
        self.at = self.text.len() - left;
        match self.here() {
            Some('/') => Err(self.wrong(format!(
                "{}: maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for \
                 parser)",
                unexpected('/')
            ))),
            Some(c) if c < ' ' => Err(self.wrong(format!(
                "Illegal character ({}): only regular white space (\\r, \\n, \\t) is allowed between tokens",
                described(c)
            ))),
            next => Ok(next),
        }
    }

    fn take(&mut self, c: char) {
        self.at += c.len_utf8();
    }

    /// The one value of a text.
    fn root(&mut self) -> Result<Json, Malformed> {
        match self.next()? {
            None => Err(Malformed {
                class: Class::Mismatch,
                message: "No content to map due to end-of-input".into(),
                at: Location::NOWHERE,
            }),
            Some(c @ (']' | '}')) => {
                let of = if c == ']' { "Array" } else { "Object" };
                Err(self.wrong(format!("Unexpected close marker '{c}': no open {of} to close")))
            }
            Some(c) => self.value(c),
        }
    }

    /// The value that begins with `first`. What is open is kept beside the stack: a text nests as deep as its client likes.
    fn value(&mut self, mut first: char) -> Result<Json, Malformed> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut value = match first {
                '[' | '{' => {
                    let mut inner = self.open(first, open.len() + 1)?;
                    match self.first(inner.scope)? {
                        Some(c) => {
                            first = self.entry(&mut inner, c)?;
                            open.push(inner);
                            continue;
                        }
                        None => inner.close(),
                    }
                }
                _ => self.scalar(first)?,
            };
            loop {
                let Some(mut around) = open.pop() else {
                    return Ok(value);
                };
                around.put(value);
                match self.another(around.scope)? {
                    Some(c) => {
                        first = self.entry(&mut around, c)?;
                        open.push(around);
                        break;
                    }
                    None => value = around.close(),
                }
            }
        }
    }

    /// A value that holds no others.
    fn scalar(&mut self, first: char) -> Result<Json, Malformed> {
        match first {
            '"' => self.text("string value").map(Json::Text),
            '-' | '0'..='9' => self.number(),
            '+' => {
                self.take('+');
                Err(self.wrong(format!(
                    "{} in numeric value: JSON spec does not allow numbers to have plus signs: enable \
                     `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
                    unexpected('+')
                )))
            }
            c if begins_word(c) => self.word(),
            c => Err(self.wrong(format!("{}: expected a valid value {VALUES}", unexpected(c)))),
        }
    }

    fn word(&mut self) -> Result<Json, Malformed> {
        let rest = self.rest();
        let end = rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        match &word[..] {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Boolean(true)),
            "false" => Ok(Json::Boolean(false)),
            "NaN" | "Infinity" => Err(self.no_number(&word)),
            _ => {
                let shown = match word.char_indices().nth(TOKEN_SHOWN) {
                    Some((end, _)) => format!("{}...", &word[..end]),
                    None => word,
                };
                Err(self.wrong(format!("Unrecognized token '{shown}': was expecting {VALUES}")))
            }
        }
    }

    fn no_number(&self, word: &str) -> Malformed {
        self.wrong(format!(
            "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
        ))
    }

    /// What the value of an entry begins with, which itself begins with `first`: in a map behind its key.
    fn entry(&mut self, around: &mut Open, first: char) -> Result<char, Malformed> {
        let Items::Map(_, key) = &mut around.items else {
            return Ok(first);
        };
        if first != '"' {
            let why = "was expecting double-quote to start field name";
            return Err(self.wrong(format!("{}: {why}", unexpected(first))));
        }
        *key = self.text("name")?;
        match self.of_entry()? {
            ':' => {
                self.take(':');
                self.of_entry()
            }
            c => {
                let why = "was expecting a colon to separate field name and value";
                Err(self.wrong(format!("{}: {why}", unexpected(c))))
            }
        }
    }

    /// The next of what belongs to an entry of a map.
    fn of_entry(&mut self) -> Result<char, Malformed> {
        match self.next()? {
            Some(c) => Ok(c),
            None => Err(self.ended(" within/between Object entries")),
        }
    }

    /// Opens what begins here, `depth` deep.
    fn open(&mut self, bracket: char, depth: usize) -> Result<Open, Malformed> {
        let begins = self.at;
        let (name, close, items) = match bracket {
            '[' => ("Array", ']', Items::List(Vec::new())),
            _ => ("Object", '}', Items::Map(IndexMap::new(), String::new())),
        };
        self.take(bracket);
        if depth > DEPTH_MAX {
            return Err(self.told(
                Class::Constraint,
                format!(
                    "Document nesting depth ({depth}) exceeds the maximum allowed ({DEPTH_MAX}, from \
                     `StreamReadConstraints.getMaxNestingDepth()`)"
                ),
            ));
        }
        let scope = Scope { name, close, begins };
        Ok(Open { scope, items })
    }

    /// What the first value of a scope begins with, if it has any.
    fn first(&mut self, scope: Scope) -> Result<Option<char>, Malformed> {
        let Scope { name, close, begins } = scope;
        // Only where it is told: it takes as long as all that stands before it.
        let text = self.text;
        let begins = || Location::of(text, begins);
        match self.next()? {
            None => Err(self.ended(&format!(
                ": expected close marker for {name} (start marker at {})",
                begins()
            ))),
            Some(c) if c == close => {
                self.take(c);
                Ok(None)
            }
            Some(c @ (']' | '}')) => Err(self.wrong(format!(
                "Unexpected close marker '{c}': expected '{close}' (for {name} starting at {})",
                begins()
            ))),
            next => Ok(next),
        }
    }

    /// The same behind a value.
    fn another(&mut self, scope: Scope) -> Result<Option<char>, Malformed> {
        match self.first(scope)? {
            Some(',') => self.take(','),
            Some(c) => {
                let why = format!("was expecting comma to separate {} entries", scope.name);
                return Err(self.wrong(format!("{}: {why}", unexpected(c))));
            }
            None => return Ok(None),
        }
        match self.next()? {
            None => Err(self.wrong(format!(
                "Unexpected end-of-input within/between {} entries",
                scope.name
            ))),
            next => Ok(next),
        }
    }

    fn text(&mut self, what: &str) -> Result<String, Malformed> {
        self.take('"');
        let mut out = String::new();
        loop {
            let Some(end) = self.rest().find(|c| matches!(c, '"' | '\\') || c < ' ') else {
                return Err(self.ended(match what {
                    "name" => " in field name",
                    _ => ": was expecting closing quote for a string value",
                }));
            };
            out.push_str(&self.rest()[..end]);
            self.at += end;
            match self.here() {
                Some('\\') => out.push(self.escape()?),
                Some(c) if c < ' ' => {
                    return Err(self.wrong(format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included in {what}",
                        described(c)
                    )));
                }
                _ => {
                    self.take('"');
                    return Ok(out);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        self.take('\\');
        let Some(c) = self.here() else {
            return Err(self.ended(" in character escape sequence"));
        };
        let plain = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.escaped_code(),
            c => {
                return Err(self.wrong(format!("Unrecognized character escape {}", described(c))));
            }
        };
        self.take(c);
        Ok(plain)
    }

    /// A character by its number. The half of a pair without its other half has none.
    fn escaped_code(&mut self) -> Result<char, Malformed> {
        self.take('u');
        let first = self.hex()?;
        if !((0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u")) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at += "\\u".len();
        let second = self.hex()?;
        let joined = 0x10000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF);
        Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(c) = self.here() else {
                return Err(self.ended(" in character escape sequence"));
            };
            let Some(digit) = c.to_digit(16) else {
                let why = "expected a hex-digit for character escape sequence";
                return Err(self.wrong(format!("{}: {why}", unexpected(c))));
            };
            self.take(c);
            code = code << 4 | digit;
        }
        Ok(code)
    }
}

mod number;
