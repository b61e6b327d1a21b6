//! The input that nom's parsers run over, and the combinators that all grammar uses.
//!
//! The grammar is predictive: an optional part or an alternative that has taken a token is meant, so what fails in it
//! is the statement's error. Only `attempt` looks further.

use super::{
    error::{Mismatch, Reason},
    token::{Class, Keyword, Kind, Token},
    types::native_of,
};
use nom::{Err, IResult, error::ErrorKind};
use std::{borrow::Cow, cell::RefCell, sync::Arc};

/// Terms, types and selectors nest at most 64 levels deep, or as many operators as this; a level is parsed by calls within calls,
/// operators only make the term deeper.
pub(crate) const NESTING_MAX: u16 = 64 * LEVEL;
pub(crate) const LEVEL: u16 = 4;

/// What parsing shares: the statement, its tokens, and the names of bind markers by position.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) markers: RefCell<Vec<Option<Arc<str>>>>,
}

/// A place among the tokens. Copied freely: backtracking is using an older copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens<'a> {
    source: &'a Source<'a>,
    at: usize,
    /// Bind markers before this place.
    markers: u16,
    nesting: u16,
}

/// What a parser of this grammar returns.
pub(crate) type Parsed<'a, T> = IResult<Tokens<'a>, T, Mismatch>;

impl<'a> nom::error::ParseError<Tokens<'a>> for Mismatch {
    fn from_error_kind(input: Tokens<'a>, _: ErrorKind) -> Self {
        Mismatch::new(input.at, Reason::NoAlternative)
    }

    fn append(_: Tokens<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }

    /// Of two alternatives the one that came further knows what is wrong.
    fn or(self, other: Self) -> Self {
        match self.at.cmp(&other.at) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Equal if self.reason == other.reason => self,
            std::cmp::Ordering::Equal => Mismatch {
                at: self.at,
                from: self.from.min(other.from),
                reason: Reason::NoAlternative,
                has_read_on: false,
            },
        }
    }
}

