//! Values of expressions for a row.

use super::{Expression, Part, Selection};
use crate::{
    core::{
        functions::Accumulator,
        types::{CqlType, compare, elements},
    },
    engine::Value,
    error::Result,
    statements::{
        assemble::{self, Written},
        select::TimeOf,
        terms::{Prepared, Values, build},
    },
};
use std::borrow::Cow;

/// A value of a row, borrowed from it where it is there as it is.
type Shown<'r> = Option<Cow<'r, [u8]>>;

/// What expressions are evaluated on.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub(crate) row: &'s assemble::Values<'s>,
    /// What the aggregates of the selection have given.
    pub(crate) aggregated: &'s [Option<Vec<u8>>],
    pub(crate) values: &'s Values<'s>,
    pub(crate) now: i64,
}

/// The aggregates of a selection on their way over the rows of a group.
pub(crate) struct Aggregation(Vec<Accumulator>);

impl Aggregation {
    pub(crate) fn new(selection: &Selection) -> Self {
        let accumulators = selection.aggregates.iter();
        Aggregation(
            accumulators
                .filter_map(|(function, _)| function.accumulator())
                .collect(),
        )
    }

    /// Takes one more row.
    pub(crate) fn add(&mut self, selection: &Selection, scope: &Scope<'_>) -> Result<()> {
        for (accumulator, (_, arguments)) in self.0.iter_mut().zip(&selection.aggregates) {
            match arguments.first() {
                Some(argument) => accumulator.add(argument.evaluate(scope)?.as_deref()),
                None => accumulator.add(None),
            }
        }
        Ok(())
    }

    pub(crate) fn finish(&self) -> Vec<Option<Vec<u8>>> {
        self.0.iter().map(Accumulator::finish).collect()
    }
}

impl Expression {
    /// Its value for a row.
    pub(crate) fn evaluate<'s>(&'s self, scope: &Scope<'s>) -> Result<Shown<'s>> {
        Ok(match self {
            Expression::Column(at) => scope.row.cells[*at].as_deref().map(Cow::Borrowed),
            Expression::Term(term) => term.bytes(scope.values)?.map(|bytes| Cow::Owned(bytes.to_vec())),
            Expression::Aggregate(at) => scope
                .aggregated
                .get(*at)
                .and_then(Option::as_deref)
                .map(Cow::Borrowed),
            Expression::Call(function, arguments) => {
                let mut found = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    found.push(argument.evaluate(scope)?);
                }
                let found: Vec<Option<&[u8]>> = found.iter().map(Option::as_deref).collect();
                let result =
                    function.call(&found, &scope.values.context(&|| scope.values.random.next_u64()))?;
                result.map(Cow::Owned)
            }
            Expression::Compound(kind, parts) => {
                let mut found = Vec::with_capacity(parts.len());
                for part in parts {
                    let value = part.evaluate(scope)?;
                    found.push(value.map_or(Value::Null, |value| Value::Set(value.into_owned().into())));
                }
                Some(Cow::Owned(build(kind, found)?.to_vec()))
            }
            Expression::Time(kind, at, part) => {
                let found = cells_of(
                    part,
                    scope.row.times.get(*at).map_or(&[], Vec::as_slice),
                    scope.values,
                )?;
                times(*kind, part, found, scope.now)
            }
            Expression::Field(of, field) => {
                self::part(of.evaluate(scope)?, |value| elements::field(value, *field))
            }
            Expression::Element(of, kind, key) => {
                let Some(key) = key.bytes(scope.values)? else {
                    return Ok(None);
                };
                self::part(of.evaluate(scope)?, |value| match kind {
                    CqlType::Map { key: of, .. } => elements::map_get(of, value, &key),
                    CqlType::Set { of, .. } => elements::set_get(of, value, &key),
                    _ => None,
                })
            }
            Expression::Slice(of, kind, from, to) => {
                let (from, to) = (end(from, scope.values)?, end(to, scope.values)?);
                let (from, to) = (from.as_deref(), to.as_deref());
                of.evaluate(scope)?.map(|value| {
                    Cow::Owned(match kind {
                        CqlType::Map { key, .. } => elements::map_slice(key, &value, from, to),
                        CqlType::Set { of, .. } => elements::set_slice(of, &value, from, to),
                        _ => value.into_owned(),
                    })
                })
            }
        })
    }
}

fn end(term: &Option<Prepared>, values: &Values<'_>) -> Result<Option<bytes::Bytes>> {
    term.as_ref().map_or(Ok(None), |term| term.bytes(values))
}

/// A part of a value, borrowed from the row where the value is.
fn part<'r>(value: Shown<'r>, find: impl Fn(&[u8]) -> Option<&[u8]>) -> Shown<'r> {
    match value? {
        Cow::Borrowed(value) => find(value).map(Cow::Borrowed),
        Cow::Owned(value) => find(&value).map(|part| Cow::Owned(part.to_vec())),
    }
}

/// Of the cells of a column those that a part of it is made of. A column of one cell has the same for all of its parts.
fn cells_of<'r>(part: &Part, written: &'r [Written], values: &Values<'_>) -> Result<Vec<&'r Written>> {
    let path = |one: &'r Written| one.path.as_deref();
    let all = written.iter();
    Ok(match part {
        Part::Field(field) => {
            let field = u16::try_from(*field).unwrap_or(u16::MAX).to_be_bytes();
            all.filter(|one| path(one).is_none_or(|path| path == field))
                .collect()
        }
        Part::Element(CqlType::Map { key: of, .. } | CqlType::Set { of, .. }, key) => {
            match key.bytes(values)? {
                Some(key) => all
                    .filter(|one| path(one).is_none_or(|path| compare(of, path, &key).is_eq()))
                    .collect(),
                None => Vec::new(),
            }
        }
        Part::Slice(CqlType::Map { key: of, .. } | CqlType::Set { of, .. }, from, to) => {
            let (from, to) = (end(from, values)?, end(to, values)?);
            let within = |path: &[u8]| {
                from.as_ref().is_none_or(|from| compare(of, path, from).is_ge())
                    && to.as_ref().is_none_or(|to| compare(of, path, to).is_le())
            };
            all.filter(|one| path(one).is_none_or(within)).collect()
        }
        _ => all.collect(),
    })
}

fn times<'r>(kind: TimeOf, part: &Part, written: Vec<&Written>, now: i64) -> Shown<'r> {
    let of_elements = written.first()?.path.is_some();
    let several = of_elements && matches!(part, Part::Whole | Part::Slice(..));
    let left = |one: &&Written| {
        one.expiry
            .map(|expiry| ((expiry.at - now).max(0) as i32).to_be_bytes())
    };
    let stamp = |one: &&Written| one.timestamp.to_be_bytes();
    let found = match (kind, several) {
        (TimeOf::MaxWriteTime, _) => {
            let last = written.iter().map(|one| one.timestamp).max()?;
            last.to_be_bytes().to_vec()
        }
        (TimeOf::WriteTime, false) => stamp(written.first()?).to_vec(),
        (TimeOf::Ttl, false) => left(written.first()?)?.to_vec(),
        (TimeOf::WriteTime, true) => elements::collection(written.iter().map(stamp)),
        (TimeOf::Ttl, true) => {
            // Null among the elements of a list: only the original's TTL of a collection has it.
            let count = i32::try_from(written.len()).unwrap_or(i32::MAX);
            let mut out = count.to_be_bytes().to_vec();
            for one in &written {
                elements::put_value(&mut out, left(one).as_ref().map(|left| &left[..]));
            }
            out
        }
    };
    Some(Cow::Owned(found))
}
