//! What does not fit the grammar, in the original's words.

use super::token::{Kind, Token};
use std::fmt::Write;

/// How many tokens before and after the failing one an error quotes, blanks and comments counted.
const QUOTED_BEFORE: u32 = 10;
const QUOTED_AFTER: u32 = 2;

/// Why a parser gave up, as a place among the tokens; turned into text only when nothing else fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The token that did not fit.
    pub(super) at: usize,
    /// The token at which the decision began that no alternative survived.
    pub(super) from: usize,
    pub(super) reason: Reason,
    /// Whether the original had already read what follows the token.
    pub(super) has_read_on: bool,
}

/// What was wanted in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// One kind of token and no other.
    Expected(Kind),
    /// Any of several.
    NoAlternative,
    /// What the grammar permits and the language does not.
    Refused(Box<str>),
}

impl Mismatch {
    pub(super) fn new(at: usize, reason: Reason) -> Self {
        Mismatch {
            at,
            from: at,
            reason,
            has_read_on: false,
        }
    }
}

/// A statement that cannot be parsed: the text of the syntax error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure(pub(super) String);

impl Failure {
    pub(super) fn plain(message: &str) -> Self {
        Failure(message.to_owned())
    }

    /// A character that starts no token.
    pub(super) fn character(text: &str, at: usize) -> Self {
        let (line, column) = position(text, at);
        let character = character(text, at);
        Failure(format!(
            "line {line}:{column} no viable alternative at character '{character}'"
        ))
    }

    /// A character where digits had to come.
    pub(super) fn unrepeated(text: &str, at: usize) -> Self {
        let (line, column) = position(text, at);
        let character = character(text, at);
        Failure(format!(
            "line {line}:{column} required (...)+ loop did not match anything at character '{character}'"
        ))
    }

    /// A string or comment that the end of the text cut off.
    pub(super) fn unfinished(text: &str, expected: &str) -> Self {
        let (line, column) = position(text, text.len());
        Failure(format!(
            "line {line}:{column} mismatched character '<EOF>' expecting {expected}"
        ))
    }

    /// A character in the place of another.
    pub(super) fn mismatched(text: &str, at: usize, expected: &str) -> Self {
        let at = (0..=at.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let Some(character) = text[at..].chars().next() else {
            return Failure::unfinished(text, expected);
        };
        let (line, column) = position(text, at);
        Failure(format!(
            "line {line}:{column} mismatched character '{character}' expecting {expected}"
        ))
    }

    /// What `mismatch` says about `text`.
    pub(super) fn mismatch(text: &str, tokens: &[Token], mismatch: &Mismatch) -> Self {
        if let Reason::Refused(message) = &mismatch.reason {
            return Failure(message.to_string());
        }
        let Some(token) = tokens.get(mismatch.at).or(tokens.last()) else {
            return Failure::plain("no viable alternative");
        };
        let (line, column, shown) = if token.kind == Kind::End {
            ("0".to_owned(), "-1".to_owned(), "<EOF>".to_owned())
        } else {
            let (line, column) = position(text, token.start as usize);
            (
                line.to_string(),
                column.to_string(),
                super::input::meaning(text, token).into_owned(),
            )
        };
        let mut message = match &mismatch.reason {
            Reason::Expected(kind) => {
                format!("line {line}:{column} mismatched input '{shown}' expecting {kind}")
            }
            _ => format!("line {line}:{column} no viable alternative at input '{shown}'"),
        };
        // At the end the original quotes what it had begun only once it was beyond the first token of it.
        if token.kind != Kind::End || mismatch.from + 1 < mismatch.at {
            let marked = match mismatch.reason {
                Reason::Expected(_) => mismatch.at,
                _ => mismatch.from.min(mismatch.at),
            };
            let read = token.ordinal + if mismatch.has_read_on { QUOTED_AFTER } else { 0 };
            quote(&mut message, text, tokens, marked, read);
        }
        Failure(message)
    }
}

/// The character at byte `at`, as errors name it.
fn character(text: &str, at: usize) -> String {
    let found = text[at..].chars().next();
    found.map_or_else(|| "<EOF>".to_owned(), String::from)
}

/// Line (from 1) and column (from 0, in UTF-16 units as the original counts) of byte `at`.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = 1 + before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].encode_utf16().count())
}

/// Adds the stretch of the statement around the marked token, which stands in brackets. The original quotes no further
/// than it has read, which is mostly the failing token.
fn quote(message: &mut String, text: &str, tokens: &[Token], marked: usize, read: u32) {
    let token = tokens[marked];
    let first = token.ordinal.saturating_sub(QUOTED_BEFORE);
    let last = (token.ordinal + QUOTED_AFTER).min(read);
    // Blanks and comments have no entry of their own: they lie between the ends of their neighbours.
    let start = start_of(tokens, first, marked);
    let end = end_of(text, tokens, last, marked);
    // The original counts what a token means, not its quotes.
    let from = token.start as usize;
    let meant = super::input::meaning(text, &token).chars().count();
    let quoted = matches!(token.kind, Kind::String | Kind::QuotedName);
    let to = match text[from..].char_indices().nth(meant) {
        Some((length, _)) if quoted => from + length,
        _ => token.end as usize,
    };
    let end = if last <= token.ordinal { to } else { end };
    let before = if start > 0 { "..." } else { "" };
    let after = if end < text.len() { "..." } else { "" };
    let body = format!("{}[{}]{}", &text[start..from], &text[from..to], &text[to..end]);
    let _ = write!(message, " ({before}{}{after})", body.replace('\n', ""));
}

/// Where the token of `ordinal`, at or before `marked`, starts.
fn start_of(tokens: &[Token], ordinal: u32, marked: usize) -> usize {
    let at = tokens[..=marked].partition_point(|token| token.ordinal < ordinal);
    if tokens[at].ordinal == ordinal || at == 0 {
        return if ordinal == 0 {
            0
        } else {
            tokens[at].start as usize
        };
    }
    tokens[at - 1].end as usize
}

/// Where the token of `ordinal`, after `marked`, ends.
fn end_of(text: &str, tokens: &[Token], ordinal: u32, marked: usize) -> usize {
    let at = marked + tokens[marked..].partition_point(|token| token.ordinal < ordinal);
    match tokens.get(at) {
        Some(token) if token.ordinal == ordinal && token.kind != Kind::End => token.end as usize,
        Some(token) => token.start as usize,
        None => text.len(),
    }
}
