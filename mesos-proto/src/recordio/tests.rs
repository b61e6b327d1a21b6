use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn records_come_back_however_the_stream_is_cut(
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
        piece in 1_usize..9,
    ) {
        let stream: Vec<u8> = records.iter().flat_map(|record| encode(record)).collect();
        let mut decoder = Decoder::new(64);
        let mut back = Vec::new();
        for bytes in stream.chunks(piece) {
            decoder.feed(bytes);
            while let Some(record) = decoder.next_record().unwrap() {
                back.push(record.to_vec());
            }
        }
        prop_assert_eq!(back, records);
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut decoder = Decoder::new(16);
        decoder.feed(&bytes);
        while let Ok(Some(_)) = decoder.next_record() {}
    }
}

#[test]
fn a_length_is_refused_before_its_bytes_arrive() {
    let mut decoder = Decoder::new(16);
    decoder.feed(b"17\n");
    assert_eq!(
        decoder.next_record(),
        Err(RecordError::TooLong {
            bytes: 17,
            bytes_max: 16
        })
    );
    let mut decoder = Decoder::new(16);
    decoder.feed(b"1x");
    assert_eq!(decoder.next_record(), Err(RecordError::Length("1x".to_owned())));
}
