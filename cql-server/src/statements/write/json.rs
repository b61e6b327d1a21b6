//! INSERT JSON: a document as the columns of a row.

use super::{Change, Json, Write};
use crate::{
    core::types::json,
    error::{CqlError, Result},
    statements::{
        restrictions::{Restriction, Restrictions, Test},
        terms::{Prepared, Values},
    },
};
use std::borrow::Cow;

impl Write {
    /// Itself with the columns of its document, if it has one.
    pub(crate) fn resolved(&self, values: &Values<'_>) -> Result<Cow<'_, Write>> {
        let Some(from) = &self.json else {
            return Ok(Cow::Borrowed(self));
        };
        let mut write = self.clone();
        write.json = None;
        write.restrictions = Restrictions {
            by_key: true,
            ..Restrictions::default()
        };
        for (at, value) in self.document(from, values)? {
            let one = || Restriction {
                columns: vec![at],
                test: Test::Equal(value.clone()),
                is_tuple: false,
            };
            let table = &self.table;
            if at < table.partition_key().len() {
                write.restrictions.partition.push(one());
            } else if at < table.partition_key().len() + table.clustering().len() {
                write.restrictions.clustering.push(one());
            } else if table.columns[at].is_static() {
                write.statics.push((at, Change::Set(value)));
            } else {
                write.changes.push((at, Change::Set(value)));
            }
        }
        write.statics.sort_by_key(|(at, _)| write.table.columns[*at].id);
        write.changes.sort_by_key(|(at, _)| write.table.columns[*at].id);
        Ok(Cow::Owned(write))
    }

    /// The value of each column that is written.
    fn document(&self, from: &Json, values: &Values<'_>) -> Result<Vec<(usize, Prepared)>> {
        let Some(text) = from.document.bytes(values)? else {
            return Err(CqlError::invalid("Got null for INSERT JSON values"));
        };
        let mut given = json::columns(&String::from_utf8_lossy(&text))?;
        let keys = self.table.partition_key().len() + self.table.clustering().len();
        let mut out = Vec::new();
        for (at, column) in self.table.columns.iter().enumerate() {
            let found = given
                .iter()
                .position(|(name, _)| json::column_name(name) == *column.name);
            let Some(found) = found.map(|found| given.swap_remove(found).1) else {
                if at < keys || !from.default_unset {
                    out.push((at, Prepared::Constant(None)));
                }
                continue;
            };
            let value = if matches!(found, json::Json::Null) {
                None
            } else {
                let wrong = |error: CqlError| {
                    CqlError::invalid(format!("Error decoding JSON value for {}: {error}", column.name))
                };
                Some(json::value(&column.kind, &found).map_err(wrong)?.into())
            };
            out.push((at, Prepared::Constant(value)));
        }
        match given.first() {
            Some((name, _)) => Err(CqlError::invalid(format!(
                "JSON values map contains unrecognized column: {}",
                json::column_name(name)
            ))),
            None => Ok(out),
        }
    }
}
