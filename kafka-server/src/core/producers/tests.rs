use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn batch(epoch: i16, first: i32, last: i32) -> Incoming {
    Incoming {
        producer_id: 7,
        epoch,
        first_sequence: first,
        last_sequence: last,
        timestamp_ms: 1000,
        transactional: false,
        from_start: false,
    }
}

fn transactional(producer_id: i64) -> Incoming {
    Incoming {
        producer_id,
        transactional: true,
        ..batch(0, 0, 0)
    }
}

fn marker(producer_id: i64, epoch: i16, commit: bool) -> EndMarker {
    EndMarker {
        producer_id,
        epoch,
        coordinator_epoch: 3,
        commit,
        timestamp_ms: 2000,
    }
}

#[test]
fn the_last_five_batches_are_known_again() {
    let mut producers = Producers::default();
    for at in 0..6 {
        assert_eq!(producers.check(&batch(0, at * 2, at * 2 + 1)), Ok(Verdict::New));
        producers.take(&batch(0, at * 2, at * 2 + 1), at as u64 * 2, at as u64 * 2 + 1);
    }
    let Ok(Verdict::Duplicate(taken)) = producers.check(&batch(0, 2, 3)) else {
        panic!("the fifth last is a duplicate");
    };
    assert_eq!(taken.first_offset, 2);
    let too_old = producers.check(&batch(0, 0, 1));
    assert!(matches!(too_old, Err(Refused::Sequence { current: 11, .. })));
    let overlapping = producers.check(&batch(0, 10, 12));
    assert!(matches!(overlapping, Err(Refused::Sequence { .. })));
    let gap = producers.check(&batch(0, 13, 13));
    assert!(matches!(gap, Err(Refused::Sequence { .. })));
}

#[test]
fn an_unknown_producer_may_begin_anywhere() {
    assert_eq!(Producers::default().check(&batch(4, 90, 91)), Ok(Verdict::New));
}

#[test]
fn an_unknown_producer_of_transactions_of_version_2_begins_at_zero() {
    let first = |first| Incoming {
        from_start: true,
        transactional: true,
        ..batch(4, first, first)
    };
    assert_eq!(Producers::default().check(&first(0)), Ok(Verdict::New));
    let lost = Producers::default().check(&first(3));
    assert!(matches!(lost, Err(Refused::Sequence { current: -1, .. })));
}

#[test]
fn sequences_wrap_around() {
    let mut producers = Producers::default();
    producers.take(&batch(0, i32::MAX - 1, i32::MAX), 0, 1);
    assert_eq!(producers.check(&batch(0, 0, 0)), Ok(Verdict::New));
    assert!(producers.check(&batch(0, 1, 1)).is_err());
}

#[test]
fn a_new_epoch_begins_at_zero_and_fences_the_old_one() {
    let mut producers = Producers::default();
    producers.take(&batch(1, 0, 0), 0, 0);
    let late = producers.check(&batch(2, 1, 1));
    assert!(matches!(late, Err(Refused::NewEpochSequence { .. })));
    assert_eq!(producers.check(&batch(2, 0, 0)), Ok(Verdict::New));
    producers.take(&batch(2, 0, 0), 1, 1);
    let fenced = producers.check(&batch(1, 1, 1));
    assert!(matches!(fenced, Err(Refused::Epoch { current: 2, .. })));
    let fenced = producers.check_marker(&marker(7, 1, true));
    assert!(matches!(fenced, Err(Refused::Epoch { .. })));
}

#[test]
fn a_marker_of_a_new_epoch_starts_sequences_over() {
    let mut producers = Producers::default();
    producers.take(&transactional(7), 0, 0);
    producers.take_marker(&marker(7, 1, true), 1);
    assert!(
        producers
            .check(&Incoming {
                epoch: 1,
                ..transactional(7)
            })
            .is_ok()
    );
    let late = Incoming {
        epoch: 1,
        first_sequence: 1,
        last_sequence: 1,
        ..transactional(7)
    };
    assert!(matches!(producers.check(&late), Err(Refused::Sequence { .. })));
}

#[test]
fn the_stable_offset_waits_for_every_open_transaction_and_for_durable_markers() {
    let mut producers = Producers::default();
    producers.take(&transactional(1), 10, 10);
    producers.take(&transactional(2), 11, 11);
    assert_eq!(producers.last_stable(12), 10);
    producers.take_marker(&marker(1, 0, false), 12);
    assert_eq!(producers.last_stable(12), 10, "the marker is not durable yet");
    assert_eq!(producers.last_stable(13), 11);
    producers.take_marker(&marker(2, 0, true), 13);
    assert_eq!(producers.last_stable(14), 14);
    let aborted = producers.transactions().aborted_between(0, 14);
    assert_eq!(
        aborted,
        [Aborted {
            producer_id: 1,
            first: 10,
            last: 12,
            stable: 11
        }]
    );
    assert_eq!(producers.transactions().aborted_between(13, 14), []);
    producers.trim(13);
    assert!(producers.transactions().aborted().is_empty());
}

