use super::{Cell, Content, Deletion, Deletions, Expiry, RangeDeletion, Row, RowWriter, Stamp, merge};
use proptest::{collection::vec, option, prelude::*};

/// A fragment in plain data, to compare with.
type Decoded = (
    Option<Stamp>,
    Option<Deletion>,
    Vec<(u32, Option<Vec<u8>>, i64, String)>,
);

fn decoded(fragment: &[u8]) -> Decoded {
    let row = Row::read(fragment).expect("a fragment");
    let cells = row
        .cells()
        .map(|cell| {
            (
                cell.column,
                cell.path.map(<[u8]>::to_vec),
                cell.timestamp,
                format!("{:?}", cell.content),
            )
        })
        .collect();
    (row.liveness, row.deletion, cells)
}

fn stamp(timestamp: i64) -> Stamp {
    Stamp {
        timestamp,
        expiry: None,
    }
}

fn expiry() -> impl Strategy<Value = Expiry> {
    (0..3i64, 1..3u32).prop_map(|(at, ttl)| Expiry { at, ttl })
}

pub(super) fn deletion() -> impl Strategy<Value = Deletion> {
    (0..4i64, 0..2i64).prop_map(|(timestamp, at)| Deletion { timestamp, at })
}

#[derive(Debug, Clone)]
enum Held {
    Value(Vec<u8>),
    Expiring(Vec<u8>, Expiry),
    Dead(i64),
    Cleared(i64),
}

/// Few columns, paths, times and values, so that ties are frequent. Columns 2 and 3 have elements.
pub(super) fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let held = prop_oneof![
        vec(0..2u8, 0..2).prop_map(Held::Value),
        (vec(0..2u8, 0..2), expiry()).prop_map(|(value, expiry)| Held::Expiring(value, expiry)),
        (0..2i64).prop_map(Held::Dead),
        (0..2i64).prop_map(Held::Cleared),
    ];
    let cell = (0..4u32, vec(0..2u8, 1), 0..4i64, held);
    let head = (
        0..4i64,
        option::of(expiry()),
        any::<bool>(),
        option::weighted(0.2, deletion()),
    );
    (head, vec(cell, 0..5)).prop_map(|((timestamp, expiry, live, deletion), cells)| {
        let mut writer = RowWriter::new(Stamp { timestamp, expiry }, live, deletion);
        for (column, path, timestamp, held) in &cells {
            let elements = *column >= 2;
            let content = match held {
                Held::Value(value) => Content::Value(value),
                Held::Expiring(value, expiry) => Content::Expiring(value, *expiry),
                Held::Cleared(at) if elements => Content::Cleared { at: *at },
                Held::Dead(at) | Held::Cleared(at) => Content::Dead { at: *at },
            };
            let clears = matches!(content, Content::Cleared { .. });
            writer.cell(&Cell {
                column: *column,
                path: (elements && !clears).then_some(path),
                timestamp: *timestamp,
                content,
            });
        }
        writer.finish()
    })
}

/// What was added to two counters, now and then with a deletion of their row.
fn counted() -> impl Strategy<Value = Vec<u8>> {
    let count = (0..2u32, 0..4i64, -3..4i64);
    (0..4i64, vec(count, 0..3), option::weighted(0.3, deletion())).prop_map(
        |(timestamp, counts, deletion)| {
            let mut writer = RowWriter::new(stamp(timestamp), false, deletion);
            for (column, timestamp, count) in counts {
                writer.cell(&Cell {
                    column,
                    path: None,
                    timestamp,
                    content: Content::Count(count),
                });
            }
            writer.finish()
        },
    )
}

pub(super) fn deletions() -> impl Strategy<Value = Vec<u8>> {
    let range = (vec(0..4u8, 0..3), vec(0..4u8, 1..3), deletion());
    (option::weighted(0.3, deletion()), vec(range, 0..4)).prop_map(|(partition, ranges)| {
        let ranges = ranges
            .iter()
            .map(|(from, to, deletion)| RangeDeletion {
                from,
                to,
                deletion: *deletion,
            })
            .filter(|range| range.from < range.to);
        let one = ranges.map(|range| Deletions {
            partition,
            ranges: vec![range],
        });
        Deletions::merge(one.chain([Deletions {
            partition,
            ranges: vec![],
        }]))
        .to_bytes()
    })
}