impl<'a> Tokens<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        Tokens {
            source,
            at: 0,
            markers: 0,
            nesting: 0,
        }
    }

    /// The kind of the next token.
    pub(crate) fn peek(self) -> Kind {
        self.peek_at(0)
    }

    /// How many tokens the whole text has.
    pub(super) fn count(self) -> usize {
        self.source.tokens.len()
    }

    /// The kind of the token after `skipped` more.
    pub(crate) fn peek_at(self, skipped: usize) -> Kind {
        self.source
            .tokens
            .get(self.at + skipped)
            .map_or(Kind::End, |token| token.kind)
    }

    /// Whether the next token is `keyword`.
    pub(crate) fn is(self, keyword: Keyword) -> bool {
        self.peek() == Kind::Word(keyword)
    }

    /// Whether the next token is `sign`.
    pub(crate) fn is_sign(self, sign: &str) -> bool {
        self.sign_at(0, sign)
    }

    /// Whether the token after `skipped` more is `sign`.
    pub(crate) fn sign_at(self, skipped: usize, sign: &str) -> bool {
        matches!(self.peek_at(skipped), Kind::Sign(other) if other == sign)
    }

    /// Whether the token after `skipped` more may be a name.
    pub(crate) fn name_at(self, skipped: usize) -> bool {
        match self.peek_at(skipped) {
            Kind::Identifier | Kind::QuotedName => true,
            Kind::Word(keyword) => keyword.class() != Class::Reserved,
            _ => false,
        }
    }

    /// What the next token means: strings and quoted names without their quotes.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self.source.tokens.get(self.at) {
            Some(token) => meaning(self.source.text, token),
            None => Cow::Borrowed(""),
        }
    }

    /// Past the next token.
    pub(crate) fn skip(self) -> Self {
        let last = self.source.tokens.len().saturating_sub(1);
        Tokens {
            at: (self.at + 1).min(last),
            ..self
        }
    }

    /// The text from here up to `end`.
    pub(crate) fn text_until(self, end: Tokens<'a>) -> &'a str {
        let start = self
            .source
            .tokens
            .get(self.at)
            .map_or(0, |token| token.start as usize);
        let last = end.at.checked_sub(1).and_then(|at| self.source.tokens.get(at));
        let stop = last.map_or(start, |token| token.end as usize).max(start);
        &self.source.text[start..stop]
    }

    /// One level deeper, unless that is too deep.
    pub(crate) fn deeper(self) -> Result<Self, Err<Mismatch>> {
        self.deeper_by(LEVEL)
    }

    /// Behind one more operator, unless that is too deep.
    pub(crate) fn behind_operator(self) -> Result<Self, Err<Mismatch>> {
        self.deeper_by(1)
    }

    fn deeper_by(self, more: u16) -> Result<Self, Err<Mismatch>> {
        let nesting = self.nesting + more;
        if nesting > NESTING_MAX {
            return Err(self.refused("Statement is nested too deeply"));
        }
        Ok(Tokens { nesting, ..self })
    }

    /// At this place, as deep as `outer` is.
    pub(crate) fn as_deep_as(self, outer: Tokens<'a>) -> Self {
        Tokens {
            nesting: outer.nesting,
            ..self
        }
    }

    /// The next bind marker's position, and the input after it has been counted.
    pub(super) fn marker(self, name: Option<Arc<str>>) -> Result<(Self, u16), Err<Mismatch>> {
        let Some(markers) = self.markers.checked_add(1) else {
            return Err(self.refused("Too many bind variables"));
        };
        // What an abandoned attempt noted from here on is not so.
        let mut names = self.source.markers.borrow_mut();
        names.truncate(usize::from(self.markers));
        names.push(name);
        Ok((Tokens { markers, ..self }, self.markers))
    }

    /// How many bind markers precede this place.
    pub(super) fn markers(self) -> usize {
        usize::from(self.markers)
    }

    /// The error that a certain kind of token was expected here.
    pub(crate) fn expected(self, kind: Kind) -> Err<Mismatch> {
        Err::Error(Mismatch::new(self.at, Reason::Expected(kind)))
    }

    /// The error that nothing fits here.
    pub(crate) fn no_alternative(self) -> Err<Mismatch> {
        Err::Error(Mismatch::new(self.at, Reason::NoAlternative))
    }

    /// The error that nothing fits here, in a decision that began at `start`.
    pub(crate) fn no_alternative_since(self, start: Tokens<'a>) -> Err<Mismatch> {
        Err::Error(Mismatch {
            at: self.at,
            from: start.at,
            ..Mismatch::new(self.at, Reason::NoAlternative)
        })
    }

    /// `error`, told as if nothing fitted here already, in what began at `start`; at the end of the text that `then` is missing.
    pub(crate) fn no_alternative_instead(
        self,
        error: Err<Mismatch>,
        start: Tokens<'a>,
        then: Keyword,
    ) -> Err<Mismatch> {
        let is_end = |at: usize| {
            self.source
                .tokens
                .get(at)
                .is_none_or(|token| token.kind == Kind::End)
        };
        error.map(|mismatch| match mismatch.reason {
            Reason::Refused(_) => mismatch,
            _ if is_end(mismatch.at) => Mismatch::new(mismatch.at, Reason::Expected(Kind::Word(then))),
            _ => Mismatch {
                from: start.at,
                ..Mismatch::new(self.at, Reason::NoAlternative)
            },
        })
    }

    /// The whole text.
    pub(super) fn statement_text(self) -> &'a str {
        self.source.text
    }

    /// Where a statement ended that goes on. Behind a type or a compared value, and before AS, the original has read on.
    pub(super) fn unexpected_rest(self) -> Mismatch {
        let back = |count: usize| Tokens {
            at: self.at.saturating_sub(count),
            ..self
        };
        let behind_type = matches!(back(1).peek(), Kind::Word(keyword) if native_of(keyword).is_some());
        let behind_value = matches!(back(2).peek(), Kind::Sign("=" | "<" | ">" | "<=" | ">=" | "!="));
        Mismatch {
            has_read_on: behind_type || behind_value || self.is(Keyword::As),
            ..Mismatch::new(self.at, Reason::Expected(Kind::End))
        }
    }

    /// Whether what stands here cannot follow a value: another value, or a name.
    pub(super) fn no_value_here(self) -> bool {
        matches!(
            self.peek(),
            Kind::Identifier
                | Kind::Integer
                | Kind::Float
                | Kind::String
                | Kind::Uuid
                | Kind::Hex
                | Kind::Boolean
                | Kind::Duration
                | Kind::Word(Keyword::Or)
        )
    }

    /// The error that the language refuses what the grammar permits.
    pub(crate) fn refused(self, message: impl Into<String>) -> Err<Mismatch> {
        Err::Failure(Mismatch::new(
            self.at,
            Reason::Refused(message.into().into_boxed_str()),
        ))
    }
}

/// What `token` means: strings and quoted names without their quotes.
pub(super) fn meaning<'a>(text: &'a str, token: &Token) -> Cow<'a, str> {
    let (start, end) = (token.start as usize, token.end as usize);
    let whole = &text[start..end];
    match token.kind {
        Kind::End => Cow::Borrowed("<EOF>"),
        Kind::String if whole.starts_with('$') => Cow::Borrowed(&whole[2..whole.len() - 2]),
        Kind::String => undoubled(&whole[1..whole.len() - 1], "''", "'"),
        Kind::QuotedName => undoubled(&whole[1..whole.len() - 1], "\"\"", "\""),
        Kind::EmptyQuotedName => Cow::Borrowed(whole),
        _ => Cow::Borrowed(whole),
    }
}

