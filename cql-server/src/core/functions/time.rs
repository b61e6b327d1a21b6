//! Functions of time.

use super::operators::add_months;
use super::{Context, Function};
use crate::core::types::{Native, duration::Duration};
use crate::error::{CqlError, Result};

const DAY_MS: i64 = 86_400_000;
/// From 1582-10-15 to 1970 in the 100 ns of uuids.
const UUID_EPOCH: i64 = 0x01b2_1dd2_1381_4000;
const TICKS_PER_MS: i64 = 10_000;

/// Days from 1970 to the bytes of a date.
fn date_bytes(days: i64) -> Vec<u8> {
    ((days + (1 << 31)) as u32).to_be_bytes().to_vec()
}

/// Milliseconds since 1970 of a date, a timestamp or a uuid of version 1.
fn milliseconds(native: Native, value: &[u8]) -> Option<i64> {
    match native {
        Native::Date => Some((i64::from(u32::from_be_bytes(value.try_into().ok()?)) - (1 << 31)) * DAY_MS),
        Native::Timestamp => Some(i64::from_be_bytes(value.try_into().ok()?)),
        Native::Timeuuid => {
            let bits = u64::from_be_bytes(*value.first_chunk()?);
            let ticks = (bits << 48 & 0x0FFF_0000_0000_0000) | (bits << 16 & 0xFFFF_0000_0000) | bits >> 32;
            Some((ticks.cast_signed() - UUID_EPOCH).div_euclid(TICKS_PER_MS))
        }
        _ => None,
    }
}

/// A moment of one type as one of another: date, timestamp, or bigint for milliseconds.
pub(super) fn converted(from: Native, to: Native, value: &[u8]) -> Option<Vec<u8>> {
    let milliseconds = milliseconds(from, value)?;
    Some(match to {
        // Towards 1970: the last day before it counts as its first.
        Native::Date => date_bytes(milliseconds / DAY_MS),
        _ => milliseconds.to_be_bytes().to_vec(),
    })
}

/// A uuid of version 1 at so many 100 ns since 1970.
fn timeuuid(ticks: i64, low: u64) -> Vec<u8> {
    let ticks = ticks.wrapping_add(UUID_EPOCH).cast_unsigned() & 0x0FFF_FFFF_FFFF_FFFF;
    let high = ticks << 32 | (ticks >> 16 & 0xFFFF_0000) | 0x1000 | ticks >> 48;
    [high.to_be_bytes(), low.to_be_bytes()].concat()
}

