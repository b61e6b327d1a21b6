use super::{Options, Restriction, Restrictions, Test, filter::Filter, keys::Keys};
use crate::{
    core::{
        schema::Table,
        types::{compare, elements, ordered, token},
    },
    engine::Value,
    error::{CqlError, Result},
    state::rows::PARTITION_KEY_BYTES_MAX,
    statements::terms::{Prepared, Values},
    syntax::Comparison,
};
use bytes::Bytes;
use std::ops::Bound;

/// Tokens from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenRange {
    pub(crate) from: Bound<i64>,
    pub(crate) to: Bound<i64>,
}

/// Which partitions a statement is about.
#[derive(Debug, Clone)]
pub(crate) enum Partitions {
    Keys(Keys),
    Range(TokenRange),
}

impl Partitions {
    /// Their keys, where they are given by them.
    pub(crate) fn keys(&self) -> Option<&Keys> {
        match self {
            Partitions::Keys(keys) => Some(keys),
            Partitions::Range(_) => None,
        }
    }
}

impl Restrictions {
    /// The partitions, with the markers bound.
    pub(crate) fn partitions(&self, table: &Table, values: &Values<'_>) -> Result<Partitions> {
        if !self.by_key {
            return Ok(Partitions::Range(self.token_range(values)?));
        }
        let keys = self.keys(table, values)?;
        if self.token.is_empty() {
            return Ok(Partitions::Keys(keys));
        }
        let range = self.token_range(values)?;
        Ok(Partitions::Keys(keys.within(range.from, range.to)))
    }

    /// The keys of partitions that are given by them.
    fn keys(&self, table: &Table, values: &Values<'_>) -> Result<Keys> {
        // Nearly always: one column, one value.
        if let [
            Restriction {
                test: Test::Equal(term),
                ..
            },
        ] = &self.partition[..]
        {
            let key = required(term.evaluate(values)?, &table.columns[0].name)?;
            return Ok(Keys::one(checked(key)?));
        }
        let mut choices: Vec<Vec<Bytes>> = Vec::with_capacity(self.partition.len());
        let mut longest = Vec::with_capacity(self.partition.len());
        for restriction in &self.partition {
            let column = &table.columns[restriction.columns[0]];
            let options = restriction.options(table, values)?;
            let mut options: Vec<Bytes> = options.into_iter().flatten().collect();
            options.sort_by(|a, b| compare(&column.kind, a, b));
            options.dedup();
            longest.extend(options.iter().max_by_key(|option| option.len()).cloned());
            choices.push(options);
        }
        // Where the longest of them may be stored, and no single one is empty, all may.
        match (&choices[..], &longest[..]) {
            ([options], _) => options
                .iter()
                .cloned()
                .try_for_each(|key| checked(key).map(drop))?,
            (_, longest) if longest.len() == choices.len() => {
                checked(token::partition_key(longest).into())?;
            }
            _ => {}
        }
        Ok(Keys::of(choices))
    }

    fn token_range(&self, values: &Values<'_>) -> Result<TokenRange> {
        let mut range = TokenRange {
            from: Bound::Unbounded,
            to: Bound::Unbounded,
        };
        for (operator, term) in &self.token {
            let value = required(term.evaluate(values)?, "partition key token")?;
            let token = i64::from_be_bytes(value[..].try_into().map_err(|_| {
                CqlError::invalid("Invalid null value in condition for column partition key token")
            })?);
            match operator {
                Comparison::Equal => {
                    range = TokenRange {
                        from: Bound::Included(token),
                        to: Bound::Included(token),
                    };
                }
                Comparison::Greater => range.from = Bound::Excluded(token),
                Comparison::GreaterOrEqual => range.from = Bound::Included(token),
                // The least token as an upper end closes the ring.
                _ if token == i64::MIN => {}
                Comparison::Less => range.to = Bound::Excluded(token),
                Comparison::LessOrEqual | Comparison::NotEqual => range.to = Bound::Included(token),
            }
        }
        Ok(range)
    }

