//! Secondary indexes: what of a column they find rows by.

use crate::core::indexes::Analysis;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Who keeps an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexKind {
    /// The original's first kind.
    Composites,
    /// Named by a class.
    Custom,
}

/// What of a column is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetPart {
    /// The value of a column that is no collection.
    Whole,
    Values,
    Keys,
    Entries,
    /// A frozen collection as one value.
    Full,
}

impl TargetPart {
    fn wrapper(self) -> Option<&'static str> {
        match self {
            TargetPart::Whole => None,
            TargetPart::Values => Some("values"),
            TargetPart::Keys => Some("keys"),
            TargetPart::Entries => Some("entries"),
            TargetPart::Full => Some("full"),
        }
    }
}

/// A column, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) column: Arc<str>,
    pub(crate) part: TargetPart,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = crate::core::types::names::quoted(&self.column);
        match self.part.wrapper() {
            Some(wrapper) => write!(f, "{wrapper}({column})"),
            None => f.write_str(&column),
        }
    }
}

impl Target {
    /// Reads what `Display` wrote.
    pub(crate) fn parse(text: &str) -> Target {
        let parts = [
            TargetPart::Values,
            TargetPart::Keys,
            TargetPart::Entries,
            TargetPart::Full,
        ];
        let wrapped = parts.into_iter().find_map(|part| {
            let inner = text
                .strip_prefix(part.wrapper()?)?
                .strip_prefix('(')?
                .strip_suffix(')')?;
            Some((part, inner))
        });
        let (part, column) = wrapped.unwrap_or((TargetPart::Whole, text));
        let unquoted = column.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let column = unquoted.map_or_else(|| column.to_owned(), |name| name.replace("\"\"", "\""));
        Target {
            column: column.into(),
            part,
        }
    }
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// Names the index in stored keys, and is given to nothing else; 0: it has no entries.
    pub(crate) number: u32,
    pub(crate) kind: IndexKind,
    pub(crate) target: Target,
    /// What USING named, where it named something.
    pub(crate) class: Option<String>,
    /// What OPTIONS gave.
    pub(crate) options: BTreeMap<String, String>,
}

impl Index {
    /// What is done to values before they are compared. Entries of maps are compared as they are.
    pub(crate) fn analysis(&self) -> Option<Analysis> {
        Analysis::of(&self.options).filter(|_| self.target.part != TargetPart::Entries)
    }

    /// Whether it is a storage-attached index.
    pub(crate) fn is_sai(&self) -> bool {
        self.class.as_deref().is_some_and(is_sai)
    }
}

/// Whether `class` names the storage-attached index.
pub(crate) fn is_sai(class: &str) -> bool {
    class.eq_ignore_ascii_case("sai")
        || class
            .rsplit('.')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("StorageAttachedIndex"))
}
