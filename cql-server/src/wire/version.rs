//! Versions of the native protocol, and how one is agreed on.

use std::fmt;

/// A version that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Version {
    V3 = 3,
    V4 = 4,
    V5 = 5,
    /// What the original offers to those who ask for a beta: version 5 under another number.
    V6 = 6,
}

/// What the original tells of itself, and names in its refusals.
pub(crate) const SUPPORTED: [&str; 4] = ["3/v3", "4/v4", "5/v5", "6/v6-beta"];

impl Version {
    /// The version a refusal is told in where the asked one is not known.
    pub(crate) const CURRENT: Version = Version::V5;

    pub(crate) fn of(number: u8) -> Option<Self> {
        [Version::V3, Version::V4, Version::V5, Version::V6]
            .into_iter()
            .find(|version| version.number() == number)
    }

    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// Whether envelopes travel in checksummed segments once a connection has started.
    pub(crate) fn has_segments(self) -> bool {
        self >= Version::V5
    }

    pub(crate) fn is_beta(self) -> bool {
        self == Version::V6
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SUPPORTED[usize::from(self.number() - Version::V3.number())])
    }
}

/// The original's words for a version nobody speaks.
pub(crate) fn unsupported(number: u8) -> String {
    format!(
        "Invalid or unsupported protocol version ({number}); supported versions are ({})",
        SUPPORTED.join(", ")
    )
}

/// The original's words for a beta version without the flag that asks for it.
pub(crate) fn beta_unasked(version: Version) -> String {
    format!("Beta version of the protocol used ({version}), but USE_BETA flag is unset")
}
