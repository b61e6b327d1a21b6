use super::{GROUP_BYTES_MAX, Gathering};
use crate::engine::{Parameters, Session, Statements, tests::Node};
use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use std::{future::ready, net::SocketAddr, sync::Arc};
use storage::{
    Batch, Durability, Kv, KvRead, Op, Page, Pending, Result, Scan, ScanPage, StorageError, memory::Store,
};

fn session() -> Session {
    let session = Session::new(SocketAddr::from(([127, 0, 0, 1], 1)));
    session.set_keyspace("ks".into());
    session
}

#[tokio::test]
async fn what_a_client_sends_at_once_is_stored_at_once() {
    let (node, session) = (Node::new(), session());
    let begin = |text| node.engine.query(text, Parameters::default(), &session);
    let mut first = begin("INSERT INTO plain (k, v) VALUES (1, 'one')");
    let mut wrong = begin("INSERT INTO plain (k, v) VALUES (2, 2)");
    let mut batch = begin(
        "BEGIN BATCH INSERT INTO plain (k, v) VALUES (3, 'three'); UPDATE plain SET n = 3 WHERE k = 3; APPLY BATCH",
    );
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut wrong).now_or_never().is_some_and(|answer| answer.is_err()));
    assert!((&mut batch).now_or_never().is_none());
    assert!(
        node.rows("SELECT k FROM plain").await.is_empty(),
        "not stored yet"
    );
    assert!((&mut batch).now_or_never().is_some_and(|answer| answer.is_ok()));
    let stored = node.rows("SELECT k, v, n FROM plain").await;
    assert_eq!(stored, ["1 one null", "3 three 3"], "the first is stored, too");
    assert!((&mut first).now_or_never().is_some_and(|answer| answer.is_ok()));
}

#[tokio::test]
async fn what_reads_first_is_stored_by_itself() {
    let (node, session) = (Node::new(), session());
    for text in [
        "INSERT INTO plain (k, v) VALUES (1, 'one') IF NOT EXISTS",
        "UPDATE many SET l[0] = 1 WHERE k = 1",
    ] {
        let answer = node.engine.query(text, Parameters::default(), &session);
        assert!(answer.now_or_never().is_some(), "{text}");
    }
}

/// A store that only takes batches, and refuses those of more than so many operations.
struct Takes {
    store: Arc<dyn Kv>,
    operations_max: usize,
    taken: Mutex<Vec<usize>>,
}

impl Takes {
    fn new(operations_max: usize) -> Arc<Self> {
        Arc::new(Takes {
            store: Store::new(None).open().kv,
            operations_max,
            taken: Mutex::default(),
        })
    }
}

impl KvRead for Takes {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Bytes>> {
        self.store.get(key)
    }

    fn multi_get<'a>(&'a self, keys: &'a [Bytes]) -> Pending<'a, Vec<Option<Bytes>>> {
        self.store.multi_get(keys)
    }

    fn scan<'a>(&'a self, scan: Scan, page: Page) -> Pending<'a, ScanPage> {
        self.store.scan(scan, page)
    }
}

impl Kv for Takes {
    fn snapshot(&self) -> Result<Arc<dyn KvRead>> {
        self.store.snapshot()
    }

    fn commit(&self, batch: Batch, durability: Durability) -> Pending<'_, ()> {
        if batch.ops.len() > self.operations_max {
            return Box::pin(ready(Err(StorageError::Full)));
        }
        self.taken.lock().push(batch.ops.len());
        self.store.commit(batch, durability)
    }

    fn reclaim(&self, scan: &Scan) {
        self.store.reclaim(scan);
    }

    fn estimate(&self, scan: &Scan) -> Result<(u64, u64)> {
        self.store.estimate(scan)
    }
}

fn one(key: &str, bytes: usize) -> Batch {
    Batch {
        ops: vec![Op::Put(
            Bytes::copy_from_slice(key.as_bytes()),
            vec![0; bytes].into(),
        )],
        expect: Vec::new(),
    }
}

#[tokio::test]
async fn a_group_is_closed_when_it_is_stored_or_large() {
    let (gathering, takes) = (Gathering::default(), Takes::new(usize::MAX));
    let kv: Arc<dyn Kv> = takes.clone();
    let join = |key, bytes| gathering.join(one(key, bytes), &kv, Durability::Written);
    let (first, second) = (join("a", 1), join("b", 1));
    assert!(takes.taken.lock().is_empty());
    second.await.unwrap();
    let (third, large, other) = (join("c", 1), join("d", GROUP_BYTES_MAX), join("e", 1));
    first.await.unwrap();
    assert_eq!(*takes.taken.lock(), [2]);
    other.await.unwrap();
    large.await.unwrap();
    third.await.unwrap();
    assert_eq!(*takes.taken.lock(), [2, 1, 2]);
}

#[tokio::test]
async fn what_the_store_refuses_nobody_is_told_was_stored() {
    let (gathering, takes) = (Gathering::default(), Takes::new(1));
    let kv: Arc<dyn Kv> = takes.clone();
    let join = |key| gathering.join(one(key, 1), &kv, Durability::Written);
    let (first, second) = (join("a"), join("b"));
    assert!(matches!(first.await, Err(StorageError::Full)));
    assert!(matches!(second.await, Err(StorageError::Full)));
    join("c").await.unwrap();
    assert_eq!(*takes.taken.lock(), [1]);
}

/// A request's futures are allocated, moved and freed with it: what only reads and conditions need is boxed for itself.
#[test]
fn what_a_write_goes_on_as_is_small() {
    let (node, session) = (Node::new(), session());
    let insert = node
        .engine
        .prepared("INSERT INTO ks.plain (k) VALUES (1)", None)
        .unwrap();
    let run = node.engine.run(&insert, Parameters::default(), &session);
    assert!(size_of_val(&run) <= 2_500, "{} bytes", size_of_val(&run));
}
