use super::{Entry, Kind};
use crate::zookeeper::{Session, SessionError};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use mesos_proto::zookeeper::Change;
use parking_lot::Mutex;
use std::{collections::HashSet, sync::Arc, time::Duration};

/// Nodes that are read at the same time.
const READS: usize = 32;
/// Bytes of changes that are made together: ZooKeeper takes one MiB at the most.
const CHANGES_BYTES_MAX: usize = 512 << 10;

/// Keys as nodes of ZooKeeper, where the next master finds them. Whoever writes them holds the session by which it leads,
/// and the node by which it was elected is still there: so a master that was deposed cannot.
#[derive(Clone)]
pub(crate) struct Nodes {
    session: Arc<Session>,
    folder: String,
    /// The node by which this master leads.
    own: String,
    /// Which nodes there are: nobody else makes or removes any while this master leads.
    known: Arc<Mutex<HashSet<String>>>,
}

impl Nodes {
    /// Below the node that masters stand by.
    pub(super) async fn open(session: Arc<Session>, masters: &str, own: &str) -> Result<Self, SessionError> {
        let folder = format!("{masters}/smack.registry");
        for kind in Kind::ALL {
            session.make(&format!("{folder}/{}", kind.name())).await?;
        }
        Ok(Nodes {
            session,
            folder,
            own: own.to_owned(),
            known: Arc::default(),
        })
    }

    /// Whether the session by which this master leads still lives at a time.
    pub(super) fn is_held(&self, at: Duration) -> bool {
        at < self.session.ends()
    }

    pub(super) async fn load(&self) -> Result<Vec<Entry>, SessionError> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            let folder = format!("{}/{}", self.folder, kind.name());
            let names = self.session.children(&folder).await?.unwrap_or_default();
            let read = stream::iter(names).map(|name| {
                let path = format!("{folder}/{name}");
                async move {
                    let value = self.session.data(&path).await?;
                    self.known.lock().insert(path);
                    let name = unescaped(&name);
                    Ok::<_, SessionError>(Entry { kind, name, value })
                }
            });
            let read: Vec<Entry> = read.buffered(READS).try_collect().await?;
            all.extend(read);
        }
        Ok(all)
    }

    /// Makes changes; those of one call all or none, as far as they fit into one question.
    pub(super) async fn store(&self, entries: Vec<Entry>) -> Result<(), SessionError> {
        let leads = || Change::Check {
            path: self.own.clone(),
        };
        let (mut changes, mut bytes) = (vec![leads()], 0);
        for Entry { kind, name, value } in entries {
            let path = format!("{}/{}/{}", self.folder, kind.name(), escaped(&name));
            let size = path.len() + value.as_ref().map_or(0, Bytes::len);
            if bytes > 0 && bytes + size > CHANGES_BYTES_MAX {
                self.session
                    .change(&std::mem::replace(&mut changes, vec![leads()]))
                    .await?;
                bytes = 0;
            }
            bytes += size;
            changes.extend(self.change(path, value));
        }
        match changes.len() {
            1 => Ok(()),
            _ => self.session.change(&changes).await,
        }
    }

    fn change(&self, path: String, value: Option<Bytes>) -> Option<Change> {
        let mut known = self.known.lock();
        match value {
            Some(data) if known.insert(path.clone()) => Some(Change::Create { path, data }),
            Some(data) => Some(Change::Set { path, data }),
            None => known.remove(&path).then_some(Change::Delete { path }),
        }
    }
}

/// A name as a node may have it: agents choose theirs.
pub(super) fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let escape = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02x}"),
    };
    name.bytes().map(escape).collect()
}

pub(super) fn unescaped(name: &str) -> String {
    let mut parts = name.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.extend(code);
        bytes.extend(part.get(2..).unwrap_or_default().as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
