//! What SELECT wants of each row: selectors made ready, and the columns of the result.

use super::{Selected, Selector, TimeOf};
use crate::{
    core::{
        schema::Table,
        types::{CqlType, Native, elements, names::quoted},
    },
    engine::ColumnSpec,
    error::{CqlError, Result},
    statements::{
        assemble::{self, Written},
        restrictions::existing,
        terms::{Planner, Prepared, Receiver, Values, shown},
    },
    syntax::Term,
};
use std::{borrow::Cow, sync::Arc};

/// A selector whose type is known.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Column(usize),
    Term(Prepared),
    /// `count(*)`
    CountRows,
    Time(TimeOf, usize),
    Field(Box<Expression>, usize),
    /// An element of a collection of that type.
    Element(Box<Expression>, CqlType, Prepared),
    Slice(Box<Expression>, CqlType, Option<Prepared>, Option<Prepared>),
    Token,
}

/// All that is wanted of a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) expressions: Vec<Expression>,
    pub(crate) with_times: bool,
    /// Whether rows are folded into one.
    pub(crate) is_aggregate: bool,
}

/// A value of a row, borrowed from it where it is there as it is.
type Shown<'r> = Option<Cow<'r, [u8]>>;

/// Makes selectors ready. Also tells the columns of the result.
pub(crate) fn prepare(
    planner: &mut Planner<'_>,
    table: &Table,
    selected: &[Selected],
    distinct: bool,
) -> Result<(Selection, Vec<ColumnSpec>)> {
    let mut selection = Selection::default();
    let mut columns = Vec::new();
    let spec = |name: Arc<str>, kind: CqlType| ColumnSpec {
        keyspace: table.keyspace.clone(),
        table: table.name.clone(),
        name,
        kind,
    };
    if selected.is_empty() {
        for (at, column) in table.columns.iter().enumerate() {
            let wanted = !distinct || at < table.partition_key().len();
            if wanted {
                selection.expressions.push(Expression::Column(at));
                columns.push(spec(column.name.clone(), column.kind.clone()));
            }
        }
        return Ok((selection, columns));
    }
    for one in selected {
        let (expression, kind) = expression(planner, table, &one.selector)?;
        selection.with_times |= matches!(expression, Expression::Time(..));
        selection.is_aggregate |= matches!(expression, Expression::CountRows);
        let name = match &one.alias {
            Some(alias) => Arc::from(alias.as_str()),
            None => Arc::from(name(&one.selector)),
        };
        selection.expressions.push(expression);
        columns.push(spec(name, kind));
    }
    Ok((selection, columns))
}

/// A selector and the type of what it gives.
fn expression(
    planner: &mut Planner<'_>,
    table: &Table,
    selector: &Selector,
) -> Result<(Expression, CqlType)> {
    match selector {
        Selector::Column(name) => {
            let (at, column) = existing(table, name)?;
            Ok((Expression::Column(at), column.kind.clone()))
        }
        Selector::CountRows => Ok((Expression::CountRows, CqlType::Native(Native::Bigint))),
        Selector::Time { kind, of } => time(table, *kind, of),
        Selector::Field { of, field } => {
            let of = expression(planner, table, of)?;
            self::field(table, selector, of, field)
        }
        Selector::Element { of, key } => {
            let (of, kind) = expression(planner, table, of)?;
            let (key_kind, result) = parts(&kind, selector, "element")?;
            let receiver = Receiver::new("", key_kind);
            let key = planner.term(key, &receiver)?;
            Ok((Expression::Element(Box::new(of), kind, key), result))
        }
        Selector::Slice { of, from, to } => {
            let (of, kind) = expression(planner, table, of)?;
            let (key_kind, _) = parts(&kind, selector, "slice")?;
            let receiver = Receiver::new("", key_kind);
            let mut end = |term: &Option<Term>| match term {
                Some(term) => planner.term(term, &receiver).map(Some),
                None => Ok(None),
            };
            let (from, to) = (end(from)?, end(to)?);
            Ok((
                Expression::Slice(Box::new(of), kind.clone(), from, to),
                frozen(kind),
            ))
        }
        Selector::Call { function, arguments } if function.name == "token" && function.keyspace.is_none() => {
            token(table, arguments)
        }
        Selector::Hint { kind, of } => {
            let kind = planner.kind(kind)?;
            match &**of {
                Selector::Term(term) => {
                    let term = planner.term(term, &Receiver::new("[selection]", kind.clone()))?;
                    Ok((Expression::Term(term), kind))
                }
                other => expression(planner, table, other),
            }
        }
        Selector::Term(term) => Err(CqlError::invalid(format!(
            "Cannot infer type for term {} in selection clause (try using a cast to force a type)",
            shown(term)
        ))),
        Selector::Call { function, .. } => Err(CqlError::invalid(format!("Unknown function '{function}'"))),
        _ => Err(CqlError::invalid(format!(
            "Unsupported selector {}",
            name(selector)
        ))),
    }
}

