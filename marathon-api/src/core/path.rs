//! Names of apps and groups: paths from the root.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a part of a path must look like, as the original says it.
pub(crate) const SEGMENT: &str =
    r"^(([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])|(\.|\.\.)$";

/// An absolute path: `/`, or `/a/b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PathId(String);

impl PathId {
    /// The group that holds everything.
    pub(crate) fn root() -> Self {
        PathId("/".to_owned())
    }

    /// What a text names as seen from `base`; one that starts with `/` is the same from everywhere.
    pub(crate) fn from_base(text: &str, base: &PathId) -> Self {
        let mut parts: Vec<&str> = match text.starts_with('/') {
            true => Vec::new(),
            false => base.parts().collect(),
        };
        for part in text.split('/').filter(|part| !part.is_empty()) {
            match part {
                "." => {}
                ".." => {
                    parts.pop();
                }
                _ => parts.push(part),
            }
        }
        PathId(format!("/{}", parts.join("/")))
    }

    /// What a text names as seen from the root.
    pub(crate) fn new(text: &str) -> Self {
        Self::from_base(text, &PathId::root())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The group it is in; the root is in itself.
    pub(crate) fn parent(&self) -> Self {
        let end = self.0.rfind('/').unwrap_or(0);
        PathId(self.0[..end.max(1)].to_owned())
    }

    /// Whether it is somewhere below a group.
    pub(crate) fn is_below(&self, group: &PathId) -> bool {
        group.is_root() && !self.is_root()
            || self.0.len() > group.0.len()
                && self.0.starts_with(&group.0)
                && self.0.as_bytes().get(group.0.len()) == Some(&b'/')
    }

    /// The first so many parts of it.
    pub(crate) fn cut(&self, parts: usize) -> Self {
        PathId(format!(
            "/{}",
            self.parts().take(parts).collect::<Vec<_>>().join("/")
        ))
    }

    /// Its form in ids of tasks, in which `_` stands for `/`.
    pub(crate) fn safe(&self) -> String {
        self.parts().collect::<Vec<_>>().join("_")
    }

    /// The path whose safe form this is.
    pub(crate) fn from_safe(text: &str) -> Self {
        PathId(format!("/{}", text.replace('_', "/")))
    }

    /// Its form in names of hosts: the last part first.
    pub(crate) fn host_name(&self) -> String {
        self.parts().rev().collect::<Vec<_>>().join(".")
    }

    /// Whether every part is one that the original takes.
    pub(crate) fn is_valid(&self) -> bool {
        self.parts().all(|part| part.split('.').all(is_label))
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for PathId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
