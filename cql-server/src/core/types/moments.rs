//! Dates, times of day and timestamps, as text and back; the proleptic Gregorian calendar in UTC.

use crate::error::{CqlError, Result};

const DAY_MS: i64 = 86_400_000;
const DAY_NS: i64 = 86_400_000_000_000;
/// The bytes of a date count days from the one that lies so many days before 1970.
const DATE_ZERO: i64 = 1 << 31;

/// Days from 1970-01-01 to a date. Years are counted from March on, so that the leap day is the last.
pub(crate) fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (i64::from(month) + 9).rem_euclid(12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day, so many days from 1970-01-01.
pub(crate) fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month as u32, day as u32)
}

/// The days of a month.
pub(crate) fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A year has four digits; beyond them it has a sign.
fn year_text(year: i64) -> String {
    match year {
        10_000.. => format!("+{year}"),
        0..10_000 => format!("{year:04}"),
        _ => format!("-{:04}", -year),
    }
}

/// The text of a date's four bytes.
pub(crate) fn date_text(value: u32) -> String {
    let (year, month, day) = date_of(i64::from(value) - DATE_ZERO);
    format!("{}-{month:02}-{day:02}", year_text(year))
}

/// The text of a timestamp, with `T` or a space between date and time. Years before 1 show without their era.
pub(crate) fn timestamp_text(milliseconds: i64, between: char) -> String {
    let (year, month, day) = date_of(milliseconds.div_euclid(DAY_MS));
    let year = year_text(if year <= 0 { 1 - year } else { year });
    let rest = milliseconds.rem_euclid(DAY_MS);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!(
        "{year}-{month:02}-{day:02}{between}{hours:02}:{minutes:02}:{seconds:02}.{:03}Z",
        rest % 1000
    )
}

/// The text of a time of day in nanoseconds.
pub(crate) fn time_text(nanoseconds: i64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{:09}",
        seconds % 60,
        nanoseconds % 1_000_000_000
    )
}

/// Whether the original takes a text for a number, not for a date.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a date: `yyyy-mm-dd`, or the number of its bytes.
pub(crate) fn parse_date(text: &str) -> Result<u32> {
    if is_number(text) {
        let wrong = |_| CqlError::invalid(format!("Unable to make unsigned int (for date) from: '{text}'"));
        return text.parse().map_err(wrong);
    }
    let wrong = || CqlError::invalid(format!("Unable to coerce '{text}' to a formatted date (long)"));
    let (year, month, day) = iso_date(text).ok_or_else(wrong)?;
    if day > days_in(year, month) {
        return Err(wrong());
    }
    u32::try_from(days_of(year, month, day) + DATE_ZERO).map_err(|_| {
        let (side, bound) = if year < 0 {
            ("less than min", "-5877641-06-23T00:00Z")
        } else {
            ("greater than max", "+5881580-07-11T00:00Z")
        };
        CqlError::invalid(format!("Input date {text} is {side} supported date {bound}"))
    })
}

/// Year of four digits, or of more behind a sign; month and day of two.
fn iso_date(text: &str) -> Option<(i64, u32, u32)> {
    let (sign, rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.chars().next(), rest),
        None => (None, text),
    };
    let mut parts = rest.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = if sign == Some('+') {
        5..=9
    } else {
        4..=if sign.is_some() { 9 } else { 4 }
    };
    if !digits.contains(&year.len()) || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    let year = if sign == Some('-') { -year } else { year };
    date_parts(year, month, day)
}

fn date_parts(year: i64, month: i64, day: i64) -> Option<(i64, u32, u32)> {
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month as u32, day as u32))
}

/// Nothing but digits, and not too many.
fn number(digits: &str) -> Option<i64> {
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Reads a time of day: `hh:mm:ss` with a fraction, or nanoseconds.
pub(crate) fn parse_time(text: &str) -> Result<i64> {
    if is_number(text) {
        let wrong = || CqlError::invalid(format!("Unable to make long (for time) from: '{text}'"));
        return text
            .parse()
            .ok()
            .filter(|time| (0..DAY_NS).contains(time))
            .ok_or_else(wrong);
    }
    let wrong = || {
        CqlError::invalid(format!(
            "(TimeType) Unable to coerce '{text}' to a formatted time (long)"
        ))
    };
    clock_time(text.trim()).ok_or_else(wrong)
}

fn clock_time(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let (hours, minutes, seconds) = (number(parts.next()?)?, number(parts.next()?)?, parts.next()?);
    let (seconds, fraction) = match seconds.split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction_of(fraction).filter(|_| !fraction.is_empty())?),
        None => (seconds, 0),
    };
    let seconds = number(seconds)?;
    (hours < 24 && minutes < 60 && seconds < 60)
        .then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + fraction)
}

