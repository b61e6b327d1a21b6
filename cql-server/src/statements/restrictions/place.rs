//! Which restrictions the layout answers, and which are tested row by row.

use super::{Purpose, Restriction, Restrictions, Test, answering};
use crate::{
    core::schema::Table,
    error::{CqlError, Result},
};

/// Why a query is refused that reads more than it answers.
pub(crate) const NEEDS_FILTERING: &str = "Cannot execute this query as it might involve data filtering and thus may have \
     unpredictable performance. If you want to execute this query despite the performance unpredictability, use ALLOW \
     FILTERING";

/// Sorts those of the partition key.
pub(super) fn place_partition(
    out: &mut Restrictions,
    table: &Table,
    partition: Vec<Restriction>,
    purpose: Purpose,
) -> Result<()> {
    let keys = table.partition_key();
    if !out.token.is_empty() && partition.is_empty() {
        return Ok(());
    }
    let missing: Vec<&str> = keys
        .iter()
        .enumerate()
        .filter(|(at, _)| !partition.iter().any(|one| one.columns[0] == *at))
        .map(|(_, key)| &*key.name)
        .collect();
    let by_value = |one: &Restriction| matches!(one.test, Test::Equal(_) | Test::In(_));
    let Purpose::Select { filtering } = purpose else {
        if !missing.is_empty() {
            return Err(CqlError::invalid(format!(
                "Some partition key parts are missing: {}",
                missing.join(", ")
            )));
        }
        if !partition.iter().all(by_value) {
            return Err(CqlError::invalid(format!(
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function) for {} statements",
                purpose.name()
            )));
        }
        out.by_key = true;
        out.partition = partition;
        return Ok(());
    };
    if missing.is_empty() && partition.iter().all(by_value) {
        out.by_key = true;
        out.partition = partition;
    } else if partition.is_empty() || filtering || partition.iter().all(|one| answering(table, one).is_some())
    {
        out.filters.extend(partition);
    } else {
        return Err(CqlError::invalid(NEEDS_FILTERING));
    }
    Ok(())
}

/// Leading clustering columns select slices; what does not is tested row by row.
pub(super) fn place_clustering(
    out: &mut Restrictions,
    table: &Table,
    clustering: Vec<Restriction>,
    purpose: Purpose,
    only_statics: bool,
) -> Result<()> {
    let first = table.partition_key().len();
    let all = table.clustering();
    let is_slice = |one: &Restriction| matches!(one.test, Test::Slice(_));
    let allow_slices = matches!(purpose, Purpose::Select { .. } | Purpose::Delete);
    if !allow_slices && clustering.iter().any(is_slice) {
        return Err(CqlError::invalid(format!(
            "Slice restrictions are not supported on the clustering columns in {} statements",
            purpose.name()
        )));
    }
    if only_statics && !clustering.is_empty() {
        match purpose {
            Purpose::Insert => {}
            Purpose::Select { .. } => {
                return Err(CqlError::invalid(
                    "Cannot restrict clustering columns when selecting only static columns",
                ));
            }
            _ => {
                return Err(CqlError::invalid(format!(
                    "Invalid restrictions on clustering columns since the {} statement modifies only static columns",
                    purpose.name()
                )));
            }
        }
    }
    let restricted = |at: usize| clustering.iter().any(|one| one.columns.contains(&at));
    if !allow_slices && !only_statics {
        let missing: Vec<&str> = (first..first + all.len())
            .filter(|at| !restricted(*at))
            .map(|at| &*table.columns[at].name)
            .collect();
        if !missing.is_empty() {
            return Err(CqlError::invalid(format!(
                "Some clustering keys are missing: {}",
                missing.join(", ")
            )));
        }
    }
    lead(out, table, clustering, purpose)
}

/// Takes the leading ones for slices.
fn lead(out: &mut Restrictions, table: &Table, clustering: Vec<Restriction>, purpose: Purpose) -> Result<()> {
    let first = table.partition_key().len();
    let is_slice = |one: &Restriction| matches!(one.test, Test::Slice(_));
    let filtering = matches!(purpose, Purpose::Select { filtering: true });
    let is_query = matches!(purpose, Purpose::Select { .. });
    let mut next = Some(first);
    let mut sliced: Option<usize> = None;
    for one in clustering {
        let at = one.columns[0];
        let indexed = is_query && answering(table, &one).is_some();
        if indexed && (!out.by_key || next != Some(at)) {
            next = None;
            out.filters.push(one);
            continue;
        }
        if matches!(
            one.test,
            Test::Contains(_) | Test::ContainsKey(_) | Test::Entry(..)
        ) {
            if !filtering {
                return Err(CqlError::invalid(
                    "Clustering columns can only be restricted with CONTAINS with a secondary index or filtering",
                ));
            }
            next = None;
        }
        if next == Some(at) {
            next = Some(at + one.columns.len());
            if is_slice(&one) {
                sliced = Some(at);
                next = None;
            }
            out.clustering.push(one);
            continue;
        }
        if !filtering {
            let name = &table.columns[at].name;
            return Err(CqlError::invalid(match (sliced, next) {
                (Some(sliced), _) => format!(
                    "Clustering column \"{name}\" cannot be restricted (preceding column \"{}\" is restricted by a non-EQ relation)",
                    table.columns[sliced].name
                ),
                (None, Some(next)) => format!(
                    "PRIMARY KEY column \"{name}\" cannot be restricted as preceding column \"{}\" is not restricted",
                    table.columns[next].name
                ),
                (None, None) => NEEDS_FILTERING.to_owned(),
            }));
        }
        next = None;
        out.filters.push(one);
    }
    Ok(())
}
