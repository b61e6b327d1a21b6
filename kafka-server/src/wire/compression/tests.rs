use super::{Compression, CompressionError};
use proptest::prelude::*;

const CODECS: [Compression; 5] = [
    Compression::None,
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

#[test]
fn ids_and_attributes_agree() {
    for codec in CODECS {
        assert_eq!(Compression::of(codec.id()), Some(codec));
    }
    assert_eq!(Compression::of(5), None);
}

#[test]
fn a_bomb_is_refused_at_the_limit() {
    let zeros = vec![0; 8 << 20];
    for codec in CODECS {
        let bomb = codec.compress(&zeros, None).unwrap();
        assert_eq!(
            codec.decompress(&bomb, 1 << 20),
            Err(CompressionError::TooLarge { bytes_max: 1 << 20 }),
            "{codec:?}"
        );
        assert_eq!(codec.decompress(&bomb, 8 << 20).unwrap().len(), 8 << 20);
    }
}

#[test]
fn a_bare_snappy_block_is_read() {
    let block = snap::raw::Encoder::new().compress_vec(b"one bare block").unwrap();
    let read = Compression::Snappy.decompress(&block, 100).unwrap();
    assert_eq!(read, b"one bare block");
}

#[test]
fn a_snappy_block_that_declares_too_much_reserves_nothing() {
    // Five bytes that declare 4 GiB, and as much as the limit lets pass.
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(Compression::Snappy.decompress(&lie, usize::MAX).is_err());
    assert!(
        Compression::Snappy
            .decompress(&[0xff, 0xff, 0x7f], usize::MAX)
            .is_err()
    );
}

#[test]
fn levels_are_taken() {
    let data = b"the same words over and over again, the same words over and over again".repeat(50);
    for (codec, levels) in [(Compression::Gzip, [1, 9]), (Compression::Zstd, [-5, 19])] {
        for level in levels {
            let small = codec.compress(&data, Some(level)).unwrap();
            assert_eq!(codec.decompress(&small, data.len()).unwrap(), data);
        }
    }
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back(data in proptest::collection::vec(any::<u8>(), 0..100_000)) {
        for codec in CODECS {
            let small = codec.compress(&data, None).unwrap();
            prop_assert_eq!(&codec.decompress(&small, data.len()).unwrap(), &data);
        }
    }

    #[test]
    fn any_bytes_are_answered(data in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        for codec in CODECS {
            let _ = codec.decompress(&data, 1 << 20);
        }
    }

    #[test]
    fn damaged_data_is_answered(
        data in proptest::collection::vec(any::<u8>(), 1..2_000),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        for codec in CODECS {
            let mut small = codec.compress(&data, None).unwrap();
            let at = at.index(small.len());
            small[at] ^= 1 << bit;
            let _ = codec.decompress(&small, 1 << 20);
            let _ = codec.decompress(&small[..at], 1 << 20);
        }
    }
}

#[test]
fn what_is_not_of_its_codec_is_told_without_decompressing_it() {
    for codec in &CODECS[1..] {
        assert!(!codec.is_whole(b""), "{codec:?}");
        // Of a bare block of Snappy only its length can be doubted.
        let strange: &[u8] = match codec {
            Compression::Snappy => b"\xff\xff\xff\x7f",
            _ => b"not compressed at all, by nobody",
        };
        assert!(!codec.is_whole(strange), "{codec:?}");
        let whole = codec.compress(&[7; 100_000], None).unwrap();
        assert!(codec.is_whole(&whole), "{codec:?}");
        // Of gzip, where it ends shows only in its bits.
        if *codec != Compression::Gzip {
            assert!(!codec.is_whole(&whole[..whole.len() - 5]), "{codec:?}");
        }
    }
    assert!(Compression::None.is_whole(b""));
}

proptest! {
    #[test]
    fn whatever_a_codec_makes_is_whole(data in prop::collection::vec(any::<u8>(), 0..5_000)) {
        for codec in CODECS {
            prop_assert!(codec.is_whole(&codec.compress(&data, None).unwrap()), "{:?}", codec);
        }
        let block = snap::raw::Encoder::new().compress_vec(&data).unwrap();
        prop_assert!(Compression::Snappy.is_whole(&block));
    }

    #[test]
    fn no_bytes_are_too_strange_to_be_looked_at(data in prop::collection::vec(any::<u8>(), 0..200)) {
        for codec in CODECS {
            codec.is_whole(&data);
            let magic = [0x04, 0x22, 0x4d, 0x18, 0x60];
            codec.is_whole(&[&magic[..], &data].concat());
        }
    }
}
