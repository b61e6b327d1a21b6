//! Durations: months, days and nanoseconds, each with its own length.

use super::vint;
use crate::error::{CqlError, Result};

/// A duration; its parts never differ in sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Duration {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) nanoseconds: i64,
}

impl Duration {
    /// Of its bytes; `None` where they are none.
    pub(crate) fn of(mut value: &[u8]) -> Option<Duration> {
        Some(Duration {
            months: i32::try_from(vint::take_signed(&mut value)?).ok()?,
            days: i32::try_from(vint::take_signed(&mut value)?).ok()?,
            nanoseconds: vint::take_signed(&mut value)?,
        })
    }

    /// Its bytes.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(12);
        vint::put_signed(&mut out, self.months.into());
        vint::put_signed(&mut out, self.days.into());
        vint::put_signed(&mut out, self.nanoseconds);
        out
    }
}

pub(super) fn validate(value: &[u8]) -> Result<()> {
    let short = || {
        CqlError::Invalid(format!(
            "Expected at least 3 bytes for a duration ({})",
            value.len()
        ))
    };
    if value.len() < 3 {
        return Err(short());
    }
    let mut rest = value;
    let mut next = || vint::take_signed(&mut rest).ok_or_else(short);
    let (months, days, nanoseconds) = (next()?, next()?, next()?);
    for (unit, value) in [("months", months), ("days", days)] {
        if i32::try_from(value).is_err() {
            let message = format!("The duration {unit} must be a 32 bits integer but was: {value}");
            return Err(CqlError::Invalid(message));
        }
    }
    let parts = [months, days, nanoseconds];
    if parts.iter().any(|part| *part < 0) && parts.iter().any(|part| *part > 0) {
        return Err(CqlError::Invalid(format!(
            "The duration months, days and nanoseconds must be all of the same sign ({months}, {days}, {nanoseconds})"
        )));
    }
    Ok(())
}
