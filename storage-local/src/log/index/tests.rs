use super::*;

fn filled(entries: u64) -> Index {
    let mut index = Index::new(1000, 256);
    for at in 0..entries {
        let meta = EntryMeta {
            first: 1000 + at * 2,
            last: 1001 + at * 2,
            timestamp_max_ms: at as i64,
            bytes: 100,
        };
        index.push(&meta, at * 100);
    }
    index
}

#[test]
fn finds_places_by_offset_position_and_time() {
    let index = filled(100);
    let exact = index.at_offset(1006);
    assert_eq!(
        exact,
        Boundary {
            offset: 1006,
            position: 300
        }
    );
    assert_eq!(index.at_offset(1011), exact);
    assert_eq!(index.at_offset(0).position, 0);
    assert_eq!(index.at_position(599, u64::MAX), Some(exact));
    assert_eq!(index.at_position(10_000, 1007), Some(exact));
    assert_eq!(index.at_time(i64::MIN), 0);
    // Every timestamp before byte 300 is below 3; the place at 600 has 5 before it.
    assert_eq!(index.at_time(3), 300);
    assert_eq!(index.at_time(5), 300);
    assert_eq!(index.at_time(6), 600);
}

#[test]
fn memory_stays_bounded() {
    let index = filled(200_000);
    assert!(index.places.len() <= PLACES_MAX);
    let found = index.at_offset(1000 + 2 * 150_000);
    assert!(
        found.position <= 15_000_000 && found.position > 14_900_000,
        "{found:?}"
    );
    assert_eq!(found.offset, 1000 + found.position / 100 * 2);
}

#[test]
fn sidecars_are_taken_only_if_they_check_out() {
    let index = filled(100);
    let raw = index.encode(10_000);
    let read = Index::decode(1000, 10_000, &raw).unwrap();
    assert_eq!(read.places, index.places);
    assert_eq!(read.timestamp_max_ms(), Some(99));
    assert_eq!(Index::decode(1000, 9_999, &raw), None);
    for at in 0..raw.len() {
        let mut garbled = raw.clone();
        garbled[at] ^= 1;
        assert_eq!(Index::decode(1000, 10_000, &garbled), None);
        assert_eq!(Index::decode(1000, 10_000, &raw[..at]), None);
    }
}
