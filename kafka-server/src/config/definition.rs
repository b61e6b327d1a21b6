//! What a configuration key is: its type, its default, and which values it takes.

use std::str::FromStr;

/// The type of a key's value, as DescribeConfigs names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

impl Type {
    /// The number on the wire.
    pub(crate) fn code(self) -> i8 {
        match self {
            Type::Boolean => 1,
            Type::String => 2,
            Type::Int => 3,
            Type::Short => 4,
            Type::Long => 5,
            Type::Double => 6,
            Type::List => 7,
            Type::Class => 8,
            Type::Password => 9,
        }
    }

    /// As the original's texts name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Type::Boolean => "BOOLEAN",
            Type::String => "STRING",
            Type::Int => "INT",
            Type::Short => "SHORT",
            Type::Long => "LONG",
            Type::Double => "DOUBLE",
            Type::List => "LIST",
            Type::Class => "CLASS",
            Type::Password => "PASSWORD",
        }
    }
}

/// Which values of its type a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Check {
    /// Every one.
    Any,
    /// At least this number.
    AtLeast(i64),
    /// Between these numbers, both included.
    Between(i64, i64),
    /// Between the first two numbers, or the third.
    BetweenOr(i64, i64, i64),
    /// One of these words (separated by `|`), or for a list, only these.
    OneOf(&'static str),
    /// `*`, or pairs of partition and broker.
    Replicas,
    /// Where a share group starts: `earliest`, `latest` or `by_duration:` and an ISO 8601 duration.
    OffsetReset,
}

/// One configuration key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Definition {
    /// Its name.
    pub(crate) name: &'static str,
    /// Type of its value.
    pub(crate) kind: Type,
    /// Its value where nobody says; `None` where it then has none.
    pub(crate) default: Option<&'static str>,
    /// Which values it takes.
    pub(crate) check: Check,
    /// What it does, for people.
    pub(crate) documentation: &'static str,
}

impl Definition {
    /// A key that has a default.
    pub(crate) const fn new(
        name: &'static str,
        kind: Type,
        default: &'static str,
        check: Check,
        documentation: &'static str,
    ) -> Self {
        Definition {
            name,
            kind,
            default: Some(default),
            check,
            documentation,
        }
    }

    /// Whether `value` is one this key takes. Otherwise what is wrong with it, in the words of Kafka.
    pub(crate) fn validate(&self, value: &str) -> Result<(), String> {
        let trimmed = value.trim();
        let wrong = |why: String| invalid(value, self.name, &why);
        match self.kind {
            Type::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "false" => Ok(()),
                _ => Err(wrong("Expected value to be either true or false".to_owned())),
            },
            Type::Int | Type::Short | Type::Long => {
                let (min, max) = self.range();
                let number = trimmed.parse::<i64>().ok().filter(|n| (min..=max).contains(n));
                let number =
                    number.ok_or_else(|| wrong(format!("Not a number of type {}", self.kind.name())))?;
                self.bounds(number as f64).map_err(wrong)
            }
            Type::Double => {
                let number: Option<f64> = trimmed.parse().ok();
                let number = number.ok_or_else(|| wrong("Not a number of type DOUBLE".to_owned()))?;
                self.bounds(number).map_err(wrong)
            }
            Type::List => self.validate_list(value),
            Type::String | Type::Class | Type::Password => self.validate_word(trimmed),
        }
    }

    fn range(&self) -> (i64, i64) {
        match self.kind {
            Type::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
            Type::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        }
    }

    fn bounds(&self, number: f64) -> Result<(), String> {
        let (min, max) = match self.check {
            Check::AtLeast(min) => (min, i64::MAX),
            Check::Between(min, max) => (min, max),
            Check::BetweenOr(min, max, or) => {
                let inside = (min as f64..=max as f64).contains(&number) || number == or as f64;
                let why = || format!("Value must be between {min} and {max} or equal to {or}");
                return if inside { Ok(()) } else { Err(why()) };
            }
            _ => return Ok(()),
        };
        if number < min as f64 {
            Err(format!("Value must be at least {min}"))
        } else if number > max as f64 {
            Err(format!("Value must be no more than {max}"))
        } else {
            Ok(())
        }
    }

    fn validate_list(&self, value: &str) -> Result<(), String> {
        match self.check {
            Check::OneOf(words) => {
                match items(value).find(|item| !words.split('|').any(|word| word == *item)) {
                    Some(item) => Err(invalid(item, self.name, &one_of(words))),
                    None => Ok(()),
                }
            }
            Check::Replicas if !replicas(value) => {
                let items: Vec<_> = items(value).collect();
                let why = format!(
                    "{} must be the literal '*' or a list of replicas in the following format: \
                     [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                    self.name
                );
                Err(invalid(&format!("[{}]", items.join(", ")), self.name, &why))
            }
            _ => Ok(()),
        }
    }

    fn validate_word(&self, value: &str) -> Result<(), String> {
        match self.check {
            Check::OneOf(words) if !words.split('|').any(|word| word == value) => {
                Err(invalid(value, self.name, &one_of(words)))
            }
            Check::OffsetReset if !offset_reset(value) => {
                let why = format!(
                    "Invalid value `{value}` for configuration {}. The value must be either 'earliest', \
                     'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.",
                    self.name
                );
                Err(invalid(value, self.name, &why))
            }
            _ => Ok(()),
        }
    }

    /// `value` as it is shown.
    pub(crate) fn canonical(&self, value: &str) -> String {
        match self.kind {
            Type::Boolean => value.trim().to_ascii_lowercase(),
            _ => value.trim().to_owned(),
        }
    }

    /// Whether its value is never shown.
    pub(crate) fn sensitive(&self) -> bool {
        self.kind == Type::Password
    }
}

/// A value as Kafka reads it: blanks around it do not count, nor does the case of `true` and `false`.
pub(crate) fn read<T: FromStr>(value: &str) -> Option<T> {
    let value = value.trim();
    let as_written = value.parse().ok();
    as_written.or_else(|| value.to_ascii_lowercase().parse().ok())
}

/// The items of a list: separated by commas, with blanks around them taken off. An empty value has none.
pub(crate) fn items(value: &str) -> impl Iterator<Item = &str> {
    let value = value.trim();
    let some = !value.is_empty();
    value.split(',').map(str::trim).filter(move |_| some)
}

fn invalid(value: &str, name: &str, why: &str) -> String {
    format!("Invalid value {value} for configuration {name}: {why}")
}

fn one_of(words: &str) -> String {
    format!("String must be one of: {}", words.replace('|', ", "))
}

fn replicas(value: &str) -> bool {
    let pair = |item: &str| {
        let (partition, broker) = item.split_once(':')?;
        Some(partition.parse::<u32>().is_ok() && broker.parse::<u32>().is_ok())
    };
    value.trim() == "*" || items(value).all(|item| pair(item) == Some(true))
}

fn offset_reset(value: &str) -> bool {
    match value.strip_prefix("by_duration:") {
        Some(duration) => {
            let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'D' | 'T' | 'H' | 'M' | 'S');
            let body = duration.strip_prefix('P').filter(|body| body.chars().all(digits));
            body.is_some_and(|body| body.contains(|c: char| c.is_ascii_digit()))
        }
        None => matches!(value, "earliest" | "latest"),
    }
}

/// The definition of `name` in a table sorted by name.
pub(crate) fn find<'a>(table: &'a [Definition], name: &str) -> Option<&'a Definition> {
    table
        .binary_search_by(|key| key.name.cmp(name))
        .ok()
        .map(|at| &table[at])
}
