//! Chance, in one place: names of status updates, and pauses that no two frameworks share.

use std::time::Duration;
use uuid::Uuid;

/// A name that nobody else has.
#[allow(
    clippy::disallowed_methods,
    reason = "a library in another's process has no owner who could hand chance in"
)]
pub(crate) fn uuid() -> Uuid {
    Uuid::new_v4()
}

/// A time between half of `most` and all of it.
pub(crate) fn jittered(most: Duration) -> Duration {
    let [low, ..] = uuid().into_bytes();
    most.mul_f64(0.5 + f64::from(low) / 512.0)
}
