use super::*;

#[test]
fn samples_are_what_they_say() {
    for codec in 0..=4 {
        let batch = sample_batch(100, 50, codec);
        assert!(check_records(&batch, false));
        assert!(check_records(&batch, true));
        assert!(frame_entry(&batch));
        assert_eq!(read_records(batch.clone()), 100);
        assert!(decode_frame(sample_produce(&batch)));
    }
    assert!(!decode_frame(Bytes::from_static(b"\0\0\0\x09")));
}
