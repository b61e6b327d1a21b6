//! Rows of virtual tables, cell by cell, in the bytes of the protocol.

use crate::core::{
    schema::{Role, Table},
    types::{compare, elements, token},
};
use bytes::Bytes;
use std::{cmp::Ordering, collections::BTreeMap, net::IpAddr};
use uuid::Uuid;

/// A row in the order of its table's columns.
pub(crate) type Row = Vec<Option<Bytes>>;

/// A row in the making: what is not set is null.
#[derive(Debug, Default)]
pub(super) struct Cells(BTreeMap<&'static str, Bytes>);

impl Cells {
    pub(super) fn bytes(mut self, column: &'static str, value: impl Into<Bytes>) -> Self {
        self.0.insert(column, value.into());
        self
    }

    pub(super) fn text(self, column: &'static str, value: &str) -> Self {
        self.bytes(column, Bytes::copy_from_slice(value.as_bytes()))
    }

    pub(super) fn int(self, column: &'static str, value: i32) -> Self {
        self.bytes(column, value.to_be_bytes().to_vec())
    }

    pub(super) fn bigint(self, column: &'static str, value: i64) -> Self {
        self.bytes(column, value.to_be_bytes().to_vec())
    }

    pub(super) fn double(self, column: &'static str, value: f64) -> Self {
        self.bytes(column, value.to_be_bytes().to_vec())
    }

    pub(super) fn boolean(self, column: &'static str, value: bool) -> Self {
        self.bytes(column, vec![u8::from(value)])
    }

    pub(super) fn uuid(self, column: &'static str, value: Uuid) -> Self {
        self.bytes(column, value.as_bytes().to_vec())
    }

    pub(super) fn address(self, column: &'static str, value: IpAddr) -> Self {
        match value {
            IpAddr::V4(address) => self.bytes(column, address.octets().to_vec()),
            IpAddr::V6(address) => self.bytes(column, address.octets().to_vec()),
        }
    }

    /// A list, or a set whose elements come in order.
    pub(super) fn texts<T: AsRef<[u8]>>(
        self,
        column: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.bytes(column, elements::collection(values))
    }

    pub(super) fn map<'a>(
        self,
        column: &'static str,
        entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let mut map = elements::Collection::default();
        for (key, value) in entries {
            map.entry(key, value);
        }
        self.bytes(column, map.finish())
    }

    pub(super) fn text_map(self, column: &'static str, entries: &BTreeMap<String, String>) -> Self {
        self.map(
            column,
            entries
                .iter()
                .map(|(key, value)| (key.as_bytes(), value.as_bytes())),
        )
    }

    /// The row of `table`.
    pub(super) fn row(mut self, table: &Table) -> Row {
        table
            .columns
            .iter()
            .map(|column| self.0.remove(&*column.name))
            .collect()
    }
}

/// Brings rows into the order of `table`: by token (or by value, where tables are virtual in the original too), then
/// by clustering.
pub(super) fn sort(table: &Table, by_token: bool, rows: &mut [Row]) {
    let width = table.partition_key().len();
    let cell = |row: &Row, at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let partition = |row: &Row| {
        let parts: Vec<Bytes> = (0..width).map(|at| cell(row, at)).collect();
        let key = token::partition_key(&parts);
        (if by_token { token::token(&key) } else { 0 }, parts)
    };
    rows.sort_by(|one, other| {
        let partitions = partition(one).cmp(&partition(other));
        let clusterings = table.clustering().iter().zip(width..).map(|(column, at)| {
            let order = compare(&column.kind, &cell(one, at), &cell(other, at));
            if column.role == (Role::Clustering { descending: true }) {
                order.reverse()
            } else {
                order
            }
        });
        clusterings.fold(partitions, Ordering::then)
    });
}