/// Nanoseconds of the digits behind a point: at most nine.
fn fraction_of(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return Some(0);
    }
    (digits.len() <= 9).then(|| number(&format!("{digits:0<9}")))?
}

/// Reads a timestamp: milliseconds, a date, or a date and a time; with an offset, `Z`, UTC or GMT, else in UTC.
pub(crate) fn parse_timestamp(text: &str) -> Result<i64> {
    if is_number(text) {
        let wrong = |_| CqlError::invalid(format!("Unable to make long (for date) from: '{text}'"));
        return text.parse().map_err(wrong);
    }
    date_and_time(text).ok_or_else(|| CqlError::invalid(format!("Unable to parse a date/time from '{text}'")))
}

fn date_and_time(text: &str) -> Option<i64> {
    // Behind the sign of a year, the date is what stands before the third dash, blank or other sign.
    let start = usize::from(text.starts_with(['-', '+']));
    let mut dashes = 0;
    let end = text[start..].find(|c: char| {
        dashes += i32::from(c == '-');
        !(c.is_ascii_digit() || c == '-') || dashes == 3
    });
    let (date, rest) = text.split_at(end.map_or(text.len(), |end| end + start));
    if let Some((time, zone)) = rest.strip_prefix(['T', ' ']).and_then(time_and_zone) {
        let mut parts = date.splitn(3, '-');
        let (year, month, day) = (
            number(parts.next()?)?,
            number(parts.next()?)?,
            number(parts.next()?)?,
        );
        let date = date_parts(year, month, day).filter(|_| (1..1_000_000_000).contains(&year))?;
        return timestamp(date, time, zone);
    }
    timestamp(iso_date(date)?, 0, zone_offset(rest)?)
}

fn timestamp((year, month, day): (i64, u32, u32), time_ms: i64, offset_ms: i64) -> Option<i64> {
    // A day that its month does not have is the last one that it has.
    let day = day.min(days_in(year, month));
    days_of(year, month, day)
        .checked_mul(DAY_MS)?
        .checked_add(time_ms - offset_ms)
}

/// Milliseconds of the day, and the offset of what stands behind them.
fn time_and_zone(text: &str) -> Option<(i64, i64)> {
    let (hours, rest) = text.split_once(':')?;
    let hours = number(hours).filter(|_| hours.len() <= 2)?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (minutes, mut rest) = rest.split_at(digits(rest));
    let minutes = number(minutes)?;
    let (mut seconds, mut nanoseconds) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        let (found, after) = after.split_at(digits(after));
        seconds = number(found)?;
        rest = after;
        if let Some(after) = rest.strip_prefix('.') {
            let (fraction, after) = after.split_at(digits(after));
            nanoseconds = fraction_of(fraction)?;
            rest = after;
        }
    }
    let midnight = hours == 24 && minutes == 0 && seconds == 0 && nanoseconds == 0;
    let on_the_clock = hours < 24 && minutes < 60 && seconds < 60;
    let time = ((hours * 60 + minutes) * 60 + seconds) * 1000 + nanoseconds / 1_000_000;
    (midnight || on_the_clock).then_some((time, zone_offset(rest)?))
}

/// Milliseconds that a zone is ahead of UTC. Names of zones other than these would need their history.
fn zone_offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | " Z" | " UTC" | " GMT" | " UT") {
        return Some(0);
    }
    let zone = zone.strip_prefix(' ').unwrap_or(zone);
    let digits = zone.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    if hours.len() != 2 {
        return None;
    }
    let offset = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
    let offset = if zone.starts_with('-') { -offset } else { offset };
    (offset.abs() <= 18 * 60).then_some(offset * 60_000)
}
