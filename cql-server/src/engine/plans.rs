//! Prepared statements by their text, as many as fit.

use super::Prepared;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Statements kept in each of two generations.
const GENERATION_MAX: usize = 2048;

/// The keyspace a text was prepared in, and the text.
type Key = (Option<Arc<str>>, Arc<str>);

type Generation = HashMap<Key, Arc<Prepared>, foldhash::fast::RandomState>;

/// What was used lately. When the young generation is full it becomes the old one, and what nobody used since goes.
#[derive(Default)]
pub(crate) struct Plans {
    generations: Mutex<(Generation, Generation)>,
}

impl Plans {
    pub(crate) fn get(&self, keyspace: Option<&Arc<str>>, text: &str) -> Option<Arc<Prepared>> {
        let key = (keyspace.cloned(), Arc::from(text));
        let mut generations = self.generations.lock();
        if let Some(found) = generations.0.get(&key) {
            return Some(found.clone());
        }
        let found = generations.1.remove(&key)?;
        insert(&mut generations, key, found.clone());
        Some(found)
    }

    pub(crate) fn put(&self, keyspace: Option<&Arc<str>>, text: &str, prepared: Arc<Prepared>) {
        let key = (keyspace.cloned(), Arc::from(text));
        insert(&mut self.generations.lock(), key, prepared);
    }
}

fn insert(generations: &mut (Generation, Generation), key: Key, prepared: Arc<Prepared>) {
    if generations.0.len() >= GENERATION_MAX {
        generations.1 = std::mem::take(&mut generations.0);
    }
    generations.0.insert(key, prepared);
}
