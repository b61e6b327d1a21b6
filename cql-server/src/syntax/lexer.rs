//! Text to tokens, by the rules of the original's lexer: a minus sign before a digit belongs to the number, an
//! unfinished string or comment is refused, blanks and comments count as tokens where errors quote the statement.

use super::{
    error::Failure,
    token::{Keyword, Kind, Token},
};

/// A statement with more tokens is refused: tokens take memory before anything else bounds the statement.
const TOKENS_MAX: usize = 4 << 20;

/// The signs, longest first.
const SIGNS: &[&str] = &[
    "+=", "-=", "<=", ">=", "!=", "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "+", "-", "*", "/", "%",
    "=", "<", ">",
];

/// The tokens of `text`, an end token last.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Failure> {
    if u32::try_from(text.len()).is_err() {
        return Err(Failure::plain("Statement is too long"));
    }
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let (mut at, mut ordinal) = (0, 0);
    while at < text.len() {
        let (length, kind) = one(text, at)?;
        if let Some(kind) = kind {
            tokens.push(token(kind, at, at + length, ordinal));
        }
        if tokens.len() > TOKENS_MAX {
            return Err(Failure::plain("Statement has too many tokens"));
        }
        at += length;
        ordinal += 1;
    }
    tokens.push(token(Kind::End, at, at, ordinal));
    Ok(tokens)
}

fn token(kind: Kind, start: usize, end: usize, ordinal: u32) -> Token {
    // The text's length was checked to fit.
    Token {
        kind,
        start: start as u32,
        end: end as u32,
        ordinal,
    }
}

/// Length and kind of what starts at `at`; blanks and comments have no kind.
fn one(text: &str, at: usize) -> Result<(usize, Option<Kind>), Failure> {
    let rest = &text[at..];
    let bytes = rest.as_bytes();
    let blanks = count(bytes, |b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    if blanks > 0 {
        return Ok((blanks, None));
    }
    if rest.starts_with("--") || rest.starts_with("//") {
        return match bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            Some(end) => Ok((end + 1, None)),
            None => Err(unfinished(text, "set null")),
        };
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        return match comment.find("*/") {
            Some(end) => Ok((end + 4, None)),
            None => Err(unfinished(text, "'*'")),
        };
    }
    let (length, kind) = match bytes[0] {
        b'\'' => (quoted(text, rest, '\'')?, Kind::String),
        b'"' if rest.starts_with("\"\"") && !rest.starts_with("\"\"\"") => (2, Kind::EmptyQuotedName),
        b'"' => (quoted(text, rest, '"')?, Kind::QuotedName),
        b'$' if rest.starts_with("$$") => match rest[2..].find("$$") {
            Some(end) => (end + 4, Kind::String),
            None => return Err(Failure::mismatched(text, text.len().saturating_sub(1), "'$'")),
        },
        b'$' => return Err(Failure::mismatched(text, at + 1, "'$'")),
        b'?' => (1, Kind::Marker),
        b'.' if rest.starts_with("..") => (2, Kind::Range),
        _ => {
            begun(text, at)?;
            let found = literal(rest).or_else(|| word(rest)).or_else(|| sign(rest));
            found.ok_or_else(|| Failure::character(text, at))?
        }
    };
    Ok((length, Some(kind)))
}

fn unfinished(text: &str, expected: &str) -> Failure {
    Failure::unfinished(text, expected)
}

/// The length of the leading bytes for which `holds`.
fn count(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !holds(*b)).unwrap_or(bytes.len())
}

fn digits(bytes: &[u8]) -> usize {
    count(bytes, |b| b.is_ascii_digit())
}

/// The length of what `quote` opens at the start of `rest`; a doubled quote does not close it.
fn quoted(text: &str, rest: &str, quote: char) -> Result<usize, Failure> {
    let mut from = 1;
    while let Some(found) = rest[from..].find(quote) {
        from += found + 1;
        if !rest[from..].starts_with(quote) {
            return Ok(from);
        }
        from += 1;
    }
    Err(unfinished(text, if quote == '"' { "'\"'" } else { "'''" }))
}

/// Numbers, durations, UUIDs, blobs. The longest reading wins.
fn literal(rest: &str) -> Option<(usize, Kind)> {
    let bytes = rest.as_bytes();
    let minus = usize::from(bytes[0] == b'-');
    let number = number(bytes, minus);
    let candidates = [
        uuid(bytes).map(|length| (length, Kind::Uuid)),
        hex(bytes).map(|length| (length, Kind::Hex)),
        duration(rest, minus).map(|length| (length, Kind::Duration)),
        number,
        (minus == 1).then(|| negative_word(&rest[1..])).flatten(),
    ];
    // Of readings of the same length the first counts.
    candidates
        .into_iter()
        .flatten()
        .rev()
        .max_by_key(|(length, _)| *length)
}

/// `-NaN` and `-Infinity`.
fn negative_word(rest: &str) -> Option<(usize, Kind)> {
    let (length, kind) = word(rest)?;
    match kind {
        Kind::Word(Keyword::Nan) => Some((length + 1, Kind::NegativeNan)),
        Kind::Word(Keyword::Infinity) => Some((length + 1, Kind::NegativeInfinity)),
        _ => None,
    }
}

fn number(bytes: &[u8], minus: usize) -> Option<(usize, Kind)> {
    let whole = digits(&bytes[minus..]);
    if whole == 0 {
        return None;
    }
    let mut end = minus + whole;
    let mut kind = Kind::Integer;
    let rest = &bytes[end..];
    if rest.first() == Some(&b'.') && (rest.get(1) != Some(&b'.') || rest.get(2) == Some(&b'.')) {
        kind = Kind::Float;
        end += 1 + digits(&rest[1..]);
    }
    let rest = &bytes[end..];
    if matches!(rest.first(), Some(b'e' | b'E')) {
        let signed = 1 + usize::from(matches!(rest.get(1), Some(b'+' | b'-')));
        let exponent = digits(&rest[signed.min(rest.len())..]);
        if exponent > 0 {
            kind = Kind::Float;
            end += signed + exponent;
        }
    }
    Some((end, kind))
}

