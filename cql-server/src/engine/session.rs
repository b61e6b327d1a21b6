//! What statements know of the client that sends them.

use parking_lot::RwLock;
use std::{net::SocketAddr, sync::Arc};

/// One client's connection, as statements see it.
#[derive(Debug)]
pub(crate) struct Session {
    /// Who asks.
    pub(crate) peer: SocketAddr,
    /// The server itself, which may do everything.
    internal: bool,
    /// Set by USE.
    keyspace: RwLock<Option<Arc<str>>>,
    /// Who it logged in as; nobody in particular where nobody has to log in.
    role: RwLock<Option<Arc<str>>>,
}

impl Session {
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Session {
            peer,
            internal: false,
            keyspace: RwLock::default(),
            role: RwLock::default(),
        }
    }

    /// Of the server itself, on behalf of a client.
    pub(crate) fn internal(peer: SocketAddr) -> Self {
        Session {
            internal: true,
            ..Session::new(peer)
        }
    }

    pub(crate) fn is_internal(&self) -> bool {
        self.internal
    }

    pub(crate) fn keyspace(&self) -> Option<Arc<str>> {
        self.keyspace.read().clone()
    }

    pub(crate) fn set_keyspace(&self, keyspace: Arc<str>) {
        *self.keyspace.write() = Some(keyspace);
    }

    pub(crate) fn role(&self) -> Option<Arc<str>> {
        self.role.read().clone()
    }

    pub(crate) fn set_role(&self, role: Arc<str>) {
        *self.role.write() = Some(role);
    }
}
