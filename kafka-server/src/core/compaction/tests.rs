use super::*;
use crate::core::producers::Aborted;
use proptest::prelude::*;

const NOW_MS: i64 = 1_000_000;

fn plain(last: u64) -> BatchFacts {
    BatchFacts {
        last,
        producer: None,
        transactional: false,
        commits: None,
        horizon_ms: None,
    }
}

fn of_transaction(last: u64, commits: Option<bool>) -> BatchFacts {
    BatchFacts {
        producer: Some((1, 0)),
        transactional: true,
        commits,
        ..plain(last)
    }
}

fn key(of: u64) -> KeyHash {
    (of, of)
}

fn cleaning<'a>(keys: &'a KeyMap, last_of: &'a HashMap<i64, LastOf>, aborted: Vec<Aborted>) -> Cleaning<'a> {
    Cleaning {
        keys,
        transactions: CleanedTransactions::new(aborted),
        last_of,
        now_ms: NOW_MS,
        delete_retention_ms: 500,
    }
}

#[test]
fn a_tombstone_is_kept_until_its_horizon() {
    let (mut keys, last_of) = (KeyMap::new(10), HashMap::new());
    keys.note(key(1), 0);
    keys.note_end(1);
    let mut cleaning = cleaning(&keys, &last_of, Vec::new());
    let mut batch = plain(0);
    let fate = cleaning.batch(&batch);
    assert!(cleaning.keeps(&batch, fate, 0, Some(key(1)), true));
    assert_eq!(cleaning.horizon(&batch, fate, true), Some(NOW_MS + 500));
    batch.horizon_ms = Some(NOW_MS + 1);
    assert!(cleaning.keeps(&batch, fate, 0, Some(key(1)), true));
    assert_eq!(cleaning.horizon(&batch, fate, true), None, "it has one");
    batch.horizon_ms = Some(NOW_MS);
    assert!(!cleaning.keeps(&batch, fate, 0, Some(key(1)), true));
    assert!(
        cleaning.keeps(&batch, fate, 0, Some(key(1)), false),
        "a value stays"
    );
}

#[test]
fn what_was_not_looked_at_stays() {
    let (mut keys, last_of) = (KeyMap::new(10), HashMap::new());
    keys.note(key(1), 4);
    keys.note_end(5);
    let mut cleaning = cleaning(&keys, &last_of, Vec::new());
    let fate = cleaning.batch(&plain(9));
    assert!(!cleaning.keeps(&plain(9), fate, 3, Some(key(1)), false));
    assert!(cleaning.keeps(&plain(9), fate, 5, None, false));
    assert!(
        !cleaning.keeps(&plain(9), fate, 3, None, false),
        "no key, no place"
    );
    assert_eq!(cleaning.horizon(&plain(9), fate, true), None);
}

#[test]
fn aborted_records_go_and_their_marker_after_its_horizon() {
    let (mut keys, last_of) = (KeyMap::new(10), HashMap::new());
    keys.note_end(10);
    let aborted = Aborted {
        producer_id: 1,
        first: 0,
        last: 2,
        stable: 3,
    };
    let mut first = cleaning(&keys, &last_of, vec![aborted]);
    assert!(first.batch(&of_transaction(0, None)).discard);
    let marker = of_transaction(2, Some(false));
    let fate = first.batch(&marker);
    assert!(!fate.discard, "its records were there until now");
    assert_eq!(first.horizon(&marker, fate, false), None);
    // The next pass meets the marker alone.
    let mut second = cleaning(&keys, &last_of, vec![aborted]);
    let fate = second.batch(&marker);
    assert!(!fate.discard);
    assert_eq!(second.horizon(&marker, fate, false), Some(NOW_MS + 500));
    let due = BatchFacts {
        horizon_ms: Some(NOW_MS),
        ..marker
    };
    let mut third = cleaning(&keys, &last_of, vec![aborted]);
    assert!(third.batch(&due).discard);
}

