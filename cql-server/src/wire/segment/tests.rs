use super::*;
use bytes::BytesMut;
use proptest::prelude::*;

/// `payload` as a segment, written as an answer's segment is.
fn segment(format: Format, payload: &[u8], self_contained: bool) -> BytesMut {
    let mut stored = BytesMut::from(payload);
    let mut uncompressed = 0;
    if format == Format::Lz4 {
        let mut packed = BytesMut::new();
        compression::put_lz4_block(&mut packed, payload);
        if packed.len() < payload.len() {
            (stored, uncompressed) = (packed, payload.len());
        }
    }
    let mut out = BytesMut::zeroed(format.header_bytes());
    let header = Header {
        stored: stored.len(),
        uncompressed,
        self_contained,
    };
    format.write_header(header, &mut out);
    out.extend_from_slice(&stored);
    out.extend_from_slice(&crc_of([&stored]));
    out
}

fn parse(format: Format, bytes: BytesMut) -> Result<(bool, Bytes), Corrupt> {
    let header = format.read_header(&bytes)?.unwrap();
    let rest = bytes.freeze().slice(format.header_bytes()..);
    Ok((header.self_contained, format.payload(header, rest)?))
}

/// From the original, of `OPTIONS` (version 5, stream 1) as a client sent it.
#[test]
fn the_originals_segment() {
    let payload = [5, 0, 0, 1, 5, 0, 0, 0, 0];
    let bytes = segment(Format::Plain, &payload, true);
    assert_eq!(bytes[..6], [0x09, 0x00, 0x02, bytes[3], bytes[4], bytes[5]]);
    assert_eq!(
        crc24(&[0x09, 0x00, 0x02]),
        u32::from_le_bytes([bytes[3], bytes[4], bytes[5], 0])
    );
    assert_eq!(parse(Format::Plain, bytes).unwrap().1, payload[..]);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        payload in proptest::collection::vec(0u8..4, 0..5000),
        lz4: bool,
        self_contained: bool,
    ) {
        let format = if lz4 { Format::Lz4 } else { Format::Plain };
        let (contained, read) = parse(format, segment(format, &payload, self_contained)).unwrap();
        prop_assert_eq!(contained, self_contained);
        prop_assert_eq!(&read[..], &payload[..]);
    }

    #[test]
    fn a_flipped_bit_is_noticed(payload in proptest::collection::vec(any::<u8>(), 0..300), lz4: bool, at: prop::sample::Index) {
        let format = if lz4 { Format::Lz4 } else { Format::Plain };
        let mut bytes = segment(format, &payload, true);
        let at = at.index(bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
        prop_assert!(parse(format, bytes).is_err());
    }

    #[test]
    fn any_bytes_are_a_header_or_not(bytes: [u8; 8]) {
        for format in [Format::Plain, Format::Lz4] {
            if let Ok(Some(header)) = format.read_header(&bytes) {
                prop_assert!(header.stored <= PAYLOAD_MAX && header.uncompressed <= PAYLOAD_MAX);
            }
        }
    }
}