fn undoubled<'a>(text: &'a str, doubled: &str, single: &str) -> Cow<'a, str> {
    if text.contains(doubled) {
        Cow::Owned(text.replace(doubled, single))
    } else {
        Cow::Borrowed(text)
    }
}

/// Takes one token of `kind`, and gives its meaning.
pub(crate) fn kind<'a>(kind: Kind) -> impl Fn(Tokens<'a>) -> Parsed<'a, Cow<'a, str>> {
    move |input| {
        if input.peek() == kind {
            Ok((input.skip(), input.text()))
        } else {
            Err(input.expected(kind))
        }
    }
}

/// Takes `keyword`.
pub(crate) fn word<'a>(keyword: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, ()> {
    move |input| kind(Kind::Word(keyword))(input).map(|(rest, _)| (rest, ()))
}

/// Takes all of `keywords`, one after the other.
pub(crate) fn words<'a, const N: usize>(keywords: [Keyword; N]) -> impl Fn(Tokens<'a>) -> Parsed<'a, ()> {
    move |mut input| {
        for keyword in keywords {
            (input, ()) = word(keyword)(input)?;
        }
        Ok((input, ()))
    }
}

/// Takes `sign`.
pub(crate) fn sign<'a>(sign: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, ()> {
    move |input| kind(Kind::Sign(sign))(input).map(|(rest, _)| (rest, ()))
}

/// Takes `keyword` if it is next, and says whether it was.
pub(crate) fn has_word<'a>(keyword: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, bool> {
    move |input| {
        if input.is(keyword) {
            Ok((input.skip(), true))
        } else {
            Ok((input, false))
        }
    }
}

/// Takes `sign` if it is next, and says whether it was.
pub(crate) fn has_sign<'a>(sign: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, bool> {
    move |input| {
        if input.is_sign(sign) {
            Ok((input.skip(), true))
        } else {
            Ok((input, false))
        }
    }
}

/// What follows `keyword`, if that is next.
pub(crate) fn after_word<'a, T>(
    keyword: Keyword,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Option<T>> {
    move |input| {
        if !input.is(keyword) {
            return Ok((input, None));
        }
        let (input, found) = parser(input.skip())?;
        Ok((input, Some(found)))
    }
}

/// `parser`, and as many more as there are `separator`s.
fn separated<'a, T>(
    is_separator: impl Fn(Tokens<'a>) -> bool,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    move |input| {
        let (mut input, first) = parser(input)?;
        let mut all = vec![first];
        while is_separator(input) {
            let (rest, next) = parser(input.skip())?;
            all.push(next);
            input = rest;
        }
        Ok((input, all))
    }
}

/// One or more, with commas between.
pub(crate) fn commas<'a, T>(
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    separated(|input| input.is_sign(","), parser)
}

/// One or more, with AND between.
pub(crate) fn ands<'a, T>(
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    separated(|input| input.is(Keyword::And), parser)
}

/// What stands between parentheses.
pub(crate) fn parenthesised<'a, T>(
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        let (input, ()) = sign("(")(input)?;
        let (input, found) = parser(input)?;
        let (input, ()) = sign(")")(input)?;
        Ok((input, found))
    }
}

/// None or more with commas between, up to `close`, which is taken.
pub(crate) fn commas_until<'a, T>(
    close: &'static str,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    move |input| {
        if input.is_sign(close) {
            return Ok((input.skip(), Vec::new()));
        }
        let (input, all) = match commas(&parser)(input) {
            Err(Err::Error(mismatch)) if mismatch.at == input.at => {
                return Err(input.expected(Kind::Sign(close)));
            }
            other => other?,
        };
        let (input, ()) = sign(close)(input)?;
        Ok((input, all))
    }
}

/// `IF NOT EXISTS`, if it is next.
pub(crate) fn if_not_exists(input: Tokens<'_>) -> Parsed<'_, bool> {
    let found = after_word(Keyword::If, words([Keyword::Not, Keyword::Exists]))(input)?;
    Ok((found.0, found.1.is_some()))
}

/// `IF EXISTS`, if it is next.
pub(crate) fn if_exists(input: Tokens<'_>) -> Parsed<'_, bool> {
    let found = after_word(Keyword::If, word(Keyword::Exists))(input)?;
    Ok((found.0, found.1.is_some()))
}
