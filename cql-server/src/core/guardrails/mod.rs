//! Guardrails: what whoever runs the server sets for those who use it, as `cassandra.yaml` of 5.0 has it.
//!
//! Knows: every limit with its name, default and texts; what is set. Never: statements, who asks.

mod table;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use table::{Switch, Threshold, Words};
pub(crate) use watch::Watch;

use table::{SWITCHES, THRESHOLDS, Unit, WORDS};

/// What is set. [`Default`] is what the original has by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrails {
    /// In the order of [`THRESHOLDS`].
    limits: [Limit; THRESHOLDS.len()],
    /// In the order of [`SWITCHES`].
    enabled: [bool; SWITCHES.len()],
    /// In the order of [`WORDS`].
    words: [Vec<String>; WORDS.len()],
    /// What the disk is taken to hold at the most, in bytes; `None`: what it holds.
    disk_max: Option<i64>,
}

/// The setting of what the disk is taken to hold.
const DISK_MAX: &str = "data_disk_usage_max_disk_size";

/// Where a warning and where a failure begins; `None`: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Limit {
    pub(crate) warn: Option<i64>,
    pub(crate) fail: Option<i64>,
}

/// A value as a configuration says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A number, size, duration or truth value.
    Text(String),
    /// Words.
    List(Vec<String>),
}

/// Why a setting cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no such setting.
    #[error("unknown field `{0}`")]
    Unknown(String),
    /// It is not set to anything that it can be.
    #[error("{name}: not {expected}: {given:?}")]
    Value {
        /// Its name.
        name: String,
        /// What it may be.
        expected: &'static str,
        /// What was given.
        given: Setting,
    },
}

impl Default for Guardrails {
    fn default() -> Self {
        Guardrails {
            limits: THRESHOLDS.each_ref().map(|line| Limit {
                warn: line.default.0,
                fail: line.default.1,
            }),
            enabled: [true; SWITCHES.len()],
            words: Default::default(),
            disk_max: None,
        }
    }
}

impl Guardrails {
    /// Sets what is called `name` in `cassandra.yaml`.
    pub fn set(&mut self, name: &str, given: Setting) -> Result<(), SettingError> {
        let refused = |expected, given| SettingError::Value {
            name: name.to_owned(),
            expected,
            given,
        };
        for (line, limit) in THRESHOLDS.iter().zip(&mut self.limits) {
            let at = match name {
                _ if name == line.warn_key() => &mut limit.warn,
                _ if name == line.fail_key() => &mut limit.fail,
                _ => continue,
            };
            let read = match &given {
                Setting::Text(text) => line.unit.read(text),
                Setting::List(_) => None,
            };
            *at = read.ok_or_else(|| refused(line.unit.expected(), given))?;
            return Ok(());
        }
        if let Some(at) = SWITCHES.iter().position(|line| line.key == name) {
            self.enabled[at] = match &given {
                Setting::Text(text) => text.parse().ok(),
                Setting::List(_) => None,
            }
            .ok_or_else(|| refused("true or false", given))?;
            return Ok(());
        }
        if name == DISK_MAX {
            let read = match &given {
                Setting::Text(text) => Unit::Bytes.read(text),
                Setting::List(_) => None,
            };
            self.disk_max = read.ok_or_else(|| refused(Unit::Bytes.expected(), given))?;
            return Ok(());
        }
        match (WORDS.iter().position(|line| line.key == name), given) {
            (Some(at), Setting::List(words)) => {
                self.words[at] = words;
                Ok(())
            }
            (Some(_), given) => Err(refused("a list", given)),
            (None, _) => Err(SettingError::Unknown(name.to_owned())),
        }
    }

    /// Every setting by its name, as the original shows it.
    pub fn settings(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let limits = THRESHOLDS.iter().zip(&self.limits).flat_map(|(line, limit)| {
            let keys = [(line.warn_key(), limit.warn), (line.fail_key(), limit.fail)];
            keys.map(|(key, value)| (key, line.unit.show(value)))
        });
        let switches = SWITCHES.iter().zip(&self.enabled);
        let words = WORDS.iter().zip(&self.words);
        limits
            .filter(|(key, _)| key != table::UNKNOWN_KEY)
            .chain(switches.map(|(line, enabled)| (line.key.to_owned(), Some(enabled.to_string()))))
            .chain([(DISK_MAX.to_owned(), Unit::Bytes.show(self.disk_max))])
            .chain(words.map(|(line, words)| (line.key.to_owned(), Some(format!("[{}]", words.join(", "))))))
    }

    /// Whether anything is set that is not told to everybody.
    pub(crate) fn is_default(&self) -> bool {
        *self == Guardrails::default()
    }

    pub(crate) fn limit(&self, threshold: Threshold) -> Limit {
        self.limits[threshold as usize]
    }

    /// Whether anybody is held to what is used of the disk.
    pub(crate) fn limits_disk(&self) -> bool {
        self.limit(Threshold::DiskUsage) != Limit::default()
    }

    /// What the disk is taken to hold at the most, in bytes.
    pub(crate) fn disk_max(&self) -> Option<u64> {
        self.disk_max.and_then(|bytes| u64::try_from(bytes).ok())
    }

    pub(crate) fn is_enabled(&self, switch: Switch) -> bool {
        self.enabled[switch as usize]
    }

    pub(crate) fn words(&self, words: Words) -> &[String] {
        &self.words[words as usize]
    }
}

impl Unit {
    /// Reads a value; the inner `None` switches a limit off.
    fn read(self, text: &str) -> Option<Option<i64>> {
        if self == Unit::Count {
            let count: i64 = text.parse().ok()?;
            return Some(Some(count).filter(|count| *count >= 0));
        }
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match (self, unit) {
            (Unit::Bytes, "B") => 1,
            (Unit::Bytes, "KiB") => 1 << 10,
            (Unit::Bytes, "MiB") => 1 << 20,
            (Unit::Bytes, "GiB") => 1 << 30,
            (Unit::Micros, "us") => 1,
            (Unit::Micros, "ms") => 1_000,
            (Unit::Micros, "s") => 1_000_000,
            (Unit::Micros, "m") => 60_000_000,
            (Unit::Micros, "h") => 3_600_000_000,
            (Unit::Micros, "d") => 86_400_000_000,
            _ => return None,
        };
        number.parse::<i64>().ok()?.checked_mul(factor).map(Some)
    }

    fn expected(self) -> &'static str {
        match self {
            Unit::Count => "a number",
            Unit::Bytes => "a size such as 5KiB",
            Unit::Micros => "a duration such as 1h",
        }
    }

    fn show(self, value: Option<i64>) -> Option<String> {
        match (self, value) {
            (Unit::Count, value) => Some(value.unwrap_or(-1).to_string()),
            (_, None) => None,
            (Unit::Bytes, Some(bytes)) if bytes > 0 && bytes % 1024 == 0 => {
                Some(format!("{}KiB", bytes / 1024))
            }
            (Unit::Bytes, Some(bytes)) => Some(format!("{bytes}B")),
            (Unit::Micros, Some(micros)) => Some(format!("{micros}us")),
        }
    }
}
