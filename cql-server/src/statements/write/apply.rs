//! From a plan and its values to what is stored.

use super::{Before, Write, changes::Cells};
use crate::{
    core::{
        rows::{Deletion, Expiry, RowWriter, Stamp},
        types::{ordered, token},
    },
    engine::Value,
    error::{CqlError, Result},
    state::rows::{Partition, Slice, Writes},
    statements::{
        restrictions::{Partitions, Purpose, Test, checked_position},
        terms::Values,
    },
};
use bytes::Bytes;

/// The longest TTL: twenty years, as the original has it.
const TTL_SECONDS_MAX: i32 = 20 * 365 * 24 * 60 * 60;

/// The last second at which a cell may expire, where versions before 5 must still be able to read what is stored.
const EXPIRY_MAX: i64 = i32::MAX as i64 - 1;

/// When and with which values a write is executed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) values: Values<'a>,
    /// Microseconds, where the statement says nothing else.
    pub(crate) timestamp_us: i64,
    /// Later than that of every write before it, on this node.
    pub(crate) position: i64,
    /// The present second.
    pub(crate) now: i64,
}

/// A column, by its id, and its value as it was written.
type Spelled = (u32, Bytes);

/// What one write is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) partitions: Vec<Partition>,
    /// Positions of rows; or slices that are deleted.
    pub(crate) slices: Vec<Slice>,
}

impl Write {
    /// The partitions and rows that are written.
    pub(crate) fn target(&self, values: &Values<'_>) -> Result<Target> {
        let table = &self.table;
        let Partitions::Keys(keys) = self.restrictions.partitions(table, values)? else {
            return Err(CqlError::Server("a write without a partition".to_owned()));
        };
        let partition = |key: Bytes| Partition::new(table.number, token::token(&key), &key);
        let partitions = keys.all()?.into_iter().map(partition).collect();
        let slices = if self.is_only_static() {
            Vec::new()
        } else {
            self.restrictions.slices(table, values)?
        };
        for slice in &slices {
            checked_position(table, &slice.from)?;
        }
        Ok(Target { partitions, slices })
    }

    /// The timestamp of its cells.
    pub(crate) fn timestamp(&self, stage: &Stage<'_>) -> Result<i64> {
        let Some(term) = &self.timestamp else {
            return Ok(stage.timestamp_us);
        };
        match term.evaluate(&stage.values)? {
            Value::Set(bytes) => {
                let bytes = bytes[..].try_into().map(i64::from_be_bytes);
                let timestamp = bytes.map_err(|_| CqlError::invalid("Invalid timestamp value"))?;
                if timestamp == i64::MIN {
                    return Err(CqlError::invalid(format!(
                        "Out of bound timestamp, must be in [{}, {}]",
                        i64::MIN + 1,
                        i64::MAX
                    )));
                }
                Ok(timestamp)
            }
            Value::Null => Err(CqlError::invalid("Invalid null value of timestamp")),
            Value::Unset => Ok(stage.timestamp_us),
        }
    }

    fn expiry(&self, stage: &Stage<'_>) -> Result<Option<Expiry>> {
        let ttl = match &self.ttl {
            None => self.table.default_time_to_live,
            Some(term) => match term.evaluate(&stage.values)? {
                Value::Unset => self.table.default_time_to_live,
                Value::Null => 0,
                Value::Set(bytes) => {
                    let bytes = bytes[..].try_into().map(i32::from_be_bytes);
                    bytes.map_err(|_| CqlError::invalid("Invalid ttl value"))?
                }
            },
        };
        if ttl < 0 {
            return Err(CqlError::invalid(format!(
                "A TTL must be greater or equal to 0, but was {ttl}"
            )));
        }
        if ttl > TTL_SECONDS_MAX {
            return Err(CqlError::invalid(format!(
                "ttl is too large. requested ({ttl}) maximum ({TTL_SECONDS_MAX})"
            )));
        }
        if stage.now + i64::from(ttl) > EXPIRY_MAX {
            return Err(CqlError::invalid(format!(
                "Request on table {}.{} with ttl of {ttl} seconds exceeds maximum supported expiration date of \
                 2038-01-19T03:14:06+00:00. In order to avoid this use a lower TTL, change the expiration date overflow \
                 policy or upgrade to a version where this limitation is fixed. See CASSANDRA-14092 and CASSANDRA-14227 \
                 for more details.",
                self.table.keyspace, self.table.name
            )));
        }
        let seconds = u32::try_from(ttl).ok().filter(|ttl| *ttl > 0);
        Ok(seconds.map(|ttl| Expiry {
            at: stage.now + i64::from(ttl),
            ttl,
        }))
    }

