//! The one place that picks a storage backend.

use crate::{cli::Storage, settings::Settings};
use anyhow::{Result, ensure};
use std::path::Path;
use storage::Shard;

/// What Kafka leaves in a folder of its data.
const OF_KAFKA: &str = "meta.properties";

/// Opens the store that the servers share.
pub(crate) fn open(settings: &Settings) -> Result<Shard> {
    match settings.storage {
        Storage::Memory => Ok(storage::memory::Store::new(Some(cql_server::merge())).open()),
        Storage::Local => {
            refuse_kafkas_own(&settings.data_dir)?;
            let options = storage_local::Options {
                merge: Some(cql_server::merge()),
                address: settings.address().to_owned(),
                ..storage_local::Options::default()
            };
            Ok(storage_local::open(&settings.data_dir, options)?)
        }
    }
}

/// A folder of Kafka's own data is not ours to write to: neither server would find its way in it afterwards.
fn refuse_kafkas_own(folder: &Path) -> Result<()> {
    ensure!(
        !folder.join(OF_KAFKA).exists(),
        "{} holds the data of Apache Kafka, which is not read here: choose another data directory with --data-dir",
        folder.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests;