/// `token(partition key)`
fn token(table: &Table, arguments: &[Selector]) -> Result<(Expression, CqlType)> {
    let keys = table
        .partition_key()
        .iter()
        .map(|key| Selector::Column(key.name.to_string()));
    if !arguments.iter().cloned().eq(keys) {
        return Err(CqlError::invalid(
            "The arguments of the token function must be the partition key columns",
        ));
    }
    Ok((Expression::Token, CqlType::Native(Native::Bigint)))
}

/// A field of a user-defined type.
fn field(
    table: &Table,
    selector: &Selector,
    (of, kind): (Expression, CqlType),
    field: &str,
) -> Result<(Expression, CqlType)> {
    let CqlType::Udt { of: user_type, .. } = &kind else {
        return Err(CqlError::invalid(format!(
            "Invalid field selection: {} of type {kind} is not a user type",
            name(selector)
        )));
    };
    let at = user_type.fields.iter().position(|(name, _)| **name == *field);
    let at = at.ok_or_else(|| {
        CqlError::invalid(format!(
            "{} of type {kind} has no field {field}",
            name_of(&of, table)
        ))
    })?;
    let kind = user_type.fields[at].1.clone();
    Ok((Expression::Field(Box::new(of), at), kind))
}

/// The type of keys and of values of a collection.
fn parts(kind: &CqlType, selector: &Selector, what: &str) -> Result<(CqlType, CqlType)> {
    match kind {
        CqlType::Map { key, value, .. } => Ok(((**key).clone(), (**value).clone())),
        CqlType::Set { of, .. } => Ok(((**of).clone(), (**of).clone())),
        _ => Err(CqlError::invalid(format!(
            "Invalid {what} selection: {} of type {kind} is not a collection",
            name(selector)
        ))),
    }
}

fn frozen(kind: CqlType) -> CqlType {
    match kind {
        CqlType::Set { of, .. } => CqlType::Set { of, frozen: true },
        CqlType::Map { key, value, .. } => CqlType::Map {
            key,
            value,
            frozen: true,
        },
        other => other,
    }
}

fn time(table: &Table, kind: TimeOf, of: &Selector) -> Result<(Expression, CqlType)> {
    let what = match kind {
        TimeOf::WriteTime => "writetime",
        TimeOf::MaxWriteTime => "maxwritetime",
        TimeOf::Ttl => "ttl",
    };
    let Selector::Column(column) = of else {
        return Err(CqlError::invalid(format!(
            "Cannot use selection function {what} on {}",
            name(of)
        )));
    };
    let (at, column) = existing(table, column)?;
    if at < table.partition_key().len() + table.clustering().len() {
        return Err(CqlError::invalid(format!(
            "Cannot use selection function {what} on PRIMARY KEY part {}",
            column.name
        )));
    }
    let one = CqlType::Native(if kind == TimeOf::Ttl {
        Native::Int
    } else {
        Native::Bigint
    });
    let result = if column.kind.is_multi_cell() && kind != TimeOf::MaxWriteTime {
        CqlType::List {
            of: Arc::new(one),
            frozen: true,
        }
    } else {
        one
    };
    Ok((Expression::Time(kind, at), result))
}

fn name_of(expression: &Expression, table: &Table) -> String {
    match expression {
        Expression::Column(at) => table.columns[*at].name.to_string(),
        _ => "value".to_owned(),
    }
}

