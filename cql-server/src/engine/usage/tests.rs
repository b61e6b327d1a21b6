use super::{BUCKETS, Done, Histogram, Usage, bound, bucket};
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #[test]
    fn a_value_lies_in_its_bucket(value in 0..1u64 << 38) {
        let at = bucket(value);
        prop_assert!(value <= bound(at));
        prop_assert!(at == 0 || bound(at - 1) < value);
        prop_assert!(bound(at) <= value + value / 4 + 1, "no more than a quarter off");
    }
}

#[test]
fn buckets_grow() {
    assert!((1..BUCKETS).all(|at| bound(at - 1) < bound(at)));
    assert_eq!(bucket(u64::MAX), BUCKETS - 1);
}

#[test]
fn what_came_is_summed_up() {
    let histogram = Histogram::default();
    for value in 1..=100 {
        histogram.add(value, Duration::from_secs(59));
    }
    let summary = histogram.summary(Duration::from_secs(60));
    assert_eq!((summary.count, summary.max), (100, 100));
    assert!((50..=56).contains(&summary.median), "{summary:?}");
    assert!((99..=100).contains(&summary.late), "{summary:?}");
    assert_eq!(summary.per_second, 100.0 / 60.0);
    assert_eq!(histogram.summary(Duration::from_secs(180)).per_second, 0.0);
}

#[test]
fn tables_are_told_apart() {
    let usage = Usage::default();
    usage.count(1, Done::Read, Duration::ZERO, Duration::from_micros(7));
    usage.count(2, Done::Write, Duration::ZERO, Duration::from_micros(9));
    let all = usage.tables.load();
    assert_eq!(all[&1].read_us.summary(Duration::ZERO).max, 7);
    assert_eq!(all[&1].write_us.summary(Duration::ZERO).count, 0);
    assert_eq!(all[&2].write_us.summary(Duration::ZERO).max, 9);
}
