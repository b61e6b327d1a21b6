//! SELECT to a plan.

use super::{
    Ordering, Select,
    nearest::{self, Nearest},
    selection::{self, Expression, Selection},
};
use crate::{
    core::{
        schema::{Nature, Table},
        types::{CqlType, Native},
    },
    engine::ColumnSpec,
    error::{CqlError, Result},
    statements::{
        restrictions::{
            self, Driver, NEEDS_FILTERING, Purpose, Restriction, Restrictions, Test, answering, existing,
        },
        terms::{Planner, Prepared},
    },
};
use std::sync::Arc;

/// One query, ready to be executed any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) table: Arc<Table>,
    pub(crate) restrictions: Restrictions,
    /// The restrictions that indexes may find rows by.
    pub(crate) drivers: Vec<Driver>,
    pub(crate) selection: Selection,
    pub(crate) columns: Arc<[ColumnSpec]>,
    /// The columns of the JSON document that is answered; none: the answer is no JSON.
    pub(crate) json: Vec<ColumnSpec>,
    /// One row for each partition.
    pub(crate) distinct: bool,
    /// Whether the statement says so.
    pub(crate) allows_filtering: bool,
    /// Against the clustering order.
    pub(crate) reverse: bool,
    /// Columns to sort by where rows of several partitions are brought into one order, and whether against it.
    pub(crate) sort: Vec<(usize, bool)>,
    /// Rows nearest to a vector come first.
    pub(crate) nearest: Option<Nearest>,
    /// GROUP BY.
    pub(crate) group: Option<Group>,
    pub(crate) limit: Option<Prepared>,
    pub(crate) per_partition_limit: Option<Prepared>,
    /// Whether a partition without rows shows its static columns.
    pub(crate) shows_static_alone: bool,
    pub(crate) warnings: Vec<String>,
    /// Whether its rows are not stored, but follow from the schema and the node.
    pub(crate) is_system: bool,
}

/// Which rows become one.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// How many leading columns of the primary key they have in common.
    pub(crate) columns: usize,
    /// Of the last of these columns only what this makes of it.
    pub(crate) function: Option<Expression>,
}

impl Plan {
    /// Whether many rows become one.
    pub(crate) fn folds(&self) -> bool {
        self.selection.is_aggregate() || self.group.is_some()
    }
}

/// Prepares SELECT.
pub(crate) fn prepare(planner: &mut Planner<'_>, table: &Arc<Table>, select: &Select) -> Result<Plan> {
    let (selection, columns) = selection::prepare(planner, table, &select.selected)?;
    let keyspace = planner.schema.keyspaces.get(&table.keyspace);
    let nature = keyspace.map_or(Nature::Client, |keyspace| keyspace.nature);
    // What is not stored is small.
    let filtering = select.allow_filtering || nature == Nature::Virtual;
    let purpose = Purpose::Select { filtering };
    let restrictions = restrictions::prepare(
        planner,
        table,
        &select.relations,
        purpose,
        selection.is_only_static(table) && !select.distinct,
    )?;
    if select.distinct {
        check_distinct(table, select, &selection, &restrictions)?;
    }
    let folds = selection.is_aggregate() || !select.group_by.is_empty();
    let nearest = nearest::prepare(planner, table, select, &restrictions, folds)?;
    check_indexed(table, &restrictions)?;
    check_filtering(table, filtering, &restrictions)?;
    let (reverse, sort) = match nearest {
        Some(_) => (false, Vec::new()),
        None => order(table, &select.order_by, &restrictions)?,
    };
    let group = group(planner, table, select, &restrictions)?;
    let mut attribute = |term: &Option<_>, name: &str| match term {
        Some(term) => planner.attribute(term, name, Native::Int).map(Some),
        None => Ok(None),
    };
    let per_partition_limit = attribute(&select.per_partition_limit, "[per_partition_limit]")?;
    let limit = attribute(&select.limit, "[limit]")?;
    if select.distinct && per_partition_limit.is_some() {
        return Err(CqlError::invalid(
            "PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries",
        ));
    }
    if selection.is_aggregate() && group.is_none() && per_partition_limit.is_some() {
        return Err(CqlError::invalid(
            "PER PARTITION LIMIT is not allowed with aggregate queries.",
        ));
    }
    let warnings = folds.then(|| warning(&restrictions)).flatten();
    let (json, columns) = if select.json {
        (columns, json_column(table))
    } else {
        (Vec::new(), columns)
    };
    let is_system = nature != Nature::Client;
    Ok(Plan {
        table: table.clone(),
        drivers: Driver::all(table, &restrictions.filters),
        selection,
        columns: columns.into(),
        json,
        distinct: select.distinct,
        allows_filtering: select.allow_filtering,
        reverse,
        sort,
        nearest,
        group,
        limit,
        per_partition_limit,
        shows_static_alone: restrictions.clustering.is_empty() && !tests_rows(table, &restrictions),
        warnings: warnings.into_iter().collect(),
        is_system,
        restrictions,
    })
}

