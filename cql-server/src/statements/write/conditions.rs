//! IF: conditions on what is stored.

use crate::{
    core::{
        schema::{Column, Table},
        types::{CqlType, compare, elements},
    },
    engine::Value,
    error::{CqlError, Result},
    statements::{
        conditions as parsed,
        restrictions::{Cells, Options, contains, existing, holds},
        terms::{Planner, Prepared, Receiver, Values},
    },
    syntax::{Comparison, InValues},
};
use bytes::Bytes;
use std::{cmp::Ordering, sync::Arc};

/// What a write depends on.
#[derive(Debug, Clone, Default)]
pub(crate) enum Conditions {
    #[default]
    None,
    NotExists,
    Exists,
    Columns(Vec<Condition>),
}

/// A condition on a column.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) column: usize,
    part: Part,
    test: Test,
}

#[derive(Debug, Clone)]
enum Part {
    Whole,
    Element(Prepared),
    Field(usize),
}

#[derive(Debug, Clone)]
enum Test {
    Compare(Comparison, Prepared),
    In(Options),
    Contains(Prepared),
    ContainsKey(Prepared),
}

impl Conditions {
    /// Whether there is any.
    pub(crate) fn is_some(&self) -> bool {
        !matches!(self, Conditions::None)
    }

    /// The columns it is about, each once, in order; `None`: the row as such.
    pub(crate) fn columns(&self) -> Option<Vec<usize>> {
        let Conditions::Columns(all) = self else {
            return None;
        };
        let mut columns = Vec::new();
        for condition in all {
            if !columns.contains(&condition.column) {
                columns.push(condition.column);
            }
        }
        Some(columns)
    }

    /// Whether they hold. `row`: its values, and whether it exists.
    pub(crate) fn hold(
        &self,
        table: &Table,
        row: &Cells<'_>,
        exists: bool,
        values: &Values<'_>,
    ) -> Result<bool> {
        match self {
            Conditions::None => Ok(true),
            Conditions::NotExists => Ok(!exists),
            Conditions::Exists => Ok(exists),
            Conditions::Columns(all) => {
                let mut hold = true;
                for condition in all {
                    hold &= condition.holds(table, row, values)?;
                }
                Ok(hold)
            }
        }
    }
}

/// Makes IF ready.
pub(super) fn prepare(
    planner: &mut Planner<'_>,
    table: &Table,
    conditions: &parsed::Conditions,
) -> Result<Conditions> {
    Ok(match conditions {
        parsed::Conditions::None => Conditions::None,
        parsed::Conditions::NotExists => Conditions::NotExists,
        parsed::Conditions::Exists => Conditions::Exists,
        parsed::Conditions::Columns(all) => Conditions::Columns(
            all.iter()
                .map(|one| condition(planner, table, one))
                .collect::<Result<_>>()?,
        ),
    })
}

fn condition(planner: &mut Planner<'_>, table: &Table, condition: &parsed::Condition) -> Result<Condition> {
    let (at, column) = existing(table, &condition.column)?;
    if at < table.partition_key().len() + table.clustering().len() {
        return Err(CqlError::invalid(format!(
            "PRIMARY KEY column '{}' cannot have IF conditions",
            column.name
        )));
    }
    let named = |what: &str, kind: &CqlType| Receiver::new(format!("{what}({})", column.name), kind.clone());
    let (part, receiver) = match &condition.part {
        parsed::Part::Whole => (
            Part::Whole,
            Receiver::new(column.name.clone(), column.kind.clone()),
        ),
        parsed::Part::Element(key) => match &column.kind {
            CqlType::List { of, .. } => {
                let index = named("idx", &CqlType::Native(crate::core::types::Native::Int));
                (Part::Element(planner.term(key, &index)?), named("value", of))
            }
            CqlType::Map { key: of, value, .. } => (
                Part::Element(planner.term(key, &named("key", of))?),
                named("value", value),
            ),
            _ => {
                return Err(CqlError::invalid(format!(
                    "Invalid element access syntax for non-collection column {}",
                    column.name
                )));
            }
        },
        parsed::Part::Field(name) => {
            let CqlType::Udt { of, .. } = &column.kind else {
                return Err(CqlError::invalid(format!(
                    "Cannot access field {name} of non-UDT column {}",
                    column.name
                )));
            };
            let found = of.fields.iter().position(|(field, _)| **field == **name);
            let field = found.ok_or_else(|| {
                CqlError::invalid(format!("Unknown field {name} for column {}", column.name))
            })?;
            let receiver = Receiver::new(format!("{}.{name}", column.name), of.fields[field].1.clone());
            (Part::Field(field), receiver)
        }
    };
    let test = test(planner, column, &condition.test, &receiver)?;
    Ok(Condition {
        column: at,
        part,
        test,
    })
}