proptest! {
    #[test]
    fn it_does_not_matter_who_merges_what_when(a in fragment(), b in fragment(), c in fragment()) {
        let all = decoded(&merge(None, &[&a, &b, &c]));
        prop_assert_eq!(&decoded(&merge(Some(&merge(Some(&a), &[&b])), &[&c])), &all);
        prop_assert_eq!(&decoded(&merge(Some(&a), &[&merge(Some(&b), &[&c])])), &all);
        prop_assert_eq!(&decoded(&merge(Some(&c), &[&a, &b])), &all);
        prop_assert_eq!(&decoded(&merge(Some(&b), &[&c, &a, &b, &a])), &all);
    }

    #[test]
    fn counts_add_up_whoever_merges_what_when(all in vec(counted(), 1..6), at in 0..6usize, order in any::<prop::sample::Index>()) {
        let operands: Vec<&[u8]> = all.iter().map(|one| &one[..]).collect();
        let folded = decoded(&merge(None, &operands));
        let (first, rest) = operands.split_at(at.min(operands.len()));
        let first = merge(None, first);
        prop_assert_eq!(&decoded(&merge(Some(&first), rest)), &folded);
        prop_assert_eq!(&decoded(&merge(Some(&first), &[&merge(None, rest)])), &folded);
        let mut turned = operands.clone();
        turned.rotate_left(order.index(operands.len()));
        prop_assert_eq!(&decoded(&merge(None, &turned)), &folded);
    }

    #[test]
    fn what_shows_is_the_same_before_and_after_merging(a in fragment(), now in 0..4i64) {
        let merged = merge(Some(&a), &[&a]);
        let (written, merged) = (Row::read(&a).unwrap(), Row::read(&merged).unwrap());
        prop_assert_eq!(written.lives_at(now, None), merged.lives_at(now, None));
    }

    #[test]
    fn deletions_merge_in_any_order(a in deletions(), b in deletions(), c in deletions(), at in vec(0..4u8, 0..3)) {
        let all = merge(None, &[&a, &b, &c]);
        prop_assert_eq!(&merge(Some(&merge(Some(&c), &[&b])), &[&a]), &all);
        prop_assert_eq!(&merge(Some(&b), &[&merge(Some(&a), &[&c]), &b]), &all);
        let single = [&a, &b, &c].map(|one| Deletions::read(one).unwrap().at(&at));
        prop_assert_eq!(Deletions::read(&all).unwrap().at(&at), single.into_iter().max().flatten());
    }

    #[test]
    fn any_bytes_are_read_without_harm(a in vec(any::<u8>(), 0..60), b in fragment()) {
        let mut framed = vec![1];
        framed.extend_from_slice(&a);
        for bytes in [&a, &framed] {
            if let Some(row) = Row::read(bytes) {
                let _ = row.cells().count();
            }
            let _ = Deletions::read(bytes);
            prop_assert!(Row::read(&merge(Some(&b), &[bytes])).is_some());
        }
    }
}

fn one(timestamp: i64, content: Content<'_>) -> Vec<u8> {
    let mut writer = RowWriter::new(stamp(timestamp), false, None);
    writer.cell(&Cell {
        column: 7,
        path: None,
        timestamp,
        content,
    });
    writer.finish()
}

fn winner(left: &[u8], right: &[u8]) -> String {
    let merged = merge(Some(left), &[right]);
    let row = Row::read(&merged).unwrap();
    let found: Vec<_> = row.cells().map(|cell| format!("{:?}", cell.content)).collect();
    found.join(" ")
}

#[test]
fn ties_are_broken_as_the_original_breaks_them() {
    let value = |value| one(5, Content::Value(value));
    let dead = one(5, Content::Dead { at: 1 });
    let expiring = |at, ttl| one(5, Content::Expiring(b"a", Expiry { at, ttl }));
    assert_eq!(winner(&value(b"a"), &value(b"b")), "Value([98])");
    assert_eq!(winner(&value(b"b"), &one(6, Content::Value(b"a"))), "Value([97])");
    assert_eq!(winner(&value(b"b"), &dead), "Dead { at: 1 }");
    assert_eq!(winner(&dead, &expiring(9, 9)), "Dead { at: 1 }");
    assert!(winner(&value(b"z"), &expiring(9, 9)).starts_with("Expiring"));
    assert!(winner(&expiring(8, 9), &expiring(9, 9)).contains("at: 9"));
}

#[test]
fn counts_add_up_until_their_counter_is_deleted() {
    let plus = |count| one(5, Content::Count(count));
    assert_eq!(winner(&plus(3), &plus(-1)), "Count(2)");
    assert_eq!(
        winner(&plus(3), &one(1, Content::Dead { at: 1 })),
        "Dead { at: 1 }"
    );
}

#[test]
fn a_deleted_row_comes_back_with_what_is_written_later() {
    let mut insert = RowWriter::new(stamp(10), true, None);
    insert.value(1, None, b"old");
    let insert = insert.finish();
    let deleted = RowWriter::new(stamp(11), false, Some(Deletion { timestamp: 11, at: 0 })).finish();
    let merged = merge(Some(&insert), &[&deleted]);
    assert!(!Row::read(&merged).unwrap().lives_at(0, None));
    let mut update = RowWriter::new(stamp(12), false, None);
    update.value(2, None, b"new");
    let merged = merge(Some(&merged), &[&update.finish()]);
    let row = Row::read(&merged).unwrap();
    let columns: Vec<_> = row.live_cells(0, None).map(|cell| cell.column).collect();
    assert_eq!(columns, [2]);
    assert!(!row.is_marked_at(0, None));
    assert!(!row.lives_at(0, Some(Deletion { timestamp: 12, at: 0 })));
}

#[test]
fn an_inserted_row_is_small() {
    let mut insert = RowWriter::new(stamp(1_700_000_000_000_000), true, None);
    insert.value(3, None, &[0; 192]);
    assert_eq!(insert.finish().len(), 192 + 14);
}
