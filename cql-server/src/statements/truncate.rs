//! TRUNCATE.

use crate::syntax::{Keyword, Parsed, QualifiedName, Tokens, has_word, table};

/// Removes every row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truncate {
    pub(crate) table: QualifiedName,
}

/// `TRUNCATE [TABLE] table`
pub(super) fn truncate(input: Tokens<'_>) -> Parsed<'_, Truncate> {
    let (input, _) = has_word(Keyword::ColumnFamily)(input.skip())?;
    let (input, table) = table(input)?;
    Ok((input, Truncate { table }))
}
