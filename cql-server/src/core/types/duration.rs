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

const NANOS_PER_HOUR: i64 = 3_600_000_000_000;

/// Units, greatest first: symbol, name, and what one of it is.
const UNITS: [(&str, &str, Part, i64); 10] = [
    ("y", "years", Part::Months, 12),
    ("mo", "months", Part::Months, 1),
    ("w", "weeks", Part::Days, 7),
    ("d", "days", Part::Days, 1),
    ("h", "hours", Part::Nanoseconds, NANOS_PER_HOUR),
    ("m", "minutes", Part::Nanoseconds, NANOS_PER_HOUR / 60),
    ("s", "seconds", Part::Nanoseconds, 1_000_000_000),
    ("ms", "milliseconds", Part::Nanoseconds, 1_000_000),
    ("us", "microseconds", Part::Nanoseconds, 1000),
    ("ns", "nanoseconds", Part::Nanoseconds, 1),
];

#[derive(Debug, Clone, Copy)]
enum Part {
    Months,
    Days,
    Nanoseconds,
}

/// Adds units, each smaller than the one before.
#[derive(Default)]
struct Builder {
    parts: [i64; 3],
    last: Option<usize>,
}

impl Builder {
    fn add(&mut self, unit: usize, digits: &str) -> Result<()> {
        let Some((_, name, part, size)) = UNITS.get(unit) else {
            return Err(CqlError::invalid(format!("Unknown duration symbol '{digits}'")));
        };
        let number: i64 = digits
            .parse()
            .map_err(|_| CqlError::Server(format!("For input string: \"{digits}\"")))?;
        if let Some(last) = self.last.filter(|last| *last >= unit) {
            return Err(CqlError::Invalid(if last == unit {
                format!("Invalid duration. The {name} are specified multiple times")
            } else {
                format!("Invalid duration. The {} should be after {name}", UNITS[last].1)
            }));
        }
        self.last = Some(unit);
        let (what, max) = match part {
            Part::Months => ("months", i64::from(i32::MAX)),
            Part::Days => ("days", i64::from(i32::MAX)),
            Part::Nanoseconds => ("nanoseconds", i64::MAX),
        };
        let so_far = &mut self.parts[*part as usize];
        if number > (max - *so_far) / size {
            // The original names this limit for nanoseconds too.
            return Err(CqlError::Invalid(format!(
                "Invalid duration. The total number of {what} must be less or equal to {}",
                i32::MAX
            )));
        }
        *so_far += number * size;
        Ok(())
    }

    fn finish(self, negative: bool) -> Duration {
        let [months, days, nanoseconds] = self.parts.map(|part| if negative { -part } else { part });
        // Each part was held within its own limit.
        Duration {
            months: months as i32,
            days: days as i32,
            nanoseconds,
        }
    }
}

/// Reads `1y2mo3d`, `P1Y2M3DT4H`, `P1W` or `P0001-02-03T04:05:06`, with or without a sign.
pub(crate) fn parse(text: &str) -> Result<Duration> {
    let (source, negative) = text
        .strip_prefix('-')
        .map_or((text, false), |source| (source, true));
    let mut builder = Builder::default();
    let read = match source.strip_prefix('P') {
        None if source.is_empty() => None,
        None => units(&mut builder, source, |symbol| {
            UNITS
                .iter()
                .position(|unit| unit.0.eq_ignore_ascii_case(symbol) || unit.0 == "us" && is_micro(symbol))
        })?,
        Some(iso) if iso.contains('-') => fixed_width(&mut builder, iso)?,
        Some(iso) => iso_units(&mut builder, iso)?,
    };
    read.ok_or_else(|| CqlError::invalid(format!("Unable to convert '{source}' to a duration")))?;
    Ok(builder.finish(negative))
}

fn is_micro(symbol: &str) -> bool {
    symbol == "µs" || symbol == "µS"
}

/// Numbers, each with its symbol; `None` where anything else stands among them.
fn units(
    builder: &mut Builder,
    mut rest: &str,
    unit_of: impl Fn(&str) -> Option<usize>,
) -> Result<Option<()>> {
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let symbol = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (symbol, after) = after.split_at(symbol);
        let (false, Some(unit)) = (number.is_empty(), unit_of(symbol)) else {
            return Ok(None);
        };
        builder.add(unit, number)?;
        rest = after;
    }
    Ok(Some(()))
}

fn iso_units(builder: &mut Builder, iso: &str) -> Result<Option<()>> {
    if let Some(weeks) = iso.strip_suffix('W') {
        let plain = !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
        return if plain {
            builder.add(2, weeks).map(Some)
        } else {
            Ok(None)
        };
    }
    let (date, time) = iso.split_once('T').unwrap_or((iso, ""));
    let of = |symbols: &'static str, first: usize| {
        move |symbol: &str| {
            symbols
                .find(symbol)
                .filter(|_| symbol.len() == 1)
                .map(|at| at + first)
        }
    };
    let date_unit = of("YM", 0);
    let read = units(builder, date, |symbol| {
        if symbol == "D" { Some(3) } else { date_unit(symbol) }
    })?;
    if read.is_none() {
        return Ok(None);
    }
    units(builder, time, of("HMS", 4))
}

/// `yyyy-mm-ddThh:mm:ss`
fn fixed_width(builder: &mut Builder, iso: &str) -> Result<Option<()>> {
    let pattern = "dddd-dd-ddTdd:dd:dd";
    let fits = |(wanted, found): (u8, u8)| {
        if wanted == b'd' {
            found.is_ascii_digit()
        } else {
            found == wanted
        }
    };
    if iso.len() != pattern.len() || !pattern.bytes().zip(iso.bytes()).all(fits) {
        return Ok(None);
    }
    for (unit, digits) in [
        (0, 0..4),
        (1, 5..7),
        (3, 8..10),
        (4, 11..13),
        (5, 14..16),
        (6, 17..19),
    ] {
        builder.add(unit, &iso[digits])?;
    }
    Ok(Some(()))
}

impl std::fmt::Display for Duration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.months < 0 || self.days < 0 || self.nanoseconds < 0 {
            f.write_str("-")?;
        }
        let mut left = [
            u64::from(self.months.unsigned_abs()),
            u64::from(self.days.unsigned_abs()),
            self.nanoseconds.unsigned_abs(),
        ];
        for (symbol, _, part, size) in UNITS.iter().filter(|unit| unit.0 != "w") {
            let (left, size) = (&mut left[*part as usize], size.unsigned_abs());
            if *left >= size {
                write!(f, "{}{symbol}", *left / size)?;
                *left %= size;
            }
        }
        Ok(())
    }
}
