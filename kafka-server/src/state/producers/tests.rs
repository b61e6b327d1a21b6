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
    let mut epochs = Epochs::default();
    epochs.begin(2, 0);
    epochs.begin(5, 20);
    let snapshot = Snapshot {
        producers,
        epochs,
        covered: 21,
        cleaned: 5,
    };
    assert_eq!(read(write(&snapshot)), Some(snapshot));
    assert_eq!(read(Bytes::from_static(&[1, 0, 0])), None);
}

#[test]
fn a_snapshot_from_before_epochs_is_of_one_leader() {
    let snapshot = Snapshot {
        covered: 9,
        ..Snapshot::default()
    };
    let mut old = write(&snapshot).to_vec();
    old[0] = FORMAT_WITHOUT_EPOCHS;
    old.truncate(old.len() - 4);
    let epochs = read(old.into()).unwrap().epochs;
    assert_eq!(epochs.iter().collect::<Vec<_>>(), [(0, 0)]);
}
