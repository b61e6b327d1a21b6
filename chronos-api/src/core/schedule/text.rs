//! The three parts of a schedule, from text and back.

use super::zone;
use jiff::{
    Span, Zoned,
    civil::{Date, Time},
    tz::TimeZone,
};

/// Characters of a part at the most: nobody needs as many, and what is longer costs more to read.
const PART_CHARS_MAX: usize = 64;

/// `R` or `Rn`. Answers `None` where it is neither, and the number within where there is one.
#[allow(
    clippy::option_option,
    reason = "a schedule without an end is not one that cannot be read"
)]
pub(super) fn repeat(text: &str) -> Option<Option<u64>> {
    let digits = text.strip_prefix('R')?;
    if !digits.bytes().all(|one| one.is_ascii_digit()) {
        return None;
    }
    match digits {
        "" => Some(None),
        digits => digits
            .parse()
            .ok()
            .filter(|repeat| i64::try_from(*repeat).is_ok())
            .map(Some),
    }
}

/// `P1Y2M3W4DT5H6M7.8S`, or part of it.
pub(super) fn period(text: &str) -> Option<Span> {
    if !text.starts_with('P') || text.len() > PART_CHARS_MAX {
        return None;
    }
    text.parse().ok()
}

/// A date, and perhaps a time, and perhaps an offset: `2014-10-10T18:32:00.5+01:00`. Without an offset it is UTC. The date
/// and time are those of the zone, where one is named.
pub(super) fn start(text: &str, zone: &str) -> Option<Zoned> {
    if text.len() > PART_CHARS_MAX {
        return None;
    }
    let (date, time) = match text.split_once('T') {
        Some(parts) => parts,
        None => (text, ""),
    };
    let date: Date = whole_date(date)?.parse().ok()?;
    let (time, own) = with_offset(time)?;
    let time = clock(time)?;
    let zone = match zone.is_empty() {
        true => own,
        false => zone::named_or_utc(zone),
    };
    date.to_datetime(time).to_zoned(zone).ok()
}

/// The day or the month may be left out.
fn whole_date(date: &str) -> Option<String> {
    let parts = date.split('-').count();
    match parts {
        1 if date.len() == 4 => Some(format!("{date}-01-01")),
        2 => Some(format!("{date}-01")),
        3 => Some(date.to_owned()),
        _ => None,
    }
}

fn with_offset(time: &str) -> Option<(&str, TimeZone)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, TimeZone::UTC));
    }
    match time.find(['+', '-']) {
        None => Some((time, TimeZone::UTC)),
        Some(at) => {
            let (time, offset) = time.split_at_checked(at)?;
            Some((time, zone::offset(offset)?))
        }
    }
}

/// `18`, `18:32`, `18:32:00`, `18:32:00.45`.
fn clock(text: &str) -> Option<Time> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some(parts) => parts,
        None => (text, ""),
    };
    let mut numbers = [0_i8; 3];
    let mut given = 0;
    for (at, part) in whole.split(':').filter(|part| !part.is_empty()).enumerate() {
        *numbers.get_mut(at)? = part.parse().ok().filter(|number| *number >= 0)?;
        given = at + 1;
    }
    // A fraction is one of a second here, whatever else ISO 8601 knows.
    if !fraction.is_empty() && (given < 3 || fraction.len() > 9) {
        return None;
    }
    let nanoseconds: i32 = match fraction {
        "" => 0,
        digits if digits.bytes().all(|one| one.is_ascii_digit()) => format!("{digits:0<9}").parse().ok()?,
        _ => return None,
    };
    Time::new(numbers[0], numbers[1], numbers[2], nanoseconds).ok()
}

/// A start as the original writes it: with milliseconds and the offset.
pub(super) fn of_start(start: &Zoned) -> String {
    let whole = start.strftime("%Y-%m-%dT%H:%M:%S.%3f");
    match start.offset().seconds() == 0 {
        true => format!("{whole}Z"),
        false => format!("{whole}{}", start.strftime("%:z")),
    }
}
