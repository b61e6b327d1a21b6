use super::{Ends, Grace, Left, collect, collect_deletions};
use crate::core::rows::{
    Cell, Content, Deletion, Deletions, Expiry, Row, RowWriter, Stamp, merge,
    tests::{deletion, deletions, fragment},
};
use proptest::{collection::vec, option, prelude::*};

const FOR_EVER: i64 = i64::MAX;

fn left(fragment: &[u8], enclosing: Option<Deletion>, now: i64, seconds: i64) -> Option<Vec<u8>> {
    match collect(fragment, enclosing, Grace { now, seconds }, |_, _| false) {
        Left::All => Some(fragment.to_vec()),
        Left::Some(left) => Some(left),
        Left::Nothing => None,
    }
}

/// All that a reader can tell of a row.
fn shown(fragment: Option<&[u8]>, now: i64, enclosing: Option<Deletion>) -> (bool, bool, Vec<String>) {
    let Some(row) = fragment.and_then(Row::read) else {
        return (false, false, Vec::new());
    };
    let cells = row.live_cells(now, enclosing).map(|cell| format!("{cell:?}"));
    (
        row.lives_at(now, enclosing),
        row.is_marked_at(now, enclosing),
        cells.collect(),
    )
}

/// Everything of it written so much later.
fn later(fragment: &[u8], by: i64) -> Vec<u8> {
    let row = Row::read(fragment).unwrap();
    let moved = |stamp: Stamp| Stamp {
        timestamp: stamp.timestamp + by,
        ..stamp
    };
    let deletion = row.deletion.map(|deletion| Deletion {
        timestamp: deletion.timestamp + by,
        ..deletion
    });
    let stamp = Stamp {
        timestamp: 0,
        expiry: None,
    };
    let mut out = RowWriter::new(
        row.liveness.map_or(stamp, moved),
        row.liveness.is_some(),
        deletion,
    );
    for cell in row.cells() {
        out.cell(&Cell {
            timestamp: cell.timestamp + by,
            ..cell
        });
    }
    out.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn nobody_sees_what_went(
        all in vec(fragment(), 1..4), enclosing in option::of(deletion()),
        now in 0..5i64, seconds in 0..3i64, waited in 0..4i64,
    ) {
        let all: Vec<&[u8]> = all.iter().map(|one| &one[..]).collect();
        let stored = merge(None, &all);
        let left = left(&stored, enclosing, now, seconds);
        prop_assert_eq!(
            shown(left.as_deref(), now + waited, enclosing),
            shown(Some(&stored), now + waited, enclosing)
        );
    }

    /// Whatever is remembered hides what it hid, in whatever order it comes.
    #[test]
    fn what_comes_within_the_grace_meets_the_same(
        stored in fragment(), more in fragment(), enclosing in option::of(deletion()), now in 0..5i64, waited in 0..4i64,
    ) {
        let left = left(&stored, enclosing, now, FOR_EVER);
        let after = merge(left.as_deref(), &[&more]);
        prop_assert_eq!(
            shown(Some(&after), now + waited, enclosing),
            shown(Some(&merge(Some(&stored), &[&more])), now + waited, enclosing)
        );
    }

    #[test]
    fn what_is_written_later_meets_the_same(
        stored in fragment(), more in fragment(), enclosing in option::of(deletion()),
        now in 0..5i64, seconds in 0..3i64, waited in 0..4i64,
    ) {
        let more = later(&more, 10);
        let left = left(&stored, enclosing, now, seconds);
        let after = merge(left.as_deref(), &[&more]);
        prop_assert_eq!(
            shown(Some(&after), now + waited, enclosing),
            shown(Some(&merge(Some(&stored), &[&more])), now + waited, enclosing)
        );
    }

    #[test]
    fn all_that_can_go_goes_at_once(stored in fragment(), enclosing in option::of(deletion()), now in 0..5i64, seconds in 0..3i64) {
        let Some(once) = left(&stored, enclosing, now, seconds) else { return Ok(()) };
        prop_assert_eq!(left(&once, enclosing, now, seconds), Some(once.clone()));
        // Nor can more of it go before it says.
        let due = Ends::of(&once, now).due(seconds);
        let before = due.map_or(now + 10, |due| due - 1);
        prop_assert!(due.is_none_or(|due| due > now), "{:?}", due);
        prop_assert_eq!(left(&once, enclosing, before, seconds), Some(once));
    }

    #[test]
    fn deletions_go_when_their_grace_is_over(record in deletions(), now in 0..5i64, seconds in 0..3i64, at in vec(0..4u8, 0..3)) {
        let before = Deletions::read(&record).unwrap();
        let remembered = before.at(&at).filter(|deletion| deletion.at + seconds >= now);
        let after = match collect_deletions(&record, Grace { now, seconds }) {
            Left::All => record.clone(),
            Left::Some(left) => left,
            Left::Nothing => {
                prop_assert_eq!(remembered, None);
                return Ok(());
            }
        };
        let found = Deletions::read(&after).unwrap().at(&at);
        // Of two at the same place the older one may still be there.
        prop_assert!(found >= remembered && found <= before.at(&at));
    }

    #[test]
    fn any_bytes_are_collected_without_harm(bytes in vec(any::<u8>(), 0..60), now in any::<i64>(), seconds in any::<i64>()) {
        for first in [1, 2] {
            let framed = [&[first], &bytes[..]].concat();
            left(&framed, Some(Deletion { timestamp: now, at: seconds }), now, seconds);
            let _ = collect_deletions(&framed, Grace { now, seconds });
            let _ = Ends::of(&framed, now).due(seconds);
        }
    }
}

#[test]
fn an_expired_row_first_loses_its_values_and_then_goes() {
    let expiry = Expiry { at: 100, ttl: 60 };
    let stamp = Stamp {
        timestamp: 7,
        expiry: Some(expiry),
    };
    let mut row = RowWriter::new(stamp, true, None);
    row.value(1, None, &[9; 500]);
    let row = row.finish();
    let with_grace = |now| left(&row, None, now, 50);
    assert_eq!(with_grace(99), Some(row.clone()));
    assert!(with_grace(100).is_none_or(|row| row.len() > 20));
    let Some(short) = left(&row, None, 100, 500) else {
        panic!("it is remembered")
    };
    assert!(short.len() < 30, "{short:?}");
    assert_eq!(Ends::of(&short, 100).due(500), Some(541));
    assert_eq!(left(&short, None, 540, 500), Some(short.clone()));
    assert_eq!(left(&short, None, 541, 500), None);
}

#[test]
fn columns_that_were_dropped_go() {
    let stamp = Stamp {
        timestamp: 7,
        expiry: None,
    };
    let mut row = RowWriter::new(stamp, true, None);
    row.value(1, None, b"dropped");
    row.value(2, None, b"kept");
    let grace = Grace { now: 0, seconds: 0 };
    let Left::Some(left) = collect(&row.finish(), None, grace, |column, timestamp| {
        column == 1 && timestamp <= 7
    }) else {
        panic!("it should have lost a cell");
    };
    let cells: Vec<_> = Row::read(&left)
        .unwrap()
        .cells()
        .map(|cell| cell.content)
        .collect();
    assert_eq!(cells, [Content::Value(b"kept")]);
}
