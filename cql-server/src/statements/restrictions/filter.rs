//! Tests on rows that no key answers.

use super::{Options, Restriction, Test, answering};
use crate::{
    core::{
        indexes::Analysis,
        schema::{Index, Table},
        types::{CqlType, compare, elements},
    },
    engine::Value,
    error::{CqlError, Result},
    statements::terms::{Prepared, Values},
    syntax::Comparison,
};
use bytes::Bytes;
use std::{borrow::Cow, cmp::Ordering};

/// A row's values by the positions of their columns in the table.
pub(crate) type Cells<'a> = [Option<Cow<'a, [u8]>>];

/// Tests with their values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    tests: Vec<Bounded>,
}

#[derive(Debug, Clone)]
struct Bounded {
    columns: Vec<usize>,
    bound: Bound,
    /// What the column's index does to values before they are compared; done to those of `bound`.
    analysis: Option<Analysis>,
}

#[derive(Debug, Clone)]
enum Bound {
    /// One of these; each with a part for each column.
    OneOf(Vec<Vec<Bytes>>),
    Slice(Vec<(Comparison, Vec<Bytes>)>),
    Contains(Bytes),
    ContainsKey(Bytes),
    Entry(Bytes, Bytes),
}

impl Filter {
    pub(super) fn bind(restrictions: &[Restriction], table: &Table, values: &Values<'_>) -> Result<Filter> {
        let mut tests = Vec::with_capacity(restrictions.len());
        for restriction in restrictions {
            let name = &table.columns[restriction.columns[0]].name;
            let analysis = answering(table, restriction).and_then(Index::analysis);
            let given = |term: &Prepared| -> Result<Bytes> {
                let value = supported(term.evaluate(values)?, name)?;
                Ok(match analysis {
                    Some(analysis) => Bytes::from(analysis.apply(&value).into_owned()),
                    None => value,
                })
            };
            let parts = |term: &Prepared| restriction.parts(table, given(term)?);
            let bound = match &restriction.test {
                Test::Equal(term) => Bound::OneOf(vec![parts(term)?]),
                Test::In(Options::List(terms)) => {
                    Bound::OneOf(terms.iter().map(parts).collect::<Result<_>>()?)
                }
                Test::In(Options::Whole(_)) => Bound::OneOf(restriction.options(table, values)?),
                Test::Slice(bounds) => Bound::Slice(
                    bounds
                        .iter()
                        .map(|(operator, term)| Ok((*operator, parts(term)?)))
                        .collect::<Result<_>>()?,
                ),
                Test::Contains(term) => Bound::Contains(given(term)?),
                Test::ContainsKey(term) => Bound::ContainsKey(given(term)?),
                Test::Entry(key, value) => Bound::Entry(given(key)?, given(value)?),
            };
            tests.push(Bounded {
                columns: restriction.columns.clone(),
                bound,
                analysis,
            });
        }
        Ok(Filter { tests })
    }

    /// Whether a row passes.
    pub(crate) fn accepts(&self, table: &Table, row: &Cells<'_>) -> bool {
        self.tests.iter().all(|test| test.accepts(table, row))
    }
}

impl Bounded {
    fn accepts(&self, table: &Table, row: &Cells<'_>) -> bool {
        let columns = &self.columns;
        let order = |parts: &Vec<Bytes>| {
            let mut order = Some(Ordering::Equal);
            for (at, part) in columns.iter().zip(parts) {
                if order == Some(Ordering::Equal) {
                    let value = row.get(*at).and_then(Option::as_deref);
                    let value = value.map(|value| self.analysed(value));
                    order = value.map(|value| compare(&table.columns[*at].kind, &value, part));
                }
            }
            order
        };
        let Some(value) = columns
            .first()
            .and_then(|at| row.get(*at))
            .and_then(Option::as_deref)
        else {
            return false;
        };
        let kind = &table.columns[columns[0]].kind;
        match &self.bound {
            Bound::OneOf(options) => options
                .iter()
                .any(|option| order(option) == Some(Ordering::Equal)),
            Bound::Slice(bounds) => bounds
                .iter()
                .all(|(operator, parts)| order(parts).is_some_and(|order| holds(*operator, order))),
            Bound::Contains(wanted) => holds_element(kind, value, |of, element| {
                compare(of, &self.analysed(element), wanted).is_eq()
            }),
            Bound::ContainsKey(key) => match kind {
                CqlType::Map { key: of, .. } => {
                    elements::entries(value).any(|(other, _)| compare(of, &self.analysed(other), key).is_eq())
                }
                _ => false,
            },
            Bound::Entry(key, wanted) => match kind {
                CqlType::Map {
                    key: of, value: held, ..
                } => elements::map_get(of, value, key)
                    .is_some_and(|found| compare(held, found, wanted) == Ordering::Equal),
                _ => false,
            },
        }
    }

    fn analysed<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        match self.analysis {
            Some(analysis) => analysis.apply(value),
            None => Cow::Borrowed(value),
        }
    }
}

/// Whether a collection holds an element, a map a value.
pub(crate) fn contains(kind: &CqlType, value: &[u8], wanted: &[u8]) -> bool {
    holds_element(kind, value, |of, element| compare(of, element, wanted).is_eq())
}

fn holds_element(kind: &CqlType, value: &[u8], is_it: impl Fn(&CqlType, &[u8]) -> bool) -> bool {
    match kind {
        CqlType::List { of, .. } | CqlType::Set { of, .. } => {
            elements::elements(value).any(|element| is_it(of, element))
        }
        CqlType::Map { value: of, .. } => elements::entries(value).any(|(_, element)| is_it(of, element)),
        _ => false,
    }
}

/// Whether a comparison holds between values of that order.
pub(crate) fn holds(operator: Comparison, order: Ordering) -> bool {
    match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

fn supported(value: Value, column: &str) -> Result<Bytes> {
    match value {
        Value::Set(bytes) => Ok(bytes),
        Value::Null => Err(CqlError::invalid(format!(
            "Unsupported null value for column {column}"
        ))),
        Value::Unset => Err(CqlError::invalid(format!(
            "Unsupported unset value for column {column}"
        ))),
    }
}
