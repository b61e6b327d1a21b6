//! What `Kv` and `Lease` promise.

use super::Factory;
use crate::{Batch, Durability, Expect, Kv, KvRead, Op, Page, Scan, StorageError};
use bytes::Bytes;
use std::ops::Bound;

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

async fn put(kv: &dyn Kv, items: &[(&str, &str)]) {
    let mut batch = Batch::default();
    for (key, value) in items {
        batch.put(bytes(key), bytes(value));
    }
    kv.commit(batch, Durability::Written).await.unwrap();
}

async fn scan_all(kv: &dyn KvRead, scan: Scan, page: Page) -> Vec<String> {
    let mut keys = Vec::new();
    let mut next = Some(scan);
    while let Some(scan) = next {
        let page = kv.scan(scan, page).await.unwrap();
        keys.extend(
            page.items
                .iter()
                .map(|(key, _)| String::from_utf8_lossy(key).into_owned()),
        );
        next = page.next;
    }
    keys
}

pub async fn kv_reads_what_was_committed(factory: &dyn Factory) {
    let kv = factory.open().kv;
    put(&*kv, &[("a", "1"), ("b", ""), ("", "root")]).await;
    assert_eq!(kv.get(b"a").await.unwrap(), Some(bytes("1")));
    assert_eq!(kv.get(b"b").await.unwrap(), Some(Bytes::new()));
    assert_eq!(kv.get(b"").await.unwrap(), Some(bytes("root")));
    assert_eq!(kv.get(b"c").await.unwrap(), None);
    let found = kv.multi_get(&[bytes("c"), bytes("a"), bytes("a")]).await.unwrap();
    assert_eq!(found, [None, Some(bytes("1")), Some(bytes("1"))]);
}

pub async fn kv_applies_a_batch_in_order(factory: &dyn Factory) {
    let kv = factory.open().kv;
    let mut batch = Batch::default();
    batch.put(bytes("a"), bytes("1")).delete(bytes("a"));
    batch.delete(bytes("b")).put(bytes("b"), bytes("2"));
    kv.commit(batch, Durability::Written).await.unwrap();
    assert_eq!(kv.get(b"a").await.unwrap(), None);
    assert_eq!(kv.get(b"b").await.unwrap(), Some(bytes("2")));
}

pub async fn kv_applies_nothing_where_an_expectation_fails(factory: &dyn Factory) {
    let kv = factory.open().kv;
    put(&*kv, &[("a", "1")]).await;
    let mut batch = Batch::default();
    batch.put(bytes("b"), bytes("2"));
    batch.expect = vec![
        Expect::Value(bytes("a"), Some(bytes("1"))),
        Expect::Value(bytes("a"), None),
    ];
    let refused = kv.commit(batch.clone(), Durability::Written).await;
    assert!(
        matches!(refused, Err(StorageError::Expectation { index: 1 })),
        "{refused:?}"
    );
    assert_eq!(kv.get(b"b").await.unwrap(), None);
    batch.expect.pop();
    batch.expect.push(Expect::Value(bytes("b"), None));
    kv.commit(batch, Durability::Synced).await.unwrap();
    assert_eq!(kv.get(b"b").await.unwrap(), Some(bytes("2")));
}

pub async fn kv_lets_one_of_many_expectations_win(factory: &dyn Factory) {
    let kv = factory.open().kv;
    let threads: Vec<_> = (0..8u8)
        .map(|number| {
            let kv = kv.clone();
            std::thread::spawn(move || {
                let mut batch = Batch::default();
                batch.put(bytes("owner"), vec![number]);
                batch.expect = vec![Expect::Value(bytes("owner"), None)];
                let mut pending = kv.commit(batch, Durability::Written);
                // Whether it is answered at once or not, the order is decided when the call is made.
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                matches!(
                    pending.as_mut().poll(&mut context),
                    std::task::Poll::Ready(Ok(()))
                )
            })
        })
        .collect();
    let won = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(won.filter(|won| *won).count(), 1);
}

pub async fn kv_scans_in_pages_both_ways(factory: &dyn Factory) {
    let kv = factory.open().kv;
    put(
        &*kv,
        &[("a", "1"), ("b1", "2"), ("b2", "3"), ("b3", "4"), ("c", "5")],
    )
    .await;
    for items_max in [1, 2, 3, 100] {
        let page = Page {
            items_max,
            bytes_max: 1 << 20,
        };
        let mut scan = Scan::prefix(b"b");
        assert_eq!(scan_all(&*kv, scan.clone(), page).await, ["b1", "b2", "b3"]);
        scan.reverse = true;
        assert_eq!(scan_all(&*kv, scan, page).await, ["b3", "b2", "b1"]);
    }
    let page = Page {
        items_max: 100,
        bytes_max: 1,
    };
    assert_eq!(scan_all(&*kv, Scan::prefix(b""), page).await.len(), 5);
    let scan = Scan {
        from: Bound::Excluded(bytes("b1")),
        to: Bound::Included(bytes("c")),
        reverse: false,
    };
    assert_eq!(scan_all(&*kv, scan, Page::default()).await, ["b2", "b3", "c"]);
    let crossed = Scan {
        from: Bound::Included(bytes("c")),
        to: Bound::Excluded(bytes("a")),
        reverse: false,
    };
    assert!(scan_all(&*kv, crossed, Page::default()).await.is_empty());
    assert!(
        scan_all(&*kv, Scan::prefix(&[0xff]), Page::default())
            .await
            .is_empty()
    );
}

