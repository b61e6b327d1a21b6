//! What the text options of a storage-attached index do to a value before it is compared.

use std::{borrow::Cow, collections::BTreeMap};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The options that change what is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Analysis {
    pub(crate) case_sensitive: bool,
    pub(crate) normalize: bool,
    pub(crate) ascii: bool,
}

impl Analysis {
    /// `None`: values are compared as they are.
    pub(crate) fn of(options: &BTreeMap<String, String>) -> Option<Analysis> {
        let is = |name: &str, default: bool| {
            options
                .get(name)
                .map_or(default, |value| value.eq_ignore_ascii_case("true"))
        };
        let analysis = Analysis {
            case_sensitive: is("case_sensitive", true),
            normalize: is("normalize", false),
            ascii: is("ascii", false),
        };
        (!analysis.case_sensitive || analysis.normalize || analysis.ascii).then_some(analysis)
    }

    /// What `value` is compared as.
    pub(crate) fn apply<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        let Ok(text) = std::str::from_utf8(value) else {
            return Cow::Borrowed(value);
        };
        let mut text = Cow::Borrowed(text);
        if !self.case_sensitive {
            text = Cow::Owned(text.to_lowercase());
        }
        if self.normalize {
            text = Cow::Owned(text.nfc().collect());
        }
        if self.ascii && !text.is_ascii() {
            text = Cow::Owned(text.nfkd().filter(|c| !is_combining_mark(*c)).collect());
        }
        match text {
            Cow::Borrowed(_) => Cow::Borrowed(value),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }
}