/// Whether rows are picked by more than their partition and its static columns.
fn tests_rows(table: &Table, restrictions: &Restrictions) -> bool {
    let keys = table.partition_key().len();
    let mut tested = restrictions.filters.iter().flat_map(|one| &one.columns);
    tested.any(|at| *at >= keys && !table.columns[*at].is_static())
}

/// What is told of folding rows of many partitions.
fn warning(restrictions: &Restrictions) -> Option<String> {
    if !restrictions.by_key && restrictions.token.is_empty() {
        Some("Aggregation query used without partition key".to_owned())
    } else if restrictions.has_many_partitions() {
        Some("Aggregation query used on multiple partition keys (IN restriction)".to_owned())
    } else {
        None
    }
}

/// What indexes cannot be asked.
fn check_indexed(table: &Table, restrictions: &Restrictions) -> Result<()> {
    nearest::refuse_equality(table, restrictions)?;
    let mut filters = restrictions.filters.iter();
    if filters.any(|one| answering(table, one).is_some()) && restrictions.has_many_partitions() {
        return Err(CqlError::invalid(
            "Select on indexed columns and with IN clause for the PRIMARY KEY are not supported",
        ));
    }
    Ok(())
}

fn json_column(table: &Table) -> Vec<ColumnSpec> {
    vec![ColumnSpec {
        keyspace: table.keyspace.clone(),
        table: table.name.clone(),
        name: "[json]".into(),
        kind: CqlType::Native(Native::Text),
    }]
}

/// What names a partition once: its key and its statics, whatever is made of them.
fn check_distinct(
    table: &Table,
    select: &Select,
    selection: &Selection,
    restrictions: &Restrictions,
) -> Result<()> {
    if !restrictions.clustering.is_empty() || tests_rows(table, restrictions) {
        return Err(CqlError::invalid(
            "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns.",
        ));
    }
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let named = match select.selected.is_empty() {
        true => &all,
        false => &selection.named,
    };
    let keys = table.partition_key();
    let of_rows = |at: &&usize| **at >= keys.len() && !table.columns[**at].is_static();
    if let Some(other) = named.iter().find(of_rows) {
        return Err(CqlError::invalid(format!(
            "SELECT DISTINCT queries must only request partition key columns and/or static columns (not {})",
            table.columns[*other].name
        )));
    }
    let missing = (0..keys.len()).find(|at| !named.contains(at));
    match missing.filter(|_| !restrictions.by_key) {
        Some(missing) => Err(CqlError::invalid(format!(
            "SELECT DISTINCT queries must request all the partition key columns (missing {})",
            keys[missing].name
        ))),
        None => Ok(()),
    }
}

/// What reads more than it answers is refused, if nobody allowed it.
fn check_filtering(table: &Table, filtering: bool, restrictions: &Restrictions) -> Result<()> {
    let tests = !restrictions.filters.is_empty() && !indexes_answer(table, &restrictions.filters);
    // Slices of every partition are found by looking at every row.
    let slices_everywhere = !restrictions.by_key && !restrictions.clustering.is_empty();
    if !filtering && (tests || slices_everywhere) {
        return Err(CqlError::invalid(NEEDS_FILTERING));
    }
    Ok(())
}

