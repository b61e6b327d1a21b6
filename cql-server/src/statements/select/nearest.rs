//! ORDER BY ... ANN OF: the rows whose vectors are nearest. Every row is looked at, so the answer is exact.

use super::{Ordering, Select};
use crate::{
    core::{
        functions::vectors::{Similarity, floats},
        schema::{Index, Table},
        types::CqlType,
    },
    engine::{Consistency, Value},
    error::{CqlError, Result},
    statements::{
        restrictions::{Restrictions, answering, existing},
        terms::{Planner, Prepared, Receiver, Values},
    },
};
use bytes::Bytes;
use std::{cmp, collections::BinaryHeap};

/// The most rows that may be asked for.
const LIMIT_MAX: u64 = 1000;

/// Which vectors are compared with what.
#[derive(Debug, Clone)]
pub(crate) struct Nearest {
    column: usize,
    to: Prepared,
    similarity: Similarity,
}

/// What ORDER BY asks for, if it is this.
pub(super) fn prepare(
    planner: &mut Planner<'_>,
    table: &Table,
    select: &Select,
    restrictions: &Restrictions,
    folds: bool,
) -> Result<Option<Nearest>> {
    let Some(Ordering {
        column,
        nearest_to: Some(term),
        descending,
    }) = select
        .order_by
        .iter()
        .find(|ordering| ordering.nearest_to.is_some())
    else {
        return Ok(None);
    };
    let (column, found) = existing(table, column)?;
    if !matches!(found.kind, CqlType::Vector { .. } | CqlType::List { .. }) {
        return Err(CqlError::invalid(format!(
            "Unexpected receiver type '{}'; only list and vector are expected",
            found.kind
        )));
    }
    let to = planner.term(term, &Receiver::new(found.name.clone(), found.kind.clone()))?;
    let index = table
        .indexes
        .iter()
        .find(|index| index.is_sai() && index.target.column == found.name);
    let index =
        index.ok_or_else(|| CqlError::invalid("ANN ordering by vector requires the column to be indexed"))?;
    if *descending {
        return Err(CqlError::invalid("Descending ANN ordering is not supported"));
    }
    if select.order_by.len() > 1 {
        return Err(CqlError::invalid(
            "ANN ordering does not support any other ordering",
        ));
    }
    if select.per_partition_limit.is_some() {
        return Err(CqlError::invalid(
            "Top-K queries do not support per-partition limits",
        ));
    }
    if folds {
        return Err(CqlError::invalid("Top-K queries can not be run with aggregation"));
    }
    let attached = |one| answering(table, one).is_some_and(|index| index.is_sai());
    if !restrictions.filters.iter().all(attached) {
        return Err(CqlError::invalid(
            "ANN ordering by vector requires all restricted column(s) to be indexed",
        ));
    }
    let name = index.options.get("similarity_function").map(String::as_str);
    Ok(Some(Nearest {
        column,
        to,
        similarity: Similarity::of(name.unwrap_or("cosine")).unwrap_or_default(),
    }))
}

/// Indexes of vectors find what is near, not what is equal.
pub(super) fn refuse_equality(table: &Table, restrictions: &Restrictions) -> Result<()> {
    let is_of_vectors = |index: &Index| {
        let column = table.column(&index.target.column);
        index.is_sai() && column.is_some_and(|column| matches!(column.kind, CqlType::Vector { .. }))
    };
    let mut asked = restrictions
        .filters
        .iter()
        .filter_map(|one| answering(table, one));
    if asked.any(is_of_vectors) {
        return Err(CqlError::invalid("Vector indexes only support ANN queries"));
    }
    Ok(())
}

/// What is told of a request for `limit` rows that asks for more than is given.
pub(super) fn warnings(limit: u64, page_size: Option<u64>, consistency: Consistency) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(page) = page_size.filter(|page| *page < limit) {
        warnings.push(format!(
            "Top-K queries do not support paging and the page size is set to {page}, which is less than LIMIT {limit}. The page \
             size has been set to {limit} to match the LIMIT."
        ));
    }
    if !matches!(consistency, Consistency::One | Consistency::LocalOne) {
        warnings.push(format!(
            "Top-K queries can only be run with consistency level ONE / LOCAL_ONE / NODE_LOCAL. Consistency level {consistency} was \
             requested. Downgrading the consistency level to ONE."
        ));
    }
    warnings
}

/// The best rows so far.
pub(super) struct Best<'p> {
    nearest: &'p Nearest,
    to: Vec<f32>,
    rows_max: usize,
    /// The worst first.
    rows: BinaryHeap<Scored>,
    seen: u64,
}

struct Scored {
    score: f32,
    /// Of rows that are equally near the earlier ones count.
    order: u64,
    cells: Vec<Option<Bytes>>,
}

impl Nearest {
    /// Begins to look, for `limit` rows.
    pub(super) fn begin(&self, values: &Values<'_>, table: &Table, limit: u64) -> Result<Best<'_>> {
        if limit == u64::MAX {
            return Err(CqlError::invalid(
                "Top-K queries must have a limit specified and the limit must be less than the query page size",
            ));
        }
        if limit > LIMIT_MAX {
            return Err(CqlError::invalid(format!(
                "Use of ANN OF in an ORDER BY clause requires a LIMIT that is not greater than {LIMIT_MAX}. LIMIT was {limit}"
            )));
        }
        let name = &table.columns[self.column].name;
        let to = match self.to.evaluate(values)? {
            Value::Set(bytes) => floats(&bytes),
            Value::Null => {
                return Err(CqlError::invalid(format!(
                    "Unsupported null value for column {name}"
                )));
            }
            Value::Unset => {
                return Err(CqlError::invalid(format!(
                    "Unsupported unset value for column {name}"
                )));
            }
        };
        Ok(Best {
            nearest: self,
            to,
            rows_max: usize::try_from(limit).unwrap_or(usize::MAX),
            rows: BinaryHeap::new(),
            seen: 0,
        })
    }
}

impl Best<'_> {
    /// Takes a row, if it is among the best; `cells`: what is shown of it.
    pub(super) fn take<C>(
        &mut self,
        row: &[Option<C>],
        cells: impl FnOnce() -> Result<Vec<Option<Bytes>>>,
    ) -> Result<()>
    where
        C: AsRef<[u8]>,
    {
        let Some(vector) = row.get(self.nearest.column).and_then(Option::as_ref) else {
            return Ok(());
        };
        let score = self
            .nearest
            .similarity
            .between(&floats(vector.as_ref()), &self.to);
        // Vectors without a direction are like none.
        let score = if score.is_nan() { f32::NEG_INFINITY } else { score };
        let full = self.rows.len() >= self.rows_max;
        if full
            && self
                .rows
                .peek()
                .is_some_and(|worst| score.total_cmp(&worst.score).is_le())
        {
            return Ok(());
        }
        if full {
            self.rows.pop();
        }
        self.seen += 1;
        self.rows.push(Scored {
            score,
            order: self.seen,
            cells: cells()?,
        });
        Ok(())
    }

    /// The rows, the nearest first.
    pub(super) fn finish(self) -> impl Iterator<Item = Vec<Option<Bytes>>> {
        self.rows.into_sorted_vec().into_iter().map(|scored| scored.cells)
    }
}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        let by_score = other.score.total_cmp(&self.score);
        by_score.then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scored {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Scored {}