    /// All that they ask for, as tests.
    pub(crate) fn tests(&self, table: &Table, values: &Values<'_>) -> Result<Filter> {
        let all = [&self.partition[..], &self.clustering, &self.filters].concat();
        Filter::bind(&all, table, values)
    }

    /// What is tested on each row, with the markers bound.
    pub(crate) fn filter(&self, table: &Table, values: &Values<'_>) -> Result<Filter> {
        Filter::bind(&self.filters, table, values)
    }
}

impl Restriction {
    /// The values it allows, each with as many parts as it has columns.
    pub(super) fn options(&self, table: &Table, values: &Values<'_>) -> Result<Vec<Vec<Bytes>>> {
        let name = &table.columns[self.columns[0]].name;
        let one = |term: &Prepared| self.parts(table, required(term.evaluate(values)?, name)?);
        match &self.test {
            Test::Equal(term) => Ok(vec![one(term)?]),
            Test::In(Options::List(terms)) => terms.iter().map(one).collect(),
            Test::In(Options::Whole(term)) => match term.evaluate(values)? {
                Value::Set(list) => elements::elements(&list)
                    .map(|element| self.parts(table, list.slice_ref(element)))
                    .collect(),
                Value::Null => Err(CqlError::invalid(format!("Invalid null value for column {name}"))),
                Value::Unset => Err(CqlError::invalid(format!(
                    "Invalid unset value for column {name}"
                ))),
            },
            _ => Ok(Vec::new()),
        }
    }

    /// How many values it allows, whether they are the same or not; a slice counts as one.
    pub(crate) fn width(&self, table: &Table, values: &Values<'_>) -> Result<usize> {
        match &self.test {
            Test::In(_) => Ok(self.options(table, values)?.len()),
            _ => Ok(1),
        }
    }

    /// The value of each column.
    pub(super) fn parts(&self, table: &Table, value: Bytes) -> Result<Vec<Bytes>> {
        if !self.is_tuple {
            return Ok(vec![value]);
        }
        let mut parts = Vec::with_capacity(self.columns.len());
        // A bound of a slice may have fewer parts than another bound of it.
        for (at, field) in self.columns.iter().zip(elements::fields(&value)) {
            let null = || {
                CqlError::invalid(format!(
                    "Invalid null value for column {}",
                    table.columns[*at].name
                ))
            };
            parts.push(value.slice_ref(field.ok_or_else(null)?));
        }
        Ok(parts)
    }
}

/// A value where null is none.
pub(super) fn required(value: Value, column: &str) -> Result<Bytes> {
    match value {
        Value::Set(bytes) => Ok(bytes),
        Value::Null => Err(CqlError::invalid(format!(
            "Invalid null value in condition for column {column}"
        ))),
        Value::Unset => Err(CqlError::invalid(format!(
            "Invalid unset value for column {column}"
        ))),
    }
}

/// A partition key that may be stored.
pub(crate) fn checked(key: Bytes) -> Result<Bytes> {
    if key.is_empty() {
        return Err(CqlError::invalid("Key may not be empty"));
    }
    check_length(key.len())?;
    Ok(key)
}

/// Positions are keys too: what counts are their values together, as clients sent them.
pub(crate) fn checked_position(table: &Table, mut position: &[u8]) -> Result<()> {
    // Encoded, values are hardly ever shorter.
    if position.len() <= PARTITION_KEY_BYTES_MAX {
        return Ok(());
    }
    let mut values = Vec::new();
    for column in table.clustering() {
        let decoded = ordered::decode(&mut values, &column.kind, column.is_descending(), &mut position);
        if decoded.is_err() || position.is_empty() {
            break;
        }
    }
    check_length(values.len())
}

fn check_length(bytes: usize) -> Result<()> {
    if bytes > PARTITION_KEY_BYTES_MAX {
        return Err(CqlError::invalid(format!(
            "Key length of {bytes} is longer than maximum of {PARTITION_KEY_BYTES_MAX}"
        )));
    }
    Ok(())
}