#[test]
fn a_plain_batch_within_a_transaction_is_refused() {
    let mut producers = Producers::default();
    producers.take(&transactional(7), 0, 0);
    let plain = producers.check(&batch(0, 1, 1));
    assert_eq!(plain, Err(Refused::NotTransactional { producer_id: 7 }));
}

#[test]
fn an_old_coordinator_is_fenced() {
    let mut producers = Producers::default();
    producers.take_marker(&marker(7, 0, true), 0);
    let old = EndMarker {
        coordinator_epoch: 2,
        ..marker(7, 0, true)
    };
    assert!(matches!(
        producers.check_marker(&old),
        Err(Refused::Coordinator { current: 3, .. })
    ));
    assert_eq!(
        producers.check_marker(&marker(7, 0, true)),
        Ok(()),
        "written again after a crash"
    );
}

#[test]
fn idle_producers_are_forgotten_unless_in_a_transaction() {
    let mut producers = Producers::default();
    producers.take(&batch(0, 0, 0), 0, 0);
    producers.take(&transactional(8), 1, 1);
    producers.expire(1_500, 500);
    let known: Vec<_> = producers.iter().map(|(id, _)| id).collect();
    assert_eq!(known, [8]);
}

/// A producer that sends again what it has no answer to, over a network that loses answers: the log holds each batch
/// once and in order, whatever is repeated.
#[derive(Debug, Clone)]
enum Step {
    Send { records: i32 },
    Repeat { back: usize },
    Skip,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..5i32).prop_map(|records| Step::Send { records }),
        3 => (0..8usize).prop_map(|back| Step::Repeat { back }),
        1 => Just(Step::Skip),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn nothing_is_taken_twice_or_out_of_order(steps in steps()) {
        let mut producers = Producers::default();
        let (mut end, mut epoch, mut next) = (0u64, 0i16, 0i32);
        let mut sent: Vec<(Incoming, u64)> = Vec::new();
        for step in steps {
            match step {
                Step::Send { records } => {
                    let incoming = batch(epoch, next, next + records - 1);
                    prop_assert_eq!(producers.check(&incoming), Ok(Verdict::New));
                    producers.take(&incoming, end, end + records as u64 - 1);
                    sent.push((incoming, end));
                    next += records;
                    end += records as u64;
                }
                Step::Repeat { back } => {
                    let Some((incoming, first)) = sent.iter().rev().nth(back) else { continue };
                    let seen = sent.last().map_or(0, |(last, _)| last.epoch);
                    match producers.check(incoming) {
                        Ok(Verdict::Duplicate(taken)) => {
                            prop_assert!(back < BATCHES_REMEMBERED && incoming.epoch == seen);
                            prop_assert_eq!(taken.first_offset, *first);
                        }
                        Ok(Verdict::New) => prop_assert!(false, "taken twice"),
                        Err(_) => prop_assert!(incoming.epoch < seen || back >= BATCHES_REMEMBERED),
                    }
                }
                Step::Skip if sent.last().is_some_and(|(last, _)| last.epoch == epoch) => {
                    prop_assert!(producers.check(&batch(epoch, next + 1, next + 1)).is_err());
                }
                Step::Skip => {}
                Step::Restart => (epoch, next) = (epoch + 1, 0),
            }
        }
    }

    #[test]
    fn readers_learn_of_every_abort_in_reach(ends in prop::collection::vec((0..4i64, any::<bool>()), 0..40), from in 0..80u64, length in 1..40u64) {
        let mut producers = Producers::default();
        let (mut offset, mut open) = (0u64, BTreeMap::new());
        let mut aborted = Vec::new();
        for (producer, commit) in ends {
            match open.remove(&producer) {
                None => {
                    let incoming = transactional(producer);
                    producers.take(&incoming, offset, offset);
                    open.insert(producer, offset);
                }
                Some(first) => {
                    producers.take_marker(&marker(producer, 0, commit), offset);
                    if !commit {
                        aborted.push((first, offset));
                    }
                }
            }
            offset += 1;
        }
        let stable = producers.last_stable(offset);
        prop_assert_eq!(stable, open.values().copied().min().unwrap_or(offset));
        let to = (from + length).min(stable);
        let told = producers.transactions().aborted_between(from, to);
        for (first, last) in aborted {
            let in_reach = first < to && last >= from;
            let is_told = told.iter().any(|one| one.first == first);
            prop_assert!(!in_reach || is_told, "{first}..={last} is not told to {from}..{to}");
        }
    }
}
