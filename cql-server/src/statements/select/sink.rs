//! What becomes of rows that were found: filtered, counted against limits, folded into groups, written.

use super::{
    nearest::Best,
    paging::Mark,
    prepare::{Group, Plan},
    selection::{Aggregation, Scope},
};
use crate::{
    core::types::{compare, show},
    engine::Rows,
    error::{CqlError, Result},
    state::rows::Partition,
    statements::{assemble, restrictions::Filter, terms::Values},
    wire::rows::RowsWriter,
};
use bytes::Bytes;
use std::cmp::Ordering;

/// A page ends behind the row with which it has so many bytes: fewer rows than were asked for may come at any time.
pub(crate) const PAGE_BYTES_MAX: usize = 4 << 20;
/// What an answer without pages may hold.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How reading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    /// Nothing else of this partition is wanted.
    NextPartition,
    /// Nothing else is wanted.
    Stop,
}

/// Limits of one execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) rows: u64,
    pub(crate) per_partition: u64,
    pub(crate) page: u64,
}

/// A row in the form in which it leaves, with what it is sorted by.
type Sortable = (Vec<Option<Bytes>>, Vec<Option<Vec<u8>>>);

/// Takes rows in the order in which they are read.
pub(crate) struct Sink<'p> {
    plan: &'p Plan,
    values: &'p Values<'p>,
    filter: Filter,
    now: i64,
    limits: Limits,
    left: u64,
    left_of_partition: u64,
    answered: u64,
    writer: RowsWriter,
    sorted: Vec<Sortable>,
    /// Bytes of what is to be sorted.
    sorted_bytes: usize,
    /// The rows nearest to a vector, where those are wanted.
    best: Option<Best<'p>>,
    /// Where the row was that made the page full.
    last: Option<Mark>,
    fold: Option<Fold>,
}

/// Rows being folded into one.
struct Fold {
    /// The first row of the group, which is what columns show.
    first: assemble::Values<'static>,
    /// What the function of GROUP BY makes of it.
    key: Option<Vec<u8>>,
    aggregation: Aggregation,
    /// Where the last of its rows was.
    partition: Partition,
    position: Option<Bytes>,
}

impl<'p> Sink<'p> {
    pub(crate) fn new(
        plan: &'p Plan,
        values: &'p Values<'p>,
        filter: Filter,
        now: i64,
        limits: Limits,
        resumed: Option<&Mark>,
    ) -> Result<Self> {
        let nearest = plan.nearest.as_ref();
        let best = nearest.map(|nearest| nearest.begin(values, &plan.table, limits.rows));
        Ok(Sink {
            plan,
            values,
            filter,
            now,
            limits,
            left: resumed.map_or(limits.rows, |mark| mark.left),
            left_of_partition: limits.per_partition,
            answered: 0,
            writer: RowsWriter::with_capacity(256),
            sorted: Vec::new(),
            sorted_bytes: 0,
            best: best.transpose()?,
            last: None,
            fold: None,
        })
    }

    /// Rows of another partition follow.
    pub(crate) fn partition(&mut self, left: Option<u64>) -> Result<()> {
        if self.plan.group.is_some() {
            self.end_group()?;
        }
        self.left_of_partition = left.unwrap_or(self.limits.per_partition);
        Ok(())
    }

    /// Whether the group that ends with its partition is the last one wanted. What is sorted is cut when all is known.
    pub(crate) fn ends_with_partition(&self) -> bool {
        let is_open = self.plan.group.is_some() && self.fold.is_some() && self.plan.sort.is_empty();
        is_open && (self.left == 1 || self.answered + 1 == self.limits.page)
    }

    /// How many groups there are, with the one that more rows may belong to.
    pub(crate) fn groups(&self) -> u64 {
        self.answered + u64::from(self.fold.is_some())
    }