fn now(context: &Context<'_>) -> Vec<u8> {
    let random = (context.random)();
    // The variant of uuids, and the bit that says that the node is made up.
    let low = (random & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0100_0000_0000;
    let within = ((context.random)() % TICKS_PER_MS.unsigned_abs()).cast_signed();
    timeuuid(
        context.now_ms.wrapping_mul(TICKS_PER_MS).wrapping_add(within),
        low,
    )
}

fn uuid(context: &Context<'_>) -> Vec<u8> {
    let high = (context.random)() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000;
    let low = (context.random)() & 0x3FFF_FFFF_FFFF_FFFF | 1 << 63;
    [high.to_be_bytes(), low.to_be_bytes()].concat()
}

/// Functions without arguments are not pure: they give something else each time.
fn made(name: &str, returns: Native, make: fn(&Context<'_>) -> Vec<u8>) -> Vec<Function> {
    let made = Function::scalar(name, Vec::new(), returns, move |_, context| {
        Ok(Some(make(context)))
    });
    vec![Function { pure: false, ..made }]
}

/// The functions of that name.
pub(super) fn candidates(name: &str) -> Vec<Function> {
    match name {
        "uuid" => made(name, Native::Uuid, uuid),
        "now" | "current_timeuuid" | "currenttimeuuid" => made(name, Native::Timeuuid, now),
        "current_timestamp" | "currenttimestamp" => made(name, Native::Timestamp, |context| {
            context.now_ms.to_be_bytes().to_vec()
        }),
        "current_date" | "currentdate" => made(name, Native::Date, |context| {
            date_bytes(context.now_ms.div_euclid(DAY_MS))
        }),
        "current_time" | "currenttime" => made(name, Native::Time, |context| {
            (context.now_ms.rem_euclid(DAY_MS) * 1_000_000)
                .to_be_bytes()
                .to_vec()
        }),
        "to_date" | "todate" => conversions(name, &[Native::Timeuuid, Native::Timestamp], Native::Date),
        "to_timestamp" | "totimestamp" => {
            conversions(name, &[Native::Timeuuid, Native::Date], Native::Timestamp)
        }
        "to_unix_timestamp" | "tounixtimestamp" => conversions(
            name,
            &[Native::Timeuuid, Native::Timestamp, Native::Date],
            Native::Bigint,
        ),
        "min_timeuuid" | "mintimeuuid" => vec![bound(name, 0, 0x8080_8080_8080_8080)],
        "max_timeuuid" | "maxtimeuuid" => vec![bound(name, TICKS_PER_MS - 1, 0x7f7f_7f7f_7f7f_7f7f)],
        "floor" => floors(),
        _ => Vec::new(),
    }
}

fn conversions(name: &str, from: &[Native], to: Native) -> Vec<Function> {
    from.iter()
        .copied()
        .map(|from| Function::of_one(name, from, to, move |x| Ok(converted(from, to, x))))
        .collect()
}

/// The first or last timeuuid of a millisecond.
fn bound(name: &str, ticks: i64, low: u64) -> Function {
    Function::of_one(name, Native::Timestamp, Native::Timeuuid, move |value| {
        let milliseconds = milliseconds(Native::Timestamp, value);
        Ok(milliseconds.map(|ms| timeuuid(ms.wrapping_mul(TICKS_PER_MS).wrapping_add(ticks), low)))
    })
}

fn floors() -> Vec<Function> {
    let floor = |of: Native, start: Option<Native>, returns: Native| {
        let arguments = [Some(of), Some(Native::Duration), start].into_iter().flatten();
        Function::scalar(
            "floor",
            arguments.map(Into::into).collect(),
            returns,
            move |arguments, _| {
                let (Some(Some(value)), Some(Some(by))) = (arguments.first(), arguments.get(1)) else {
                    return Ok(None);
                };
                let start = match (start, arguments.get(2)) {
                    (Some(start), Some(Some(value))) => milliseconds(start, value),
                    (Some(_), _) => None,
                    (None, _) => Some(0),
                };
                match (Duration::of(by), start) {
                    (Some(by), Some(start)) => floor_of(of, value, by, start, returns),
                    _ => Ok(None),
                }
            },
        )
    };
    vec![
        floor(Native::Timestamp, None, Native::Timestamp),
        floor(Native::Timestamp, Some(Native::Timestamp), Native::Timestamp),
        floor(Native::Timeuuid, None, Native::Timestamp),
        floor(Native::Timeuuid, Some(Native::Timestamp), Native::Timestamp),
        floor(Native::Date, None, Native::Date),
        floor(Native::Date, Some(Native::Date), Native::Date),
        floor(Native::Time, None, Native::Time),
    ]
}

fn floor_of(of: Native, value: &[u8], by: Duration, start: i64, returns: Native) -> Result<Option<Vec<u8>>> {
    let refused = |message: String| Err(CqlError::Invalid(message));
    match of {
        Native::Date if by.nanoseconds != 0 => {
            return refused(format!(
                "The floor on date values cannot be computed for the {by} duration as precision is below 1 day"
            ));
        }
        Native::Timestamp | Native::Timeuuid if by.nanoseconds % 1_000_000 != 0 => {
            return refused(format!(
                "The floor cannot be computed for the {by} duration as precision is below 1 millisecond"
            ));
        }
        _ => {}
    }
    let negative = by.months < 0 || by.days < 0 || by.nanoseconds < 0;
    let refuse_negative = || refused("Negative durations are not supported by the floor function".into());
    if of == Native::Time {
        if negative {
            return refuse_negative();
        }
        if by.months != 0 || by.days != 0 || by.nanoseconds > DAY_MS * 1_000_000 {
            return refused(
                "For time values, the floor can only be computed for durations smaller that a day".into(),
            );
        }
        let Ok(time) = value.try_into().map(i64::from_be_bytes) else {
            return Ok(None);
        };
        return Ok(Some(
            (time - time.checked_rem(by.nanoseconds).unwrap_or(0))
                .to_be_bytes()
                .to_vec(),
        ));
    }
    let Some(time) = milliseconds(of, value) else {
        return Ok(None);
    };
    if start > time {
        return refused("The floor function starting time is greater than the provided time".into());
    }
    if negative {
        return refuse_negative();
    }
    let floor = if by.months == 0 {
        even_floor(time, by, start)
    } else {
        calendar_floor(time, by, start)
    };
    Ok(Some(if returns == Native::Date {
        date_bytes(floor.div_euclid(DAY_MS))
    } else {
        floor.to_be_bytes().to_vec()
    }))
}

/// Steps of equal length.
fn even_floor(time: i64, by: Duration, start: i64) -> i64 {
    let step = i64::from(by.days) * DAY_MS + by.nanoseconds / 1_000_000;
    time.wrapping_sub(start)
        .checked_rem(step)
        .map_or(time, |over| time - over)
}

/// The greatest number of steps that does not go beyond `time`, found by halving.
fn calendar_floor(time: i64, by: Duration, start: i64) -> i64 {
    let after = |steps: i64| {
        let days = add_months(start.div_euclid(DAY_MS), steps * i64::from(by.months));
        let step = i64::from(by.days) * DAY_MS + by.nanoseconds / 1_000_000;
        days.saturating_mul(DAY_MS)
            .saturating_add(start.rem_euclid(DAY_MS))
            .saturating_add(steps.saturating_mul(step))
    };
    let shortest_month = 28 * DAY_MS;
    let (mut low, mut high) = (
        0,
        time.saturating_sub(start) / shortest_month / i64::from(by.months) + 1,
    );
    while low < high {
        let middle = (low + high + 1) / 2;
        if after(middle) <= time {
            low = middle
        } else {
            high = middle - 1
        }
    }
    after(low)
}
