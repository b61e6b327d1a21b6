use super::{Cursor, Head, Part, Partition, Place, Slice, Writes};
use crate::core::rows::{Deletion, Row, RowWriter, Stamp, merge};
use std::{ops::Bound, sync::Arc};
use storage::{Durability, Kv, memory::Store};

fn kv() -> Arc<dyn Kv> {
    let fold = |_: &[u8], existing: Option<&[u8]>, operands: &[&[u8]]| merge(existing, operands);
    Store::new(Some(Arc::new(fold))).open().kv
}

fn fragment(timestamp: i64) -> Vec<u8> {
    let stamp = Stamp {
        timestamp,
        expiry: None,
    };
    RowWriter::new(stamp, true, None).finish()
}

async fn positions(mut cursor: Cursor<'_>) -> Vec<(i64, u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((place, _)) = cursor.next().await.unwrap() {
        found.push((place.partition.token(), place.part as u8, place.position.to_vec()));
    }
    found
}

#[test]
fn a_key_tells_what_it_was_made_of() {
    for token in [i64::MIN, -1, 0, 7, i64::MAX] {
        let partition = Partition::new(9, token, b"key");
        assert_eq!((partition.token(), &partition.key()[..]), (token, &b"key"[..]));
        let place = Place::read(&partition.row_key(b"pos")).unwrap();
        assert_eq!(place.partition, partition);
        assert_eq!((place.part, &place.position[..]), (Part::Row, &b"pos"[..]));
    }
    assert_eq!(Place::read(&bytes::Bytes::from_static(b"c\x03short")), None);
}

#[tokio::test]
async fn slices_are_read_in_both_directions() {
    let kv = kv();
    let (here, other) = (Partition::new(1, 5, b"a"), Partition::new(1, 5, b"b"));
    let mut writes = Writes::default();
    for position in [b"1", b"2", b"3", b"4", b"5"] {
        writes.row(&here, position, fragment(1));
        writes.row(&other, position, fragment(1));
    }
    kv.commit(writes.batch, Durability::Memory).await.unwrap();
    let snapshot = kv.snapshot().unwrap();
    let slices = [
        Slice::one(b"1"),
        Slice {
            from: b"3".to_vec(),
            to: None,
        },
    ];
    let forward = positions(Cursor::slices(&*snapshot, &here, &slices, false, 1)).await;
    let found: Vec<&[u8]> = forward.iter().map(|(_, _, position)| &position[..]).collect();
    assert_eq!(found, [b"1", b"3", b"4", b"5"]);
    let mut backward = positions(Cursor::slices(&*snapshot, &here, &slices, true, 2)).await;
    backward.reverse();
    assert_eq!(forward, backward);
}

#[tokio::test]
async fn tokens_are_scanned_in_order_and_from_anywhere() {
    let kv = kv();
    let mut writes = Writes::default();
    for token in [i64::MIN, -3, 0, 4, i64::MAX] {
        let partition = Partition::new(1, token, b"k");
        writes.static_row(&partition, fragment(1));
        writes.row(&partition, b"x", fragment(1));
        writes.row(&Partition::new(2, token, b"k"), b"x", fragment(1));
    }
    kv.commit(writes.batch, Durability::Memory).await.unwrap();
    let rows = async |from, to| positions(Cursor::tokens(&*kv, 1, from, to, 3)).await;
    let all = rows(Bound::Unbounded, Bound::Unbounded).await;
    assert_eq!(all.len(), 10);
    assert!(all.is_sorted());
    let tokens =
        |found: Vec<(i64, u8, Vec<u8>)>| found.iter().step_by(2).map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(
        tokens(rows(Bound::Excluded(-3), Bound::Included(4)).await),
        [0, 4]
    );
    assert_eq!(
        tokens(rows(Bound::Included(4), Bound::Unbounded).await),
        [4, i64::MAX]
    );
    assert!(
        rows(Bound::Excluded(i64::MAX), Bound::Unbounded).await.is_empty(),
        "nothing follows the last token"
    );
    let mut cursor = Cursor::tokens(&*kv, 1, Bound::Unbounded, Bound::Unbounded, 3);
    cursor.resume(&Partition::new(1, 0, b"k"), None);
    assert_eq!(tokens(positions(cursor).await), [4, i64::MAX]);
}

#[tokio::test]
async fn deletions_are_markers_that_cover_by_timestamp() {
    let kv = kv();
    let partition = Partition::new(1, 0, b"k");
    let mut writes = Writes::default();
    writes.row(&partition, b"a", fragment(10));
    writes.row(&partition, b"b", fragment(10));
    let all = Slice {
        from: b"b".to_vec(),
        to: None,
    };
    writes.delete_slice(&partition, &all, Deletion { timestamp: 10, at: 1 });
    writes.delete_partition(&partition, Deletion { timestamp: 9, at: 1 });
    kv.commit(writes.batch, Durability::Memory).await.unwrap();
    let head = Head::read(&*kv, &partition, true).await.unwrap();
    assert!(head.static_row.is_none());
    let deletions = head.deletions();
    let mut cursor = Cursor::slices(&*kv, &partition, &[Slice::default()], false, 10);
    let mut alive = Vec::new();
    while let Some((place, stored)) = cursor.next().await.unwrap() {
        let row = Row::read(&stored).unwrap();
        alive.push(row.lives_at(0, deletions.at(&place.position)));
    }
    assert_eq!(alive, [true, false]);
}
