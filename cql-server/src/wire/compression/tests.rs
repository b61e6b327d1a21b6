use super::*;
use proptest::prelude::*;

const BOTH: [Compression; 2] = [Compression::Lz4, Compression::Snappy];

proptest! {
    #[test]
    fn what_is_compressed_expands(body in proptest::collection::vec(0u8..3, 0..3000)) {
        for compression in BOTH {
            let mut out = BytesMut::from("before");
            compression.put(&mut out, &body);
            let packed = out.freeze().slice(6..);
            let length = compression.uncompressed(&packed).unwrap();
            prop_assert_eq!(length, body.len());
            prop_assert_eq!(&compression.expand(packed, length).unwrap()[..], &body[..]);
        }
    }

    #[test]
    fn any_bytes_expand_to_what_they_say_or_not_at_all(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        for compression in BOTH {
            let body = Bytes::from(body.clone());
            if let Some(length) = compression.uncompressed(&body).filter(|length| *length < 1 << 16) {
                prop_assert!(compression.expand(body, length).is_none_or(|out| out.len() == length));
            }
        }
    }
}