    /// Takes a row.
    pub(crate) fn row(
        &mut self,
        partition: &Partition,
        position: Option<&Bytes>,
        row: &assemble::Values<'_>,
    ) -> Result<Flow> {
        if !self.filter.accepts(&self.plan.table, &row.cells) {
            return Ok(Flow::On);
        }
        if self.plan.folds() {
            return self.fold_row(partition, position, row);
        }
        if let Some(flow) = self.is_full() {
            return Ok(flow);
        }
        if let Some(mut best) = self.best.take() {
            best.take(&row.cells, || self.cells(&self.scope(row, &[])))?;
            self.best = Some(best);
            return Ok(Flow::On);
        }
        self.answer(&self.scope(row, &[]))?;
        self.count(partition, position);
        // Whoever looks for one row more might look for long.
        Ok(match self.is_full() {
            Some(flow) => flow,
            None if self.plan.distinct => Flow::NextPartition,
            None => Flow::On,
        })
    }

    fn scope<'s>(&self, row: &'s assemble::Values<'s>, aggregated: &'s [Option<Vec<u8>>]) -> Scope<'s>
    where
        'p: 's,
    {
        Scope {
            row,
            aggregated,
            values: self.values,
            now: self.now,
        }
    }

    /// Writes a row of the answer, or keeps it to be sorted.
    fn answer(&mut self, scope: &Scope<'_>) -> Result<()> {
        let plan = self.plan;
        self.refuse_too_much()?;
        if plan.sort.is_empty() && plan.json.is_empty() {
            for expression in &plan.selection.expressions {
                self.writer.cell(expression.evaluate(scope)?.as_deref());
            }
            self.writer.end_row();
            return Ok(());
        }
        let cells = self.cells(scope)?;
        let by = plan
            .sort
            .iter()
            .map(|(at, _)| scope.row.cells[*at].as_deref().map(<[u8]>::to_vec));
        let bytes = |cell: &Option<Bytes>| cell.as_ref().map_or(0, Bytes::len);
        self.sorted_bytes += cells.iter().map(bytes).sum::<usize>();
        self.sorted.push((cells, by.collect()));
        if plan.sort.is_empty() {
            self.write_sorted();
        }
        Ok(())
    }

    /// Refuses a row more in an answer that is large already.
    fn refuse_too_much(&self) -> Result<()> {
        if self.writer.bytes() + self.sorted_bytes < ANSWER_BYTES_MAX {
            return Ok(());
        }
        let mib = ANSWER_BYTES_MAX >> 20;
        Err(CqlError::Storage(format!(
            "an answer without pages is no larger than {mib} MiB"
        )))
    }

    /// Whether nothing else fits in this page.
    fn is_page_full(&self) -> bool {
        let has_pages = self.limits.page != u64::MAX;
        self.answered == self.limits.page || (has_pages && self.writer.bytes() >= PAGE_BYTES_MAX)
    }

    /// What is shown of a row that is not written yet.
    fn cells(&self, scope: &Scope<'_>) -> Result<Vec<Option<Bytes>>> {
        if !self.plan.json.is_empty() {
            return Ok(vec![Some(self.json(scope)?.into())]);
        }
        let expressions = self.plan.selection.expressions.iter();
        expressions
            .map(|expression| {
                let value = expression.evaluate(scope)?;
                Ok(value.map(|value| Bytes::copy_from_slice(&value)))
            })
            .collect()
    }

    /// A row as JSON.
    fn json(&self, scope: &Scope<'_>) -> Result<String> {
        let mut out = String::from("{");
        for (expression, column) in self.plan.selection.expressions.iter().zip(&self.plan.json) {
            if out.len() > 1 {
                out.push_str(", ");
            }
            let value = expression.evaluate(scope)?;
            out.push_str(&show::json_text(&show::json_name(&column.name)));
            out.push_str(": ");
            out.push_str(&show::json_or_null(&column.kind, value.as_deref()));
        }
        out.push('}');
        Ok(out)
    }

    /// Whether a row more would be too much, and what follows from it.
    fn is_full(&mut self) -> Option<Flow> {
        // Sorted rows are cut when all are known.
        if self.left == 0 && self.plan.sort.is_empty() {
            return Some(Flow::Stop);
        }
        if self.plan.sort.is_empty() && self.is_page_full() {
            return Some(Flow::Stop);
        }
        if self.left_of_partition == 0 {
            return Some(Flow::NextPartition);
        }
        None
    }

    fn count(&mut self, partition: &Partition, position: Option<&Bytes>) {
        self.left = self.left.saturating_sub(1);
        self.left_of_partition = self.left_of_partition.saturating_sub(1);
        self.answered += 1;
        if self.is_page_full() {
            self.last = Some(Mark {
                partition: partition.key(),
                position: position.filter(|_| !self.plan.distinct).cloned(),
                left: self.left,
                left_of_partition: self.left_of_partition,
            });
        }
    }

    /// Adds a row to its group.
    fn fold_row(
        &mut self,
        partition: &Partition,
        position: Option<&Bytes>,
        row: &assemble::Values<'_>,
    ) -> Result<Flow> {
        let key = match self.plan.group.as_ref().and_then(|group| group.function.as_ref()) {
            Some(function) => function
                .evaluate(&self.scope(row, &[]))?
                .map(std::borrow::Cow::into_owned),
            None => None,
        };
        let belongs = |fold: &Fold, group: &Group| {
            let plain = 0..group.columns - usize::from(group.function.is_some());
            plain.into_iter().all(|at| fold.first.cells[at] == row.cells[at]) && fold.key == key
        };
        let same = match (&self.fold, &self.plan.group) {
            (Some(fold), Some(group)) => belongs(fold, group),
            _ => true,
        };
        if !same {
            self.end_group()?;
        }
        if self.fold.is_none()
            && self.plan.group.is_some()
            && let Some(flow) = self.is_full()
        {
            return Ok(flow);
        }
        let mut fold = self.fold.take().unwrap_or_else(|| Fold {
            first: row.to_owned_values(),
            key,
            aggregation: Aggregation::new(&self.plan.selection),
            partition: partition.clone(),
            position: None,
        });
        fold.partition.clone_from(partition);
        fold.position = position.cloned();
        fold.aggregation
            .add(&self.plan.selection, &self.scope(row, &[]))?;
        self.fold = Some(fold);
        Ok(if self.plan.distinct {
            Flow::NextPartition
        } else {
            Flow::On
        })
    }

    /// Answers the group that was folded.
    fn end_group(&mut self) -> Result<()> {
        let Some(fold) = self.fold.take() else {
            return Ok(());
        };
        let aggregated = fold.aggregation.finish();
        self.answer(&Scope {
            row: &fold.first,
            aggregated: &aggregated,
            values: self.values,
            now: self.now,
        })?;
        self.count(&fold.partition, fold.position.as_ref());
        Ok(())
    }

    /// Answers the aggregate of nothing.
    fn no_rows(&mut self) -> Result<()> {
        let aggregated = Aggregation::new(&self.plan.selection).finish();
        let row = assemble::Values::new(&self.plan.table, self.plan.selection.with_times);
        self.answer(&Scope {
            row: &row,
            aggregated: &aggregated,
            values: self.values,
            now: self.now,
        })
    }

    /// The answer.
    pub(crate) fn finish(mut self) -> Result<Rows> {
        if self.plan.selection.is_aggregate() && self.plan.group.is_none() && self.fold.is_none() {
            self.no_rows()?;
        }
        self.end_group()?;
        self.write_sorted();
        for cells in self.best.take().into_iter().flat_map(Best::finish) {
            cells.iter().for_each(|cell| self.writer.cell(cell.as_deref()));
            self.writer.end_row();
        }
        let state = self.last.filter(|mark| mark.left > 0).map(|mark| mark.to_bytes());
        Ok(self.writer.finish(self.plan.columns.clone(), state))
    }

    fn write_sorted(&mut self) {
        let plan = self.plan;
        let mut sorted = std::mem::take(&mut self.sorted);
        self.sorted_bytes = 0;
        sorted.sort_by(|(_, left), (_, right)| {
            let pairs = plan.sort.iter().zip(left.iter().zip(right));
            let orders = pairs.map(|((at, descending), (left, right))| {
                let kind = &plan.table.columns[*at].kind;
                let order = match (left, right) {
                    (Some(left), Some(right)) => compare(kind, left, right),
                    (left, right) => left.is_some().cmp(&right.is_some()),
                };
                if *descending { order.reverse() } else { order }
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
        let limit = usize::try_from(self.limits.rows).unwrap_or(usize::MAX);
        for (cells, _) in sorted.into_iter().take(limit) {
            cells.iter().for_each(|cell| self.writer.cell(cell.as_deref()));
            self.writer.end_row();
        }
    }
}
