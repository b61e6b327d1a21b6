//! What statements know of the client that sends them.

use super::Gathering;
use parking_lot::RwLock;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Semaphore;

/// Reads of one client that may be under way, or have answers that it has not taken; more wait.
const READS_MAX: usize = 8;

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
    left: AtomicBool,
    /// For reads that are not answered at once, until their answers have left.
    pub(super) reads: Arc<Semaphore>,
    /// Its writes that are about to be stored.
    pub(super) gathering: Arc<Gathering>,
}

impl Session {
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Session {
            peer,
            internal: false,
            keyspace: RwLock::default(),
            role: RwLock::default(),
            left: AtomicBool::new(false),
            reads: Arc::new(Semaphore::new(READS_MAX)),
            gathering: Arc::default(),
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

    /// Notes that the client is gone: what it asked for and did not get is of no use to anybody.
    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
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