#[test]
fn a_commit_stays_while_a_record_of_it_does() {
    let (mut keys, last_of) = (KeyMap::new(10), HashMap::new());
    keys.note_end(10);
    let due = BatchFacts {
        horizon_ms: Some(0),
        ..of_transaction(2, Some(true))
    };
    let mut with = cleaning(&keys, &last_of, Vec::new());
    assert!(!with.batch(&of_transaction(0, None)).discard);
    assert!(!with.batch(&due).discard);
    let mut without = cleaning(&keys, &last_of, Vec::new());
    assert!(without.batch(&due).discard);
}

#[test]
fn the_last_batch_of_a_producer_stays_if_empty() {
    let (keys, mut last_of) = (KeyMap::new(10), HashMap::new());
    last_of.insert(1, LastOf::Data(4));
    last_of.insert(2, LastOf::Marker(3));
    let mut cleaning = cleaning(&keys, &last_of, Vec::new());
    let batch = |id, epoch, last, commits| BatchFacts {
        producer: Some((id, epoch)),
        ..of_transaction(last, commits)
    };
    assert!(cleaning.batch(&batch(1, 0, 4, None)).keep_empty);
    assert!(!cleaning.batch(&batch(1, 0, 3, None)).keep_empty);
    assert!(cleaning.batch(&batch(2, 3, 9, Some(true))).keep_empty);
    assert!(!cleaning.batch(&batch(2, 2, 8, Some(true))).keep_empty);
}

fn segment(at: u64) -> Segment {
    Segment {
        first: at * 10,
        end: at * 10 + 10,
        bytes: 100,
        timestamp_max_ms: at as i64,
    }
}

#[test]
fn compaction_is_due_by_ratio_or_by_age() {
    let segments: Vec<_> = (0..4).map(segment).collect();
    let asked = Asked {
        lag_min_ms: 0,
        lag_max_ms: i64::MAX,
        dirty_ratio_min: 0.5,
    };
    assert_eq!(due(&segments, 0, 40, NOW_MS, &asked), Some(0..40));
    assert_eq!(
        due(&segments, 20, 40, NOW_MS, &asked),
        None,
        "half is not more than half"
    );
    assert_eq!(due(&segments, 40, 40, NOW_MS, &asked), None);
    assert_eq!(
        due(&segments, 0, 39, NOW_MS, &asked),
        Some(0..30),
        "up to what is stable"
    );
    let old = Asked {
        lag_max_ms: 10,
        ..asked
    };
    assert_eq!(due(&segments, 20, 40, NOW_MS, &old), Some(20..40));
    let lagging = Asked {
        lag_min_ms: NOW_MS - 1,
        ..asked
    };
    assert_eq!(due(&segments, 0, 40, NOW_MS, &lagging), Some(0..20));
}

proptest! {
    /// Whatever the sizes of the map and the passes, the newest value of each key stays and nothing comes back.
    #[test]
    fn the_latest_of_each_key_survives(records in prop::collection::vec((0..6u64, any::<bool>()), 1..80), keys_max in 1..6usize) {
        let mut log: Vec<(u64, u64, bool)> = records
            .iter()
            .zip(0..)
            .map(|((key, tombstone), offset)| (offset, *key, *tombstone))
            .collect();
        let (end, last_of) = (log.len() as u64, HashMap::new());
        let mut cleaned = 0;
        while cleaned < end {
            let mut keys = KeyMap::new(keys_max);
            for (offset, of, _) in log.iter().filter(|(offset, _, _)| *offset >= cleaned) {
                if keys.is_full_for(1) {
                    break;
                }
                keys.note(key(*of), *offset);
                keys.note_end(offset + 1);
            }
            if keys.end() == 0 {
                break;
            }
            let mut pass = cleaning(&keys, &last_of, Vec::new());
            log.retain(|(offset, of, tombstone)| {
                let batch = plain(*offset);
                let fate = pass.batch(&batch);
                pass.keeps(&batch, fate, *offset, Some(key(*of)), *tombstone)
            });
            prop_assert!(keys.end() > cleaned);
            cleaned = keys.end();
        }
        for of in 0..6 {
            let newest = records.iter().rposition(|(key, _)| *key == of).map(|at| at as u64);
            let kept: Vec<_> = log.iter().filter(|(_, key, _)| *key == of).map(|(offset, _, _)| *offset).collect();
            prop_assert_eq!(kept, newest.into_iter().collect::<Vec<_>>());
        }
    }
}