fn hex(bytes: &[u8]) -> Option<usize> {
    (bytes[0] == b'0' && matches!(bytes.get(1), Some(b'x' | b'X')))
        .then(|| 2 + count(&bytes[2..], |b| b.is_ascii_hexdigit()))
}

/// Characters of a UUID.
const UUID_LENGTH: usize = 36;

/// Whether a byte may stand at this place of a UUID.
fn is_of_uuid(at: usize, byte: u8) -> bool {
    match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    }
}

/// How many bytes are as in a UUID.
fn uuid_length(bytes: &[u8]) -> usize {
    let fits = |(at, byte): &(usize, &u8)| is_of_uuid(*at, **byte);
    bytes
        .iter()
        .take(UUID_LENGTH)
        .enumerate()
        .take_while(fits)
        .count()
}

fn uuid(bytes: &[u8]) -> Option<usize> {
    (uuid_length(bytes) == UUID_LENGTH).then_some(UUID_LENGTH)
}

/// Refuses what the original's lexer takes for the begin of something as soon as it sees so much of it: a UUID after eight
/// digits and a dash, an exponent after its letter.
fn begun(text: &str, at: usize) -> Result<(), Failure> {
    const DASHED: usize = 9;
    let bytes = &text.as_bytes()[at..];
    let length = uuid_length(bytes);
    if (DASHED..UUID_LENGTH).contains(&length) {
        let expected = if is_of_uuid(length, b'-') {
            "'-'"
        } else {
            "set null"
        };
        return Err(Failure::mismatched(text, at + length, expected));
    }
    let minus = usize::from(bytes[0] == b'-');
    let Some((end, kind)) = number(bytes, minus) else {
        return Ok(());
    };
    let rest = &bytes[end..];
    if !matches!(rest.first(), Some(b'e' | b'E')) || length >= UUID_LENGTH {
        return Ok(());
    }
    match rest.get(1) {
        Some(b'+' | b'-') => Err(Failure::unrepeated(text, at + end + 2)),
        _ if kind == Kind::Float => Err(Failure::unrepeated(text, at + end + 1)),
        _ => Err(Failure::character(text, at + end + 1)),
    }
}

/// `12h30m` and the forms of ISO 8601.
fn duration(rest: &str, minus: usize) -> Option<usize> {
    let body = &rest[minus..];
    let length = if body.starts_with('P') {
        iso_duration(body.as_bytes())?
    } else {
        unit_duration(body)?
    };
    Some(minus + length)
}

/// Units, longer ones first where one starts another.
const UNITS: &[&str] = &["mo", "ms", "us", "\u{b5}s", "ns", "y", "w", "d", "h", "m", "s"];

fn unit_duration(body: &str) -> Option<usize> {
    let mut end = 0;
    loop {
        let number = digits(&body.as_bytes()[end..]);
        let unit = if number == 0 {
            None
        } else {
            unit(&body[end + number..])
        };
        match unit {
            Some(unit) => end += number + unit,
            None => return (end > 0).then_some(end),
        }
    }
}

fn unit(rest: &str) -> Option<usize> {
    UNITS
        .iter()
        .find(|unit| {
            rest.get(..unit.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(unit))
        })
        .map(|unit| unit.len())
}

fn iso_duration(bytes: &[u8]) -> Option<usize> {
    const ALTERNATIVE: &[u8] = b"P0000-00-00T00:00:00";
    if let Some(candidate) = bytes.get(..ALTERNATIVE.len()) {
        let same = |(b, form): (&u8, &u8)| {
            if *form == b'0' {
                b.is_ascii_digit()
            } else {
                b == form
            }
        };
        if candidate.iter().zip(ALTERNATIVE).all(same) {
            return Some(ALTERNATIVE.len());
        }
    }
    let date = designators(&bytes[1..], b"YMD");
    let weeks = designators(&bytes[1..], b"W");
    let mut end = 1 + date.max(weeks);
    if weeks == 0 && bytes.get(end) == Some(&b'T') {
        let time = designators(&bytes[end + 1..], b"HMS");
        if time > 0 {
            end += 1 + time;
        }
    }
    (end > 1).then_some(end)
}

/// The length of numbers that are followed by letters of `order`, in that order.
fn designators(bytes: &[u8], order: &[u8]) -> usize {
    let mut end = 0;
    for letter in order {
        let number = digits(&bytes[end..]);
        if number > 0 && bytes.get(end + number) == Some(letter) {
            end += number + 1;
        }
    }
    end
}

/// Identifiers, keywords, booleans and `expr(`.
fn word(rest: &str) -> Option<(usize, Kind)> {
    let bytes = rest.as_bytes();
    if !bytes.first()?.is_ascii_alphabetic() {
        return None;
    }
    let length = count(bytes, |b| b.is_ascii_alphanumeric() || b == b'_');
    let word = &rest[..length];
    if rest.starts_with("expr(") {
        return Some((5, Kind::Expr));
    }
    let kind = if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
        Kind::Boolean
    } else {
        Keyword::find(word).map_or(Kind::Identifier, Kind::Word)
    };
    Some((length, kind))
}

fn sign(rest: &str) -> Option<(usize, Kind)> {
    SIGNS
        .iter()
        .find(|sign| rest.starts_with(**sign))
        .map(|sign| (sign.len(), Kind::Sign(sign)))
}
