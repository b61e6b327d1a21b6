//! What SELECT wants of each row: selectors made ready, and the columns of the result.
//!
//! Knows: what selectors mean, their types, their values for a row. Never: which rows there are.

mod evaluate;
mod names;
mod ready;
mod selectable;

pub(crate) use evaluate::{Aggregation, Scope};
pub(crate) use names::name;
pub(super) use ready::grouping;

use super::{Selected, TimeOf};
use crate::{
    core::{functions::Function, schema::Table, types::CqlType},
    engine::ColumnSpec,
    error::Result,
    statements::terms::{Planner, Prepared},
};
use std::sync::Arc;

/// A selector whose type is known.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Column(usize),
    Term(Prepared),
    /// The result of an aggregate, by its position among those of the selection.
    Aggregate(usize),
    Call(Function, Vec<Expression>),
    /// A collection, vector, tuple or user type, put together from its parts.
    Compound(CqlType, Vec<Expression>),
    Time(TimeOf, usize, Part),
    Field(Box<Expression>, usize),
    /// An element of a collection of that type.
    Element(Box<Expression>, CqlType, Prepared),
    Slice(Box<Expression>, CqlType, Option<Prepared>, Option<Prepared>),
}

/// Which cells of a column are meant.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Whole,
    Field(usize),
    Element(CqlType, Prepared),
    Slice(CqlType, Option<Prepared>, Option<Prepared>),
}

/// All that is wanted of a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) expressions: Vec<Expression>,
    /// Aggregates with their arguments.
    pub(crate) aggregates: Vec<(Function, Vec<Expression>)>,
    pub(crate) with_times: bool,
    /// The columns that selectors name; none: all are wanted as they are.
    pub(crate) named: Vec<usize>,
}

impl Selection {
    /// Whether rows are folded into one.
    pub(crate) fn is_aggregate(&self) -> bool {
        !self.aggregates.is_empty()
    }

    /// Whether nothing but keys of partitions and static columns is asked for.
    pub(crate) fn is_only_static(&self, table: &Table) -> bool {
        let keys = table.partition_key().len();
        let of_partition = |at: &usize| *at < keys || table.columns[*at].is_static();
        table.has_statics() && !self.named.is_empty() && self.named.iter().all(of_partition)
    }
}

/// Makes selectors ready. Also tells the columns of the result.
pub(crate) fn prepare(
    planner: &mut Planner<'_>,
    table: &Table,
    selected: &[Selected],
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
            selection.expressions.push(Expression::Column(at));
            columns.push(spec(column.name.clone(), column.kind.clone()));
        }
        return Ok((selection, columns));
    }
    for one in selected {
        let (expression, kind) = selection.ready(planner, table, &one.selector)?;
        let name = match &one.alias {
            Some(alias) => Arc::from(alias.as_str()),
            None => Arc::from(name(&one.selector)),
        };
        selection.expressions.push(expression);
        columns.push(spec(name, kind));
    }
    Ok((selection, columns))
}
