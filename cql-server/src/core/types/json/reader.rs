//! A reader of JSON that keeps whole numbers of any size, and the order of keys.

/// How deep JSON may nest.
const DEPTH_MAX: usize = 128;

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
pub(crate) fn parse(text: &str) -> Result<Json, String> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    match reader.rest.chars().next() {
        Some(c) if matches!(value, Json::Integer(_) | Json::Float(_)) && !c.is_ascii_whitespace() => Err(
            format!("{}: Expected space separating root-level values", unexpected(c)),
        ),
        _ => Ok(value),
    }
}

fn unexpected(c: char) -> String {
    format!("Unexpected character ('{c}' (code {}))", u32::from(c))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.chars().next()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.peek() {
            Some(found) if found == wanted => {
                self.rest = &self.rest[wanted.len_utf8()..];
                Ok(())
            }
            Some(found) => Err(format!("{}: was expecting '{wanted}'", unexpected(found))),
            None => Err("Unexpected end-of-input".into()),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEPTH_MAX {
            return Err(format!(
                "Document nesting depth exceeds the maximum allowed ({DEPTH_MAX})"
            ));
        }
        match self.peek() {
            None => Err("No content to map due to end-of-input".into()),
            Some('"') => self.text().map(Json::Text),
            Some('[') => self.list(depth),
            Some('{') => self.map(depth),
            Some('-' | '0'..='9') => self.number(),
            Some(c) if c.is_alphanumeric() => self.word(),
            Some(c) => Err(format!("{}: expected a valid value", unexpected(c))),
        }
    }

    fn word(&mut self) -> Result<Json, String> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = match word {
            "null" => Json::Null,
            "true" => Json::Boolean(true),
            "false" => Json::Boolean(false),
            _ => {
                return Err(format!(
                    "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token \
                     'null', 'true' or 'false')"
                ));
            }
        };
        self.rest = rest;
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Json, String> {
        self.expect('[')?;
        let mut items = Vec::new();
        if !self.accept(']') {
            loop {
                items.push(self.value(depth + 1)?);
                if !self.accept(',') {
                    break;
                }
            }
            self.expect(']')?;
        }
        Ok(Json::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Json, String> {
        self.expect('{')?;
        let mut entries = indexmap::IndexMap::new();
        if !self.accept('}') {
            loop {
                if self.peek() != Some('"') {
                    return Err("was expecting double-quote to start field name".into());
                }
                let key = self.text()?;
                self.expect(':')?;
                entries.insert(key, self.value(depth + 1)?);
                if !self.accept(',') {
                    break;
                }
            }
            self.expect('}')?;
        }
        Ok(Json::Map(entries.into_iter().collect()))
    }

    fn number(&mut self) -> Result<Json, String> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c)))
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        let digits = number.strip_prefix('-').unwrap_or(number);
        if digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit() {
            return Err("Invalid numeric value: Leading zeroes not allowed".into());
        }
        let invalid = || format!("Invalid numeric value: {number}");
        let value = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Json::Integer(number.to_owned())
                .filled(digits)
                .ok_or_else(invalid)?
        } else {
            let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
            let point_alone = digits[whole..].starts_with('.')
                && !digits[whole + 1..].starts_with(|c: char| c.is_ascii_digit());
            if whole == 0 || point_alone {
                return Err(invalid());
            }
            Json::Float(number.parse().map_err(|_| invalid())?)
        };
        self.rest = rest;
        Ok(value)
    }

    fn text(&mut self) -> Result<String, String> {
        self.expect('"')?;
        let mut out = String::new();
        loop {
            let end = self
                .rest
                .find(['"', '\\'])
                .ok_or("Unexpected end-of-input in VALUE_STRING")?;
            let plain = &self.rest[..end];
            if let Some(c) = plain.chars().find(|c| *c < ' ') {
                return Err(format!(
                    "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped using backslash to be \
                     included in string value",
                    u32::from(c)
                ));
            }
            out.push_str(plain);
            let closed = self.rest[end..].starts_with('"');
            self.rest = &self.rest[end + 1..];
            if closed {
                return Ok(out);
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let c = self
            .rest
            .chars()
            .next()
            .ok_or("Unexpected end-of-input in character escape sequence")?;
        self.rest = &self.rest[c.len_utf8()..];
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                // The half of a pair without its other half has no character.
                let pair = (0xD800..0xDC00).contains(&first) && self.rest.starts_with("\\u");
                if pair {
                    self.rest = &self.rest[2..];
                    let second = self.hex()?;
                    let joined = 0x10000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF);
                    char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER)
                } else {
                    char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
            }
            c => {
                return Err(format!(
                    "Unrecognized character escape '{c}' (code {})",
                    u32::from(c)
                ));
            }
        })
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self
            .rest
            .get(..4)
            .ok_or("Unexpected end-of-input in character escape sequence")?;
        let wrong = || {
            format!(
                "{}: expected a hex-digit for character escape sequence",
                unexpected('u')
            )
        };
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).map_err(|_| wrong())
    }
}

impl Json {
    /// Itself, unless the number has no digits.
    fn filled(self, digits: &str) -> Option<Json> {
        (!digits.is_empty()).then_some(self)
    }
}
