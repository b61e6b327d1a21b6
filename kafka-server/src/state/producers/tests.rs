use super::*;
use crate::core::producers::{EndMarker, Incoming};

#[test]
fn a_snapshot_reads_back_as_it_was() {
    let mut producers = Producers::default();
    for at in 0..20 {
        let batch = Incoming {
            producer_id: i64::from(at % 3),
            epoch: 1,
            first_sequence: at,
            last_sequence: at,
            timestamp_ms: 7,
            transactional: true,
            from_start: false,
        };
        producers.take(&batch, at as u64, at as u64);
    }
    let abort = EndMarker {
        producer_id: 1,
        epoch: 1,
        coordinator_epoch: 4,
        commit: false,
        timestamp_ms: 9,
    };
    producers.take_marker(&abort, 20);
    producers.last_stable(21);
    let snapshot = Snapshot {
        producers,
        covered: 21,
        cleaned: 5,
    };
    assert_eq!(read(write(&snapshot)), Some(snapshot));
    assert_eq!(read(Bytes::from_static(&[1, 0, 0])), None);
}