    /// Adds what it writes to `out`. `before`: the row, then the static row, where [`Write::reads`].
    pub(crate) fn apply(
        &self,
        target: &Target,
        stage: &Stage<'_>,
        before: (Before<'_>, Before<'_>),
        out: &mut Writes,
    ) -> Result<()> {
        let stamp = Stamp {
            timestamp: self.timestamp(stage)?,
            expiry: self.expiry(stage)?,
        };
        for partition in &target.partitions {
            if !self.statics.is_empty() {
                let fragment = self.fragment(&self.statics, stamp, None, stage, before.1)?;
                self.entries(partition, None, &fragment, (stage.position, out))?;
                out.static_row(partition, fragment);
            }
            if self.purpose == Purpose::Delete && self.changes.is_empty() && self.statics.is_empty() {
                self.delete(partition, target, stamp.timestamp, stage.now, out);
                continue;
            }
            if self.changes.is_empty() && self.purpose != Purpose::Insert {
                continue;
            }
            let live = self.purpose == Purpose::Insert;
            let spelled = if live { self.spelled(stage)? } else { Vec::new() };
            for slice in &target.slices {
                let fragment =
                    self.fragment(&self.changes, stamp, Some((live, &spelled)), stage, before.0)?;
                self.entries(partition, Some(&slice.from), &fragment, (stage.position, out))?;
                out.row(partition, &slice.from, fragment);
            }
        }
        Ok(())
    }

    fn fragment(
        &self,
        changes: &[(usize, super::Change)],
        stamp: Stamp,
        row: Option<(bool, &[Spelled])>,
        stage: &Stage<'_>,
        before: Before<'_>,
    ) -> Result<Vec<u8>> {
        let (live, spelled) = row.unwrap_or_default();
        let mut writer = RowWriter::with_capacity(stamp, live, None, 256);
        for (column, value) in spelled {
            writer.value(*column, None, value);
        }
        let mut cells = Cells {
            table: &self.table,
            out: &mut writer,
            stamp,
            now: stage.now,
            position: stage.position,
            values: &stage.values,
            before,
            placed: 0,
        };
        for (at, change) in changes {
            cells.change(&self.table.columns[*at], change)?;
        }
        Ok(writer.finish())
    }

    /// Values of clustering columns that the position of a row does not give back as they were written: 1.0 and 1.00 are
    /// one position. Such a value is kept as a cell of the row.
    fn spelled(&self, stage: &Stage<'_>) -> Result<Vec<Spelled>> {
        let mut spelled = Vec::new();
        for restriction in &self.restrictions.clustering {
            let ([at], Test::Equal(term)) = (&restriction.columns[..], &restriction.test) else {
                continue;
            };
            let column = &self.table.columns[*at];
            if !ordered::is_loose(&column.kind) {
                continue;
            }
            let value = term.bytes(&stage.values)?;
            if let Some(value) = value.filter(|value| !ordered::is_exact(&column.kind, value)) {
                spelled.push((column.id, value));
            }
        }
        Ok(spelled)
    }

    /// Deletes rows, slices or the partition.
    fn delete(&self, partition: &Partition, target: &Target, timestamp: i64, now: i64, out: &mut Writes) {
        let deletion = Deletion { timestamp, at: now };
        if self.restrictions.is_full_row(&self.table) {
            let stamp = Stamp {
                timestamp,
                expiry: None,
            };
            for slice in &target.slices {
                let fragment = RowWriter::new(stamp, false, Some(deletion)).finish();
                out.row(partition, &slice.from, fragment);
            }
        } else if self.restrictions.is_whole_partition() {
            out.delete_partition(partition, deletion);
        } else {
            for slice in &target.slices {
                out.delete_slice(partition, slice, deletion);
            }
        }
    }
}
