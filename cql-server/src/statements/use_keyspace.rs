//! USE.

use crate::syntax::{Parsed, Tokens, keyspace};

/// Makes a keyspace the one of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) keyspace: String,
}

/// `USE keyspace`
pub(super) fn use_keyspace(input: Tokens<'_>) -> Parsed<'_, Use> {
    let (input, keyspace) = keyspace(input.skip())?;
    Ok((input, Use { keyspace }))
}
