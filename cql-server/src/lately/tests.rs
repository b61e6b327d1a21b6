use super::Lately;

#[test]
fn what_is_used_stays_and_the_bytes_are_bounded() {
    let mut kept = Lately::new(100);
    for key in 0..1000 {
        assert!(kept.insert(key, key, 10));
        assert!(kept.bytes() <= 100);
        assert_eq!(kept.get(&0), Some(0), "used all the time, after {key}");
    }
    assert_eq!(kept.get(&999), Some(999));
    assert_eq!(kept.get(&500), None);
}

#[test]
fn what_is_too_heavy_is_not_kept() {
    let mut kept = Lately::new(100);
    kept.insert(1, 'a', 10);
    assert!(!kept.insert(2, 'b', 51));
    assert_eq!(kept.get(&2), None);
    assert_eq!(kept.get(&1), Some('a'));
    // In place of what was there before, too.
    assert!(!kept.insert(1, 'c', 51));
    assert_eq!((kept.get(&1), kept.bytes()), (None, 0));
}

#[test]
fn one_key_is_weighed_once() {
    let mut kept = Lately::new(100);
    for weight in [30, 20, 40, 10] {
        kept.insert(1, weight, weight);
        assert_eq!((kept.get(&1), kept.bytes()), (Some(weight), weight));
    }
    kept.retain(|_| false);
    assert_eq!((kept.get(&1), kept.bytes()), (None, 0));
}

#[test]
fn who_wants_to_know_is_told_what_was_forgotten() {
    let mut kept = Lately::noting(100);
    for key in 0..12 {
        kept.insert(key, key, 10);
    }
    kept.retain(|value| *value != 11);
    let forgotten = kept.take_forgotten();
    assert!(kept.take_forgotten().is_empty());
    for key in 0..12 {
        assert_eq!(kept.get(&key).is_none(), forgotten.contains(&key), "{key}");
    }
}

#[test]
fn what_came_back_was_not_forgotten() {
    let mut kept = Lately::noting(100);
    for key in 0..12 {
        kept.insert(key, key, 10);
    }
    kept.insert(0, 0, 10);
    assert_eq!(kept.get(&0), Some(0));
    assert!(!kept.take_forgotten().contains(&0));
}
