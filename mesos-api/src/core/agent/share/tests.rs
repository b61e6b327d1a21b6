use super::*;
use crate::core::resources::scalar;

fn limits(all: &[(&str, f64)]) -> Limits {
    let all = all.iter();
    all.map(|(name, value)| ((*name).to_owned(), Scalar { value: *value }))
        .collect()
}

#[test]
fn those_that_share_a_container_have_what_they_have_together() {
    let (one, two) = (
        [scalar("cpus", 0.5), scalar("mem", 32.0)],
        [scalar("cpus", 0.25), scalar("mem", 16.0)],
    );
    let share = Share::of([(&one[..], None), (&two[..], None)].into_iter());
    let expected = Share {
        cpus_milli: 750,
        cpus_max_milli: None,
        memory_bytes: 48 << 20,
        memory_max: Some(48 << 20),
    };
    assert_eq!(share, expected);
}

#[test]
fn limits_go_beyond_what_somebody_has() {
    let has = [scalar("cpus", 0.5), scalar("mem", 32.0)];
    let of = |all: &[(&str, f64)]| Share::of([(&has[..], Some(&limits(all))), (&has[..], None)].into_iter());
    let bounded = of(&[("cpus", 2.0), ("mem", 64.0)]);
    assert_eq!(bounded.cpus_max_milli, Some(2500));
    assert_eq!(
        (bounded.memory_bytes, bounded.memory_max),
        (64 << 20, Some(96 << 20))
    );
    let free = of(&[("cpus", f64::INFINITY), ("mem", f64::INFINITY)]);
    assert_eq!((free.cpus_max_milli, free.memory_max), (None, None));
    assert_eq!(Share::of(std::iter::empty()), Share::default());
}
