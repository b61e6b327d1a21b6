//! How large tables are, as the store estimates it.

use super::Engine;
use crate::{
    core::schema::{
        Schema, Table,
        system::{self, Estimate},
    },
    error::Result,
    state::rows::{Place, table_scan},
};
use std::sync::Arc;
use storage::Page;

/// Rows by which it is told how many of them a partition has.
const SAMPLE: Page = Page {
    items_max: 512,
    bytes_max: 256 << 10,
};

impl Engine {
    /// How large the tables are that have estimates.
    pub(super) async fn estimates(&self, schema: &Schema) -> Result<Vec<Estimate>> {
        let mut estimates = Vec::new();
        for table in system::estimated(schema) {
            estimates.push(self.estimate(table).await?);
        }
        Ok(estimates)
    }

    async fn estimate(&self, table: &Arc<Table>) -> Result<Estimate> {
        let scan = table_scan(table.number);
        let (bytes, keys) = self.kv.estimate(&scan)?;
        let sample = self.kv.scan(scan, SAMPLE).await?.items;
        let places: Vec<Place> = sample.iter().filter_map(|(key, _)| Place::read(key)).collect();
        let partitions = places
            .chunk_by(|one, next| one.partition == next.partition)
            .count() as u64;
        let partitions = partitions * keys / (places.len() as u64).max(1);
        Ok(Estimate {
            table: table.clone(),
            partitions: partitions.max(u64::from(!places.is_empty())),
            bytes,
        })
    }
}
