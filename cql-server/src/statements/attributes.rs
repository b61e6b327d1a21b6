//! USING: the timestamp and time to live of a write.

use crate::syntax::{Keyword, Kind, Parsed, Term, Tokens, ands, integer};

/// What USING says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) timestamp: Option<Term>,
    pub(crate) ttl: Option<Term>,
}

/// USING, if it is next. What is said twice counts as it was said last.
pub(crate) fn using(input: Tokens<'_>) -> Parsed<'_, Attributes> {
    let mut attributes = Attributes::default();
    if !input.is(Keyword::Using) {
        return Ok((input, attributes));
    }
    let (input, all) = ands(|input: Tokens<'_>| match input.peek() {
        Kind::Word(keyword @ (Keyword::Timestamp | Keyword::Ttl)) => {
            let (input, value) = integer(input.skip())?;
            Ok((input, (keyword, value)))
        }
        _ => Err(input.no_alternative()),
    })(input.skip())?;
    for (keyword, value) in all {
        match keyword {
            Keyword::Ttl => attributes.ttl = Some(value),
            _ => attributes.timestamp = Some(value),
        }
    }
    Ok((input, attributes))
}
