//! What comes twice where it may come once.

use std::{collections::HashSet, hash::Hash};

/// The first of `all` that was there before.
pub(crate) fn repeated<T: Copy + Eq + Hash>(all: impl IntoIterator<Item = T>) -> Option<T> {
    let mut seen = HashSet::new();
    all.into_iter().find(|one| !seen.insert(*one))
}
