use jni::{Env, JValue, errors::Result, jni_sig, jni_str, objects::JObject, strings::JNIStr};
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

/// The field in which a driver's object holds its number.
pub(super) const DRIVER: &JNIStr = jni_str!("__driver");
/// The field in which a `Mesos` object holds its number.
pub(super) const MESOS: &JNIStr = jni_str!("__mesos");

/// The number that an object holds.
pub(super) fn handle(env: &mut Env<'_>, of: &JObject<'_>, field: &JNIStr) -> Result<i64> {
    env.get_field(of, field, jni_sig!("J"))?.j()
}

pub(super) fn set_handle(env: &mut Env<'_>, of: &JObject<'_>, field: &JNIStr, handle: i64) -> Result<()> {
    env.set_field(of, field, jni_sig!("J"), JValue::Long(handle))
}
