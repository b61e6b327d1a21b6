//! Times and sizes as `cassandra.yaml` spells them: a whole number with its unit.

use serde::Deserialize;
use std::time::Duration;

/// `"5000ms"`, `"10s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Period(Duration);

/// `"32MiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Size(usize);

impl Period {
    pub(super) fn get(self) -> Duration {
        self.0
    }
}

impl Size {
    pub(super) fn get(self) -> usize {
        self.0
    }
}

const UNITS_OF_TIME: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const UNITS_OF_SIZE: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A number with one of `units`, in the least of them.
fn read(text: &str, units: &[(&str, u64)]) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = units
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, factor)| factor);
    let value = number.parse().ok().zip(factor);
    let value = value.and_then(|(number, factor): (u64, &u64)| number.checked_mul(*factor));
    value.ok_or_else(|| {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        format!(
            "\"{text}\" is no whole number with one of the units {}",
            names.join(", ")
        )
    })
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        read(&text, &UNITS_OF_TIME).map(|ns| Period(Duration::from_nanos(ns)))
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = read(&text, &UNITS_OF_SIZE)?;
        usize::try_from(bytes)
            .map(Size)
            .map_err(|error| error.to_string())
    }
}