fn test(
    planner: &mut Planner<'_>,
    column: &Column,
    test: &parsed::Test,
    receiver: &Receiver,
) -> Result<Test> {
    let named = |what: &str, kind: &CqlType| Receiver::new(format!("{what}({})", column.name), kind.clone());
    let element = || match &column.kind {
        CqlType::List { of, .. } | CqlType::Set { of, .. } => Some((&**of, None)),
        CqlType::Map { key, value, .. } => Some((&**value, Some(&**key))),
        _ => None,
    };
    Ok(match test {
        parsed::Test::Compare(operator, term) => Test::Compare(*operator, planner.term(term, receiver)?),
        parsed::Test::In(InValues::List(terms)) => {
            let terms = terms.iter().map(|term| planner.term(term, receiver));
            Test::In(Options::List(terms.collect::<Result<_>>()?))
        }
        parsed::Test::In(InValues::Marker(marker)) => {
            let list = CqlType::List {
                of: Arc::new(receiver.kind.clone()),
                frozen: true,
            };
            let list = Receiver::new(format!("in({})", receiver.name), list);
            Test::In(Options::Whole(planner.marker(marker, &list)))
        }
        parsed::Test::Contains(term) => match element() {
            Some((of, _)) => Test::Contains(planner.term(term, &named("value", of))?),
            None => {
                return Err(CqlError::invalid(format!(
                    "Cannot use CONTAINS on non-collection column {}",
                    column.name
                )));
            }
        },
        parsed::Test::ContainsKey(term) => match element() {
            Some((_, Some(key))) => Test::ContainsKey(planner.term(term, &named("key", key))?),
            _ => {
                return Err(CqlError::invalid(format!(
                    "Cannot use CONTAINS KEY on non-map column {}",
                    column.name
                )));
            }
        },
    })
}

impl Condition {
    fn holds(&self, table: &Table, row: &Cells<'_>, values: &Values<'_>) -> Result<bool> {
        let column = &table.columns[self.column];
        let stored = row.get(self.column).and_then(Option::as_deref);
        let (kind, found) = match &self.part {
            Part::Whole => (&column.kind, stored),
            Part::Element(key) => {
                let key = match key.evaluate(values)? {
                    Value::Set(key) => key,
                    _ => {
                        return Err(CqlError::invalid(format!(
                            "Invalid null value for {} element access",
                            match column.kind {
                                CqlType::List { .. } => "list",
                                _ => "map",
                            }
                        )));
                    }
                };
                element(&column.kind, stored, &key)?
            }
            Part::Field(field) => match &column.kind {
                CqlType::Udt { of, .. } => (
                    &of.fields[*field].1,
                    stored.and_then(|value| elements::field(value, *field)),
                ),
                other => (other, stored),
            },
        };
        match &self.test {
            Test::Compare(operator, term) => {
                let wanted = given(term.evaluate(values)?)?;
                compared(kind, *operator, found, wanted.as_deref())
            }
            Test::In(options) => {
                let wanted: Vec<Option<Bytes>> = match options {
                    Options::List(terms) => terms
                        .iter()
                        .map(|term| given(term.evaluate(values)?))
                        .collect::<Result<_>>()?,
                    Options::Whole(term) => match given(term.evaluate(values)?)? {
                        Some(list) => elements::elements(&list)
                            .map(|one| Some(list.slice_ref(one)))
                            .collect(),
                        None => return Err(CqlError::invalid("Invalid null list in IN condition")),
                    },
                };
                Ok(wanted.iter().any(|wanted| equal(kind, found, wanted.as_deref())))
            }
            Test::Contains(term) => {
                let wanted = given(term.evaluate(values)?)?;
                Ok(found
                    .zip(wanted)
                    .is_some_and(|(found, wanted)| contains(kind, found, &wanted)))
            }
            Test::ContainsKey(term) => {
                let wanted = given(term.evaluate(values)?)?;
                Ok(match (found, wanted, kind) {
                    (Some(found), Some(wanted), CqlType::Map { key, .. }) => {
                        elements::map_get(key, found, &wanted).is_some()
                    }
                    _ => false,
                })
            }
        }
    }
}

/// An element of a collection, and its type.
fn element<'a>(
    kind: &'a CqlType,
    stored: Option<&'a [u8]>,
    key: &[u8],
) -> Result<(&'a CqlType, Option<&'a [u8]>)> {
    Ok(match kind {
        CqlType::List { of, .. } => {
            let index = key.try_into().map(i32::from_be_bytes).unwrap_or(-1);
            let index = usize::try_from(index)
                .map_err(|_| CqlError::invalid(format!("Invalid negative list index {index}")))?;
            (of, stored.and_then(|value| elements::list_get(value, index)))
        }
        CqlType::Map { key: of, value, .. } => (
            value,
            stored.and_then(|stored| elements::map_get(of, stored, key)),
        ),
        other => (other, None),
    })
}

fn given(value: Value) -> Result<Option<Bytes>> {
    match value {
        Value::Unset => Err(CqlError::invalid("Invalid 'unset' value in condition")),
        value => Ok(value.bytes()),
    }
}

fn is_null(kind: &CqlType, value: Option<&[u8]>) -> bool {
    // Collections that are not frozen do not tell empty from null.
    value.is_none_or(|value| {
        kind.is_multi_cell() && !matches!(kind, CqlType::Udt { .. }) && elements::count(value) == 0
    })
}

fn equal(kind: &CqlType, found: Option<&[u8]>, wanted: Option<&[u8]>) -> bool {
    match (found, wanted) {
        (Some(found), Some(wanted)) => compare(kind, found, wanted).is_eq(),
        (found, wanted) => is_null(kind, found) && is_null(kind, wanted),
    }
}

fn compared(
    kind: &CqlType,
    operator: Comparison,
    found: Option<&[u8]>,
    wanted: Option<&[u8]>,
) -> Result<bool> {
    match operator {
        Comparison::Equal => Ok(equal(kind, found, wanted)),
        Comparison::NotEqual => Ok(!equal(kind, found, wanted)),
        _ => {
            let Some(wanted) = wanted else {
                return Err(CqlError::invalid(format!(
                    "Invalid comparison with null for operator \"{}\"",
                    operator.sign()
                )));
            };
            let order: Option<Ordering> = found.map(|found| compare(kind, found, wanted));
            Ok(order.is_some_and(|order| holds(operator, order)))
        }
    }
}