/// Whether indexes were asked to find what `filters` want: one index of the first kind, or any number of attached ones.
fn indexes_answer(table: &Table, filters: &[Restriction]) -> bool {
    let found: Option<Vec<_>> = filters.iter().map(|filter| answering(table, filter)).collect();
    found.is_some_and(|found| found.len() == 1 || found.iter().all(|index| index.is_sai()))
}

/// Whether rows are read backwards, and what rows of several partitions are sorted by.
fn order(
    table: &Table,
    order_by: &[Ordering],
    restrictions: &Restrictions,
) -> Result<(bool, Vec<(usize, bool)>)> {
    if order_by.is_empty() {
        return Ok((false, Vec::new()));
    }
    if restrictions
        .filters
        .iter()
        .any(|one| answering(table, one).is_some())
    {
        return Err(CqlError::invalid(
            "ORDER BY with 2ndary indexes is not supported, except for ANN queries.",
        ));
    }
    if !restrictions.by_key {
        return Err(CqlError::invalid(
            "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.",
        ));
    }
    let first = table.partition_key().len();
    let mut reversed: Option<bool> = None;
    let mut sort = Vec::new();
    let mut next = first;
    for ordering in order_by {
        let (at, column) = existing(table, &ordering.column)?;
        if !(first..first + table.clustering().len()).contains(&at) {
            return Err(CqlError::invalid(format!(
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got {}",
                column.name
            )));
        }
        while at != next {
            // Columns of one value need no order.
            let fixed = restrictions
                .clustering
                .iter()
                .any(|one| one.columns == [next] && matches!(one.test, Test::Equal(_)));
            if !fixed || next > at {
                return Err(CqlError::invalid(
                    "Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY",
                ));
            }
            next += 1;
        }
        next += 1;
        let against = ordering.descending != column.is_descending();
        if reversed.is_some_and(|reversed| reversed != against) {
            return Err(CqlError::invalid("Unsupported order by relation"));
        }
        reversed = Some(against);
        sort.push((at, ordering.descending));
    }
    if !restrictions.has_many_partitions() {
        sort.clear();
    }
    Ok((reversed == Some(true), sort))
}

/// GROUP BY: leading columns of the primary key, where those of one value may be left out, and maybe a function of the
/// last of them.
fn group(
    planner: &mut Planner<'_>,
    table: &Table,
    select: &Select,
    restrictions: &Restrictions,
) -> Result<Option<Group>> {
    const OUT_OF_ORDER: &str =
        "Group by currently only support groups of columns following their declared order in the PRIMARY KEY";
    if select.group_by.is_empty() {
        return Ok(None);
    }
    let keys = table.partition_key().len();
    let end = keys + table.clustering().len();
    let fixed = |at: usize| {
        let mut all = restrictions.partition.iter().chain(&restrictions.clustering);
        all.any(|one| one.columns == [at] && matches!(one.test, Test::Equal(_)))
    };
    let mut next = 0;
    let mut function = None;
    for selector in &select.group_by {
        let (at, found) = selection::grouping(planner, table, selector)?;
        if at >= end {
            return Err(CqlError::invalid(format!(
                "Group by is currently only supported on the columns of the PRIMARY KEY, got {}",
                table.columns[at].name
            )));
        }
        if function.is_some() && found.is_none() {
            return Err(CqlError::invalid(
                "Functions are only supported on the last element of the GROUP BY clause",
            ));
        }
        while next < at && fixed(next) {
            next += 1;
        }
        if at != next {
            return Err(CqlError::invalid(OUT_OF_ORDER));
        }
        next += 1;
        function = found;
    }
    if next < keys {
        return Err(CqlError::invalid(
            "Group by is not supported on only a part of the partition key",
        ));
    }
    if next > keys && select.distinct {
        return Err(CqlError::invalid(
            "Grouping on clustering columns is not allowed for SELECT DISTINCT queries",
        ));
    }
    Ok(Some(Group {
        columns: next,
        function,
    }))
}
