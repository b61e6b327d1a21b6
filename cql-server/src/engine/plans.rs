//! Plans of texts that are sent again and again without having been prepared.

use super::{Prepared, prepared::Plan};
use crate::lately::Lately;
use indexmap::Equivalent;
use parking_lot::Mutex;
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

/// What all plans weigh at the most.
const PLANS_BYTES_MAX: usize = 8 << 20;
/// Longer texts hold values, and are not sent again.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// The keyspace a text was prepared in, and the text.
#[derive(Debug, PartialEq, Eq)]
struct Key(Option<Arc<str>>, Arc<str>);

/// The same, not owned.
struct Asked<'a>(Option<&'a str>, &'a str);

impl Key {
    fn asked(&self) -> Asked<'_> {
        Asked(self.0.as_deref(), &self.1)
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, self.1).hash(state);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked().hash(state);
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        let other = key.asked();
        (self.0, self.1) == (other.0, other.1)
    }
}

/// Plans that were used lately.
pub(crate) struct Plans(Mutex<Lately<Key, Arc<Prepared>>>);

impl Default for Plans {
    fn default() -> Self {
        Plans(Mutex::new(Lately::new(PLANS_BYTES_MAX)))
    }
}

impl Plans {
    pub(crate) fn get(&self, keyspace: Option<&Arc<str>>, text: &str) -> Option<Arc<Prepared>> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        self.0.lock().get(&Asked(keyspace.map(|name| &**name), text))
    }

    pub(crate) fn put(&self, prepared: &Arc<Prepared>) {
        let is_planned = !matches!(prepared.plan, Plan::Other(_));
        if is_planned && prepared.text.len() <= TEXT_BYTES_MAX {
            let key = Key(prepared.keyspace.clone(), prepared.text.clone());
            self.0.lock().insert(key, prepared.clone(), prepared.weight);
        }
    }
}

#[cfg(test)]
mod tests;
