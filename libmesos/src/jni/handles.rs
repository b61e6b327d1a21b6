use jni::{Env, JValue, errors::Result, jni_sig, jni_str, objects::JObject};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// Drivers by the numbers that their Java objects hold: a wrong number finds nobody.
pub(super) struct Handles<T> {
    next: AtomicI64,
    held: Mutex<BTreeMap<i64, Arc<T>>>,
}

impl<T> Handles<T> {
    pub(super) const fn new() -> Self {
        Handles {
            next: AtomicI64::new(1),
            held: Mutex::new(BTreeMap::new()),
        }
    }

    pub(super) fn keep(&self, one: Arc<T>) -> i64 {
        let handle = self.next.fetch_add(1, Ordering::Relaxed);
        self.held.lock().insert(handle, one);
        handle
    }

    pub(super) fn get(&self, handle: i64) -> Option<Arc<T>> {
        self.held.lock().get(&handle).cloned()
    }

    pub(super) fn forget(&self, handle: i64) -> Option<Arc<T>> {
        self.held.lock().remove(&handle)
    }
}

/// The number that a driver's object holds.
pub(super) fn handle(env: &mut Env<'_>, driver: &JObject<'_>) -> Result<i64> {
    env.get_field(driver, jni_str!("__driver"), jni_sig!("J"))?.j()
}

pub(super) fn set_handle(env: &mut Env<'_>, driver: &JObject<'_>, handle: i64) -> Result<()> {
    env.set_field(driver, jni_str!("__driver"), jni_sig!("J"), JValue::Long(handle))
}
