//! The one place that picks a storage backend.

use crate::{cli::Storage, settings::Settings};
use anyhow::Result;
use storage::Shard;

/// Opens the store that the servers share.
pub(crate) fn open(settings: &Settings) -> Result<Shard> {
    match settings.storage {
        Storage::Memory => Ok(storage::memory::Store::new(Some(cql_server::merge())).open()),
        Storage::Local => {
            let options = storage_local::Options {
                merge: Some(cql_server::merge()),
                address: settings.address().to_owned(),
                ..storage_local::Options::default()
            };
            Ok(storage_local::open(&settings.data_dir, options)?)
        }
    }
}