/// What the original calls the column of a selector without an alias.
pub(crate) fn name(selector: &Selector) -> String {
    let all = |selectors: &[Selector]| selectors.iter().map(name).collect::<Vec<_>>().join(", ");
    match selector {
        Selector::Column(name) => name.clone(),
        Selector::Term(term) => shown(term),
        Selector::CountRows => "count".to_owned(),
        Selector::Call { function, arguments } => {
            let keyspace = function.keyspace.as_deref().unwrap_or("system");
            format!("{keyspace}.{}({})", function.name, all(arguments))
        }
        Selector::Time { kind, of } => {
            let what = match kind {
                TimeOf::WriteTime => "writetime",
                TimeOf::MaxWriteTime => "maxwritetime",
                TimeOf::Ttl => "ttl",
            };
            format!("{what}({})", name(of))
        }
        Selector::Cast { of, to } => format!("cast({} as {})", name(of), CqlType::Native(*to)),
        Selector::Hint { of, .. } => name(of),
        Selector::Operation {
            operator,
            left,
            right,
        } => {
            let sign = match operator {
                crate::syntax::Arithmetic::Add => "+",
                crate::syntax::Arithmetic::Subtract => "-",
                crate::syntax::Arithmetic::Multiply => "*",
                crate::syntax::Arithmetic::Divide => "/",
                crate::syntax::Arithmetic::Modulo => "%",
            };
            format!("{} {sign} {}", name(left), name(right))
        }
        Selector::Negation(of) => format!("-{}", name(of)),
        Selector::Field { of, field } => format!("{}.{}", name(of), quoted(field)),
        Selector::Element { of, key } => format!("{}[{}]", name(of), shown(key)),
        Selector::Slice { of, from, to } => {
            let end = |term: &Option<Term>| term.as_ref().map(shown).unwrap_or_default();
            format!("{}[{}..{}]", name(of), end(from), end(to))
        }
        Selector::List(all_of) => format!("[{}]", all(all_of)),
        Selector::Set(all_of) => format!("{{{}}}", all(all_of)),
        Selector::Tuple(all_of) => format!("({})", all(all_of)),
        Selector::MapOrUdt(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", name(key), name(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// What expressions are evaluated on.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub(crate) row: &'s assemble::Values<'s>,
    pub(crate) token: i64,
    /// Rows folded so far.
    pub(crate) rows: i64,
    pub(crate) values: &'s Values<'s>,
    pub(crate) now: i64,
}

impl Expression {
    /// Its value for a row.
    pub(crate) fn evaluate<'s>(&'s self, scope: &Scope<'s>) -> Result<Shown<'s>> {
        Ok(match self {
            Expression::Column(at) => scope.row.cells[*at].as_deref().map(Cow::Borrowed),
            Expression::Term(term) => term.bytes(scope.values)?.map(|bytes| Cow::Owned(bytes.to_vec())),
            Expression::CountRows => Some(Cow::Owned(scope.rows.to_be_bytes().to_vec())),
            Expression::Token => Some(Cow::Owned(scope.token.to_be_bytes().to_vec())),
            Expression::Time(kind, at) => times(*kind, &scope.row.times[*at], scope.now),
            Expression::Field(of, field) => part(of.evaluate(scope)?, |value| elements::field(value, *field)),
            Expression::Element(of, kind, key) => {
                let Some(key) = key.bytes(scope.values)? else {
                    return Ok(None);
                };
                part(of.evaluate(scope)?, |value| match kind {
                    CqlType::Map { key: of, .. } => elements::map_get(of, value, &key),
                    CqlType::Set { of, .. } => elements::set_get(of, value, &key),
                    _ => None,
                })
            }
            Expression::Slice(of, kind, from, to) => {
                let end = |term: &Option<Prepared>| match term {
                    Some(term) => term.bytes(scope.values),
                    None => Ok(None),
                };
                let (from, to) = (end(from)?, end(to)?);
                of.evaluate(scope)?.map(|value| {
                    Cow::Owned(match kind {
                        CqlType::Map { key, .. } => {
                            elements::map_slice(key, &value, from.as_deref(), to.as_deref())
                        }
                        CqlType::Set { of, .. } => {
                            elements::set_slice(of, &value, from.as_deref(), to.as_deref())
                        }
                        _ => value.into_owned(),
                    })
                })
            }
        })
    }
}

/// A part of a value, borrowed from the row where the value is.
fn part<'r>(value: Shown<'r>, find: impl Fn(&[u8]) -> Option<&[u8]>) -> Shown<'r> {
    match value? {
        Cow::Borrowed(value) => find(value).map(Cow::Borrowed),
        Cow::Owned(value) => find(&value).map(|part| Cow::Owned(part.to_vec())),
    }
}

fn times<'r>(kind: TimeOf, written: &[Written], now: i64) -> Shown<'r> {
    let left = |one: &Written| one.expiry.map(|expiry| (expiry.at - now).max(0) as i32);
    let single = match (kind, written) {
        (_, []) => None,
        (TimeOf::MaxWriteTime, all) => all
            .iter()
            .map(|one| one.timestamp)
            .max()
            .map(|time| time.to_be_bytes().to_vec()),
        (TimeOf::WriteTime, [one]) if !one.of_element => Some(one.timestamp.to_be_bytes().to_vec()),
        (TimeOf::Ttl, [one]) if !one.of_element => left(one).map(|left| left.to_be_bytes().to_vec()),
        (TimeOf::WriteTime, all) => Some(elements::collection(
            all.iter().map(|one| one.timestamp.to_be_bytes()),
        )),
        (TimeOf::Ttl, all) => {
            // Null among the elements of a list: only the original's TTL of a collection has it.
            let mut out = i32::try_from(all.len())
                .unwrap_or(i32::MAX)
                .to_be_bytes()
                .to_vec();
            for one in all {
                elements::put_value(
                    &mut out,
                    left(one).map(i32::to_be_bytes).as_ref().map(|left| &left[..]),
                );
            }
            Some(out)
        }
    };
    single.map(Cow::Owned)
}
