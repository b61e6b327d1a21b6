use super::*;

fn segments() -> Vec<Segment> {
    let segment = |at: u64| Segment {
        end: at * 10,
        bytes: 100,
        newest_ms: Some(at as i64 * 1000),
    };
    (1..=4).map(segment).collect()
}

fn by_age(age_max_ms: i64) -> Bounds {
    Bounds {
        age_max_ms: Some(age_max_ms),
        bytes_max: None,
    }
}

fn by_bytes(bytes_max: u64) -> Bounds {
    Bounds {
        age_max_ms: None,
        bytes_max: Some(bytes_max),
    }
}

#[test]
fn segments_go_once_their_last_record_is_too_old() {
    assert_eq!(start_after(&segments(), 40, 5000, &by_age(2000)), Some(20));
    assert_eq!(start_after(&segments(), 40, 2000, &by_age(2000)), None);
    assert_eq!(start_after(&segments(), 40, 99_000, &by_age(0)), Some(40));
}

#[test]
fn a_young_segment_protects_those_behind_it() {
    let mut segments = segments();
    segments[0].newest_ms = Some(9000);
    assert_eq!(start_after(&segments, 40, 9000, &by_age(1000)), None);
}

#[test]
fn what_has_no_time_never_grows_old() {
    let mut segments = segments();
    segments[0].newest_ms = None;
    assert_eq!(start_after(&segments, 40, i64::MAX, &by_age(0)), None);
}

#[test]
fn at_least_the_asked_bytes_stay() {
    assert_eq!(start_after(&segments(), 40, 0, &by_bytes(250)), Some(10));
    assert_eq!(start_after(&segments(), 40, 0, &by_bytes(200)), Some(20));
    assert_eq!(start_after(&segments(), 40, 0, &by_bytes(400)), None);
    assert_eq!(start_after(&segments(), 40, 0, &by_bytes(0)), Some(40));
}

#[test]
fn nothing_above_the_high_watermark_goes() {
    assert_eq!(start_after(&segments(), 25, 99_000, &by_age(0)), Some(20));
}

#[test]
fn nothing_asked_nothing_dropped() {
    let bounds = Bounds {
        age_max_ms: None,
        bytes_max: None,
    };
    assert_eq!(start_after(&segments(), 40, i64::MAX, &bounds), None);
}
