//! When a job is due: `R[n]/start/period` of ISO 8601, on the calendar of a time zone.
//!
//! Rooms: `zone` (names of time zones), `text` (the three parts, from text and back). Knows: calendars, time zones,
//! daylight saving. Never: what time it is, or what is due.

mod text;
mod zone;

#[cfg(test)]
mod tests;

use jiff::{Span, Timestamp, Zoned};

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Cannot parse schedule '{0}'")]
pub(crate) struct NoSchedule(pub(crate) String);

/// A repeating interval. Occurrences are counted from its start, so that the end of a month or a change to daylight saving
/// moves one of them and not all that follow.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// How many occurrences there are; `None` where there is no end.
    repeat: Option<u64>,
    start: Zoned,
    period: Span,
    /// The period as it was written.
    period_text: String,
}

impl Schedule {
    /// Reads a schedule. An empty start means a second ago, as the original has it; a zone by name has the last word over
    /// the offset that a start may have.
    pub(crate) fn parse(text: &str, zone: &str, now_ms: i64) -> Result<Self, NoSchedule> {
        let none = || NoSchedule(text.to_owned());
        let mut parts = text.splitn(3, '/');
        let (repeat, start, period_text) = (
            parts.next().ok_or_else(none)?,
            parts.next().ok_or_else(none)?,
            parts.next().ok_or_else(none)?,
        );
        let repeat = text::repeat(repeat).ok_or_else(none)?;
        let start = match start.is_empty() {
            true => {
                let at = Timestamp::from_millisecond(now_ms.saturating_sub(1000)).map_err(|_| none())?;
                at.to_zoned(zone::named_or_utc(zone))
            }
            false => text::start(start, zone).ok_or_else(none)?,
        };
        let period = text::period(period_text).ok_or_else(none)?;
        // A period that goes nowhere, or back, would be due for ever.
        let next = start.checked_add(period).map_err(|_| none())?;
        if next <= start {
            return Err(none());
        }
        let period_text = period_text.to_owned();
        Ok(Schedule {
            repeat,
            start,
            period,
            period_text,
        })
    }

    /// When the occurrence of this number is due, in ms since 1970; the first is 0. `None` where there is none.
    pub(crate) fn due(&self, at: u64) -> Option<i64> {
        self.zoned(at).map(|due| due.timestamp().as_millisecond())
    }

    fn zoned(&self, at: u64) -> Option<Zoned> {
        match self.repeat.is_some_and(|repeat| at >= repeat) {
            true => None,
            false => self.place(at),
        }
    }

    /// Where the occurrence would be, were there one.
    fn place(&self, at: u64) -> Option<Zoned> {
        let periods = i64::try_from(at).ok()?;
        let since = self.period.checked_mul(periods).ok()?;
        self.start.checked_add(since).ok()
    }

    /// When the first occurrence is due, though there may be none.
    pub(crate) fn start_ms(&self) -> i64 {
        self.start.timestamp().as_millisecond()
    }

    /// The first occurrence from `from` on that is not before a time. It may be one that there is not any more.
    pub(crate) fn first_not_before(&self, from: u64, time_ms: i64) -> u64 {
        let early = |at: u64| self.due(at).is_some_and(|due| due < time_ms);
        if !early(from) {
            return from;
        }
        // `low` is early, `high` is not: occurrences come in order, and beyond the last one there is none.
        let (mut low, mut step) = (from, 1_u64);
        while early(low.saturating_add(step)) {
            low = low.saturating_add(step);
            step = step.saturating_mul(2);
        }
        let mut high = low.saturating_add(step);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match early(middle) {
                true => low = middle,
                false => high = middle,
            }
        }
        high
    }

    /// Whether there is no occurrence from this one on.
    pub(crate) fn is_over(&self, at: u64) -> bool {
        self.repeat.is_some_and(|repeat| at >= repeat)
    }

    /// What is left of it from an occurrence on, as text.
    pub(crate) fn rest(&self, at: u64) -> String {
        let repeat = self
            .repeat
            .map_or_else(String::new, |repeat| repeat.saturating_sub(at).to_string());
        let start = self.place(at).unwrap_or_else(|| self.start.clone());
        format!("R{repeat}/{}/{}", text::of_start(&start), self.period_text)
    }
}

/// How long a period is in ms, as it would be from the start of the year 2000 on.
pub(crate) fn period_ms(text: &str) -> Option<i64> {
    let period = text::period(text)?;
    let from = text::start("2000-01-01T00:00:00Z", "")?;
    let to = from.checked_add(period).ok()?;
    Some(to.timestamp().as_millisecond() - from.timestamp().as_millisecond())
}

/// A time as the original writes it: `2014-03-08T16:57:17.507Z`.
pub(crate) fn time_text(time_ms: i64) -> String {
    let time = Timestamp::from_millisecond(time_ms).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A time that was written so, in ms since 1970.
pub(crate) fn time_of(text: &str) -> Option<i64> {
    Some(text::start(text, "")?.timestamp().as_millisecond())
}

/// A time as the history of a job shows it: `03/08/14 16:57:17`.
pub(crate) fn short_time(time_ms: i64) -> String {
    let time = Timestamp::from_millisecond(time_ms).unwrap_or_default();
    time.strftime("%m/%d/%y %H:%M:%S").to_string()
}
