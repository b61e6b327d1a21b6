//! What was used lately, as much of it as fits in so many bytes.
//!
//! Knows: two generations. When the young one has half of the bytes it becomes the old one, and what of that nobody has used
//! since is forgotten: nearly as good as keeping an order, and nothing is moved each time that something is used.
//! Never: what is kept.

use foldhash::fast::RandomState;
use indexmap::{Equivalent, IndexMap};
use std::{hash::Hash, mem};

/// Values by their keys, each with its weight in bytes.
#[derive(Debug)]
pub(crate) struct Lately<K, V> {
    bytes_max: usize,
    young: Generation<K, V>,
    old: Generation<K, V>,
    /// What was forgotten since somebody asked, for those who want to know.
    forgotten: Option<Vec<K>>,
    /// How much there was no room for.
    evicted: u64,
}

#[derive(Debug)]
struct Generation<K, V> {
    entries: IndexMap<K, (V, usize), RandomState>,
    bytes: usize,
}

impl<K, V> Default for Generation<K, V> {
    fn default() -> Self {
        Generation {
            entries: IndexMap::default(),
            bytes: 0,
        }
    }
}

impl<K: Eq + Hash, V: Clone> Generation<K, V> {
    fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.bytes += bytes;
        if let Some((_, before)) = self.entries.insert(key, (value, bytes)) {
            self.bytes -= before;
        }
    }

    fn remove<Q: ?Sized + Hash + Equivalent<K>>(&mut self, key: &Q) -> Option<(K, V, usize)> {
        let (key, (value, bytes)) = self.entries.swap_remove_entry(key)?;
        self.bytes -= bytes;
        Some((key, value, bytes))
    }

    /// Forgets what is not wanted, and gives its keys.
    fn retain(&mut self, wanted: impl Fn(&V) -> bool) -> Vec<K> {
        let unwanted = self.entries.extract_if(.., |_, (value, _)| !wanted(value));
        let keys = unwanted.map(|(key, _)| key).collect();
        self.bytes = self.entries.values().map(|(_, bytes)| bytes).sum();
        keys
    }
}

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    /// Holds `bytes_max` at the most.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Lately {
            bytes_max,
            young: Generation::default(),
            old: Generation::default(),
            forgotten: None,
            evicted: 0,
        }
    }

    /// The same, which notes what it forgets.
    pub(crate) fn noting(bytes_max: usize) -> Self {
        Lately {
            forgotten: Some(Vec::new()),
            ..Lately::new(bytes_max)
        }
    }

    /// The keys of what was forgotten since the last time and did not come back.
    pub(crate) fn take_forgotten(&mut self) -> Vec<K> {
        let mut gone = self.forgotten.as_mut().map(mem::take).unwrap_or_default();
        gone.retain(|key| !self.young.entries.contains_key(key) && !self.old.entries.contains_key(key));
        gone
    }

    /// What is there and needs no note that it was used.
    pub(crate) fn young<Q: ?Sized + Hash + Equivalent<K>>(&self, key: &Q) -> Option<V> {
        self.young.entries.get(key).map(|(value, _)| value.clone())
    }

    /// What is there.
    pub(crate) fn get<Q: ?Sized + Hash + Equivalent<K>>(&mut self, key: &Q) -> Option<V> {
        if let Some(found) = self.young(key) {
            return Some(found);
        }
        let (key, value, bytes) = self.old.remove(key)?;
        self.add(key, value.clone(), bytes);
        Some(value)
    }

    /// The most that one value may weigh: half of all.
    pub(crate) fn entry_bytes_max(&self) -> usize {
        self.bytes_max / 2
    }

    /// Keeps a value, unless it is too heavy. Whether it is kept.
    pub(crate) fn insert(&mut self, key: K, value: V, bytes: usize) -> bool {
        self.old.remove(&key);
        self.young.remove(&key);
        let fits = bytes <= self.entry_bytes_max();
        if fits {
            self.add(key, value, bytes);
        }
        fits
    }

    fn add(&mut self, key: K, value: V, bytes: usize) {
        if self.young.bytes + bytes > self.entry_bytes_max() {
            let old = mem::replace(&mut self.old, mem::take(&mut self.young));
            self.evicted += old.entries.len() as u64;
            self.note(old.entries.into_keys());
        }
        self.young.insert(key, value, bytes);
    }

    /// Forgets what is not wanted.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&V) -> bool) {
        let (young, old) = (self.young.retain(&wanted), self.old.retain(&wanted));
        self.note(young.into_iter().chain(old));
    }

    /// Notes that these were forgotten.
    pub(crate) fn note(&mut self, keys: impl Iterator<Item = K>) {
        if let Some(forgotten) = &mut self.forgotten {
            forgotten.extend(keys);
        }
    }

    /// How much is kept.
    pub(crate) fn len(&self) -> usize {
        self.young.entries.len() + self.old.entries.len()
    }

    /// How much was forgotten because there was no room for it.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// What all that is kept weighs.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }
}

#[cfg(test)]
mod tests;
