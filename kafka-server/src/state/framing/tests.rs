use super::BatchFraming;
use crate::wire::records::{Marker, end_marker};
use proptest::prelude::*;
use storage::{EntryMeta, Framing};

#[test]
fn a_batch_is_measured_and_verified() {
    let marker = Marker {
        producer_id: 1,
        producer_epoch: 0,
        commit: true,
        coordinator_epoch: 0,
    };
    let batch = end_marker(&marker, 77).bytes;
    let framing = BatchFraming;
    let expected = EntryMeta {
        first: 0,
        last: 0,
        timestamp_max_ms: 77,
        bytes: batch.len() as u32,
    };
    assert_eq!(framing.measure(&batch[..framing.head_bytes()]), Some(expected));
    assert!(framing.verify(&batch));
    assert!(!framing.verify(&batch[..batch.len() - 1]));
    for at in 21..batch.len() {
        let mut torn = batch.to_vec();
        torn[at] ^= 0x10;
        assert!(!framing.verify(&torn), "byte {at}");
    }
    assert_eq!(framing.measure(&[0; 61]), None, "space written ahead is no entry");
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        BatchFraming.measure(&bytes);
        BatchFraming.verify(&bytes);
    }
}