pub async fn kv_snapshots_do_not_change(factory: &dyn Factory) {
    let kv = factory.open().kv;
    put(&*kv, &[("a", "1"), ("b", "1")]).await;
    let snapshot = kv.snapshot().unwrap();
    put(&*kv, &[("a", "2"), ("c", "2")]).await;
    assert_eq!(snapshot.get(b"a").await.unwrap(), Some(bytes("1")));
    assert_eq!(snapshot.multi_get(&[bytes("c")]).await.unwrap(), [None]);
    assert_eq!(
        scan_all(&*snapshot, Scan::prefix(b""), Page::default()).await,
        ["a", "b"]
    );
    assert_eq!(kv.get(b"a").await.unwrap(), Some(bytes("2")));
    drop(kv);
    assert_eq!(snapshot.get(b"a").await.unwrap(), Some(bytes("1")));
}

pub async fn kv_merges_operands_in_order(factory: &dyn Factory) {
    let shard = factory.open();
    put(&*shard.kv, &[("a", "<")]).await;
    for operand in ["1", "2", "3"] {
        let mut batch = Batch::default();
        batch.ops.push(Op::Merge(bytes("a"), bytes(operand)));
        batch.ops.push(Op::Merge(bytes("fresh"), bytes(operand)));
        shard.kv.commit(batch, Durability::Written).await.unwrap();
    }
    assert_eq!(shard.kv.get(b"a").await.unwrap(), Some(bytes("<123")));
    drop(shard);
    let shard = factory.open();
    assert_eq!(shard.kv.get(b"fresh").await.unwrap(), Some(bytes("123")));
}

pub async fn kv_removes_ranges(factory: &dyn Factory) {
    let kv = factory.open().kv;
    put(&*kv, &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]).await;
    let mut batch = Batch::default();
    batch.ops.push(Op::DeleteRange(bytes("b"), bytes("d")));
    batch.ops.push(Op::DeleteRange(bytes("z"), bytes("a")));
    kv.commit(batch, Durability::Written).await.unwrap();
    assert_eq!(
        scan_all(&*kv, Scan::prefix(b""), Page::default()).await,
        ["a", "d"]
    );
}

pub async fn kv_reclaims_only_what_was_removed(factory: &dyn Factory) {
    let shard = factory.open();
    put(&*shard.kv, &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]).await;
    let snapshot = shard.kv.snapshot().unwrap();
    let mut batch = Batch::default();
    batch
        .delete(bytes("b"))
        .ops
        .push(Op::Merge(bytes("c"), bytes("+")));
    batch.ops.push(Op::DeleteRange(bytes("d"), bytes("e")));
    shard.kv.commit(batch, Durability::Written).await.unwrap();
    for scan in [Scan::prefix(b"b"), Scan::prefix(b""), Scan::prefix(b"x")] {
        shard.kv.reclaim(&scan);
    }
    assert_eq!(
        scan_all(&*snapshot, Scan::prefix(b""), Page::default())
            .await
            .len(),
        4
    );
    drop(snapshot);
    // The owner may leave at any moment of it.
    drop(shard);
    let shard = factory.open();
    assert_eq!(
        scan_all(&*shard.kv, Scan::prefix(b""), Page::default()).await,
        ["a", "c"]
    );
    assert_eq!(shard.kv.get(b"c").await.unwrap(), Some(bytes("3+")));
}

pub async fn kv_estimates_what_it_holds(factory: &dyn Factory) {
    let kv = factory.open().kv;
    put(&*kv, &[("a", "1"), ("b", "22")]).await;
    assert_eq!(kv.estimate(&Scan::prefix(b"")).unwrap(), (5, 2));
    assert_eq!(kv.estimate(&Scan::prefix(b"x")).unwrap(), (0, 0));
}

pub async fn kv_tells_the_space_it_takes(factory: &dyn Factory) {
    const BYTES: u64 = 100_000;
    let kv = factory.open().kv;
    let before = kv.space().unwrap();
    let mut batch = Batch::default();
    batch.put("a", vec![1; BYTES as usize]);
    kv.commit(batch, Durability::Written).await.unwrap();
    // What is kept in memory alone takes no disk.
    if let (Some(before), Some(after)) = (before, kv.space().unwrap()) {
        assert!(after.used >= before.used + BYTES, "{before:?} {after:?}");
        assert!(after.free > 0);
    }
}

pub async fn kv_keeps_acknowledged_commits(factory: &dyn Factory) {
    for (round, durability) in [Durability::Written, Durability::Synced].into_iter().enumerate() {
        let shard = factory.open();
        let mut batch = Batch::default();
        batch.put(format!("round {round}"), bytes("kept"));
        shard.kv.commit(batch, durability).await.unwrap();
        drop(shard);
        let shard = factory.open();
        let key = format!("round {round}");
        assert_eq!(shard.kv.get(key.as_bytes()).await.unwrap(), Some(bytes("kept")));
    }
}

pub async fn leases_grow_with_each_owner(factory: &dyn Factory) {
    let mut before = 0;
    for _ in 0..3 {
        let shard = factory.open();
        assert!(shard.lease.epoch() > before);
        before = shard.lease.epoch();
        let owner = shard.lease.owner().await.unwrap();
        assert_eq!(owner.map(|owner| owner.epoch), Some(before));
    }
}
