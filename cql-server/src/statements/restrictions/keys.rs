//! Keys of partitions, each made when it is its turn.

use super::slices::COMBINATIONS_MAX;
use crate::{
    core::types::token,
    error::{CqlError, Result},
};
use bytes::Bytes;
use std::ops::{Bound, RangeBounds as _};

/// The keys that values of their columns make, in the order in which they are read. IN of several columns makes more than
/// anybody wants in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// Nearly always: one column, one value.
    one: Option<Bytes>,
    /// The values of each column, in order; empty where there is `one`.
    choices: Vec<Vec<Bytes>>,
    /// How many combinations were looked at.
    next: u64,
    within: Option<(Bound<i64>, Bound<i64>)>,
}

impl Keys {
    pub(super) fn one(key: Bytes) -> Self {
        Keys {
            one: Some(key),
            ..Keys::default()
        }
    }

    pub(super) fn of(choices: Vec<Vec<Bytes>>) -> Self {
        Keys {
            choices,
            ..Keys::default()
        }
    }

    /// Only those whose tokens lie there.
    pub(super) fn within(self, from: Bound<i64>, to: Bound<i64>) -> Self {
        Keys {
            within: Some((from, to)),
            ..self
        }
    }

    /// How many keys there are, those of other tokens included.
    pub(crate) fn most(&self) -> u64 {
        u64::from(self.one.is_some()) + self.combinations()
    }

    /// How many combinations there are.
    fn combinations(&self) -> u64 {
        if self.choices.is_empty() {
            return 0;
        }
        let counts = self.choices.iter().map(|options| options.len() as u64);
        counts.fold(1, u64::saturating_mul)
    }

    /// The next combination.
    fn combination(&mut self) -> Option<Bytes> {
        if let Some(one) = self.one.take() {
            return Some(one);
        }
        if self.next >= self.combinations() {
            return None;
        }
        // The last column changes first.
        let mut rest = self.next;
        self.next += 1;
        if let [only] = &self.choices[..] {
            return only.get(rest as usize).cloned();
        }
        let mut parts = Vec::with_capacity(self.choices.len());
        for options in self.choices.iter().rev() {
            let count = options.len() as u64;
            parts.push(options[(rest % count) as usize].clone());
            rest /= count;
        }
        parts.reverse();
        Some(token::partition_key(&parts).into())
    }

    /// Whether they are few enough to be held.
    pub(crate) fn are_few(&self) -> bool {
        self.combinations() <= COMBINATIONS_MAX
    }

    /// All of them, where they are few enough to be held.
    pub(crate) fn all(self) -> Result<Vec<Bytes>> {
        if !self.are_few() {
            return Err(too_many());
        }
        Ok(self.collect())
    }
}

impl Iterator for Keys {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        loop {
            let key = self.combination()?;
            let wanted = |within: &(Bound<i64>, Bound<i64>)| within.contains(&token::token(&key));
            if self.within.as_ref().is_none_or(wanted) {
                return Some(key);
            }
        }
    }
}

/// What those are told who ask for more at once than is held in memory.
pub(super) fn too_many() -> CqlError {
    CqlError::invalid("Too many combinations of IN values")
}
