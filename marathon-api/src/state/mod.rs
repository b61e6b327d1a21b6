//! What outlives a process, to storage and back.
//!
//! Knows: key layouts and stored value formats. Never: HTTP, or what a change means.
//!
//! Every key starts with [`SPACE`] and the byte of its kind; every value starts with the version of its format, and is JSON
//! from there on.

#[cfg(test)]
mod tests;

use crate::core::{Change, Kept};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use storage::{Batch, Durability, Kv, Page, Scan, StorageError};

/// First byte of every key of this server, so that servers can share a store.
const SPACE: u8 = b'a';
/// First byte of every value.
const VERSION: u8 = 1;

/// The kinds of stored keys: the second byte. Never reuse one.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    /// The framework's id.
    Framework = 1,
    /// Apps by name, as they are wanted now.
    App = 2,
    /// Apps by name and moment.
    Version = 3,
    /// Instances by id.
    Instance = 4,
    /// Deployments by id.
    Deployment = 5,
    /// The last failure of an app, by its name.
    Failure = 6,
    /// Groups by name.
    Group = 7,
}

/// Where what must be kept is kept.
#[derive(Clone)]
pub(crate) struct Store {
    kv: Arc<dyn Kv>,
    durability: Durability,
}

impl Store {
    pub(crate) fn new(kv: Arc<dyn Kv>, durability: Durability) -> Self {
        Store { kv, durability }
    }

    /// Answers what an earlier process left.
    pub(crate) async fn load(&self) -> Result<Kept, StorageError> {
        let framework = self.scan::<String>(Kind::Framework).await?;
        Ok(Kept {
            framework_id: framework.into_iter().next(),
            apps: self.scan(Kind::App).await?,
            versions: self.scan(Kind::Version).await?,
            instances: self.scan(Kind::Instance).await?,
            deployments: self.scan(Kind::Deployment).await?,
            failures: self.scan(Kind::Failure).await?,
            groups: self.scan(Kind::Group).await?,
        })
    }

    /// Makes changes durable, all or none.
    pub(crate) async fn store(&self, changes: &[Change]) -> Result<(), StorageError> {
        let mut batch = Batch::default();
        for change in changes {
            match entry(change) {
                (key, Some(value)) => batch.put(key, value),
                (key, None) => batch.delete(key),
            };
        }
        self.kv.commit(batch, self.durability).await
    }

    async fn scan<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<T>, StorageError> {
        let (mut all, mut rest) = (Vec::new(), Some(Scan::prefix(&[SPACE, kind as u8])));
        while let Some(scan) = rest {
            let page = self.kv.scan(scan, Page::default()).await?;
            for (_, value) in &page.items {
                all.push(read(value)?);
            }
            rest = page.next;
        }
        Ok(all)
    }
}

fn entry(change: &Change) -> (Bytes, Option<Bytes>) {
    match change {
        Change::FrameworkId(id) => (key(Kind::Framework, ""), Some(written(id))),
        Change::App(app) => (key(Kind::App, app.id.as_str()), Some(written(&**app))),
        Change::AppRemoved(id) => (key(Kind::App, id.as_str()), None),
        // Names have no space.
        Change::Version(app) => (
            key(Kind::Version, &format!("{} {}", app.id, app.version)),
            Some(written(&**app)),
        ),
        Change::VersionRemoved(id, version) => (key(Kind::Version, &format!("{id} {version}")), None),
        Change::Instance(instance) => (key(Kind::Instance, &instance.id), Some(written(instance))),
        Change::InstanceRemoved(id) => (key(Kind::Instance, id), None),
        Change::Deployment(deployment) => (key(Kind::Deployment, &deployment.id), Some(written(deployment))),
        Change::DeploymentRemoved(id) => (key(Kind::Deployment, id), None),
        Change::Failure(failure) => (
            key(Kind::Failure, failure.app_id.as_str()),
            Some(written(failure)),
        ),
        Change::FailureRemoved(id) => (key(Kind::Failure, id.as_str()), None),
        Change::Group(group) => (key(Kind::Group, group.id.as_str()), Some(written(group))),
        Change::GroupRemoved(id) => (key(Kind::Group, id.as_str()), None),
    }
}

fn key(kind: Kind, name: &str) -> Bytes {
    let mut key = vec![SPACE, kind as u8];
    key.extend_from_slice(name.as_bytes());
    Bytes::from(key)
}

fn written(value: &impl Serialize) -> Bytes {
    let mut bytes = vec![VERSION];
    // Nothing that is stored has keys that are not text, which alone could fail.
    bytes.extend(serde_json::to_vec(value).unwrap_or_default());
    Bytes::from(bytes)
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, StorageError> {
    let json = value.strip_prefix(&[VERSION]);
    let json = json.ok_or_else(|| {
        StorageError::Corrupt("what Marathon kept has a format of a newer version".to_owned())
    })?;
    serde_json::from_slice(json).map_err(|error| StorageError::Corrupt(error.to_string()))
}
