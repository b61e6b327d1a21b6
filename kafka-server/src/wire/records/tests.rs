use super::{
    record::walk,
    varint::{put_i32, put_i64, take_i32, take_i64, take_u32},
    *,
};
use crate::wire::compression::Compression;
use bytes::Bytes;
use proptest::prelude::*;

fn check(records: Option<&Bytes>, rules: &Rules<'_>) -> Result<Checked, Refusal> {
    super::check(records, rules, &mut Budget::new(usize::MAX))
}

const NOW: i64 = 1_700_000_000_000;

fn rules() -> Rules<'static> {
    Rules {
        partition: "t-0",
        version: 9,
        batch_bytes_max: 1 << 20,
        key_required: false,
        timestamp_type: TimestampType::CreateTime,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: 3_600_000,
        compression: None,
        now_ms: NOW,
    }
}

fn batch(count: i64, codec: Compression) -> Batch {
    let mut builder = BatchBuilder::new(0, NOW);
    for at in 0..count {
        let value = format!("value {at}").repeat(4);
        let record = NewRecord {
            offset: at,
            timestamp: NOW + at,
            key: (at % 2 == 0).then_some(b"key".as_slice()),
            value: Some(value.as_bytes()),
        };
        let header = RecordHeader {
            key: b"h",
            value: None,
        };
        builder.push(&record, std::iter::once(header));
    }
    builder.finish(codec, None, None).unwrap()
}

/// `batch` with its header changed and its checksum made to fit.
fn with(batch: &Batch, change: impl FnOnce(&mut Header)) -> Bytes {
    let mut header = batch.header;
    change(&mut header);
    super::build::assemble(header, &batch.body()).bytes
}

fn refused(records: &Bytes, rules: &Rules<'_>) -> String {
    check(Some(records), rules).unwrap_err().to_string()
}

#[test]
fn a_batch_is_read_as_it_was_built() {
    for codec in [Compression::None, Compression::Zstd, Compression::Lz4] {
        let built = batch(10, codec);
        let read = Batch::read(&built.bytes).unwrap();
        assert_eq!(read, built);
        assert!(read.is_intact());
        let payload = read.payload(1 << 20).unwrap();
        let records: Vec<_> = Records::new(&payload, read.header.record_count)
            .map(Result::unwrap)
            .collect();
        assert_eq!(records.len(), 10);
        assert_eq!(records[3].offset(&read.header), 3);
        assert_eq!(records[3].timestamp(&read.header), NOW + 3);
        assert_eq!(records[3].key, None);
        assert_eq!(records[4].key, Some(b"key".as_slice()));
        let headers: Vec<_> = records[4].headers().collect();
        assert_eq!((headers[0].key, headers[0].value), (b"h".as_slice(), None));
        assert_eq!(
            check(Some(&built.bytes), &rules()).unwrap().max_timestamp,
            NOW + 9
        );
    }
}

#[test]
fn reading_copies_nothing() {
    let built = batch(1, Compression::None);
    let read = Batch::read(&built.bytes).unwrap();
    assert_eq!(read.bytes.as_ptr(), built.bytes.as_ptr());
    assert_eq!(
        read.payload(0).unwrap().as_ptr(),
        built.bytes[HEAD_BYTES..].as_ptr()
    );
}

#[test]
fn a_stamp_leaves_the_checksum_alone_unless_times_change() {
    let built = batch(5, Compression::Lz4);
    let mut stamp = Stamp {
        base_offset: 1 << 40,
        leader_epoch: 7,
        timestamp_type: TimestampType::CreateTime,
        max_timestamp: built.header.max_timestamp,
    };
    let stored = |stamp: &Stamp| {
        let head = built.stamped(stamp).write();
        Batch::read(&Bytes::from([head.as_slice(), &built.body()].concat())).unwrap()
    };
    let plain = stored(&stamp);
    assert!(plain.is_intact());
    assert_eq!(plain.header.crc, built.header.crc);
    assert_eq!(plain.header.last_offset(), (1 << 40) + 4);
    stamp.timestamp_type = TimestampType::LogAppendTime;
    stamp.max_timestamp = NOW + 1000;
    let restamped = stored(&stamp);
    assert!(restamped.is_intact());
    assert_ne!(restamped.header.crc, built.header.crc);
    assert_eq!(
        restamped.header.attributes.timestamp_type(),
        TimestampType::LogAppendTime
    );
    assert_eq!(restamped.header.attributes.compression(), Some(Compression::Lz4));
}

#[test]
fn markers_come_back() {
    for commit in [true, false] {
        let marker = Marker {
            producer_id: 42,
            producer_epoch: 3,
            commit,
            coordinator_epoch: 9,
        };
        let batch = end_marker(&marker, NOW);
        assert!(batch.is_intact());
        assert_eq!(batch.bytes.len(), 78, "as long as the original's");
        assert_eq!(read_marker(&batch), Some(marker));
    }
    assert_eq!(read_marker(&batch(1, Compression::None)), None);
}

/// What a 4.3 broker wrote to its log at the end of two transactions.
#[test]
fn markers_are_the_originals_byte_for_byte() {
    let originals = [
        "00000000000000060000004200000000028ebd85ec003000000000000001a1fc281919000001a1fc281919\
         000000000000000c0000ffffffff000000012000000008000000010c00000000000000",
        "0000000000000008000000420000000002b445f432003000000000000001a1fc27b152000001a1fc27b152\
         000000000000000b0001ffffffff000000012000000008000000000c00000000000000",
    ];
    for (original, commit) in originals.iter().zip([true, false]) {
        let bytes: Vec<u8> = (0..original.len() / 2)
            .map(|at| u8::from_str_radix(&original[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let original = Batch::read(&Bytes::from(bytes)).unwrap();
        let marker = Marker {
            producer_id: original.header.producer_id,
            producer_epoch: original.header.producer_epoch,
            commit,
            coordinator_epoch: 0,
        };
        assert_eq!(read_marker(&original), Some(marker));
        let ours = end_marker(&marker, original.header.max_timestamp);
        let stamp = Stamp {
            base_offset: original.header.base_offset,
            leader_epoch: 0,
            timestamp_type: TimestampType::CreateTime,
            max_timestamp: original.header.max_timestamp,
        };
        let stored = [ours.stamped(&stamp).write().as_slice(), &ours.body()].concat();
        assert_eq!(stored, original.bytes);
    }
}

#[test]
fn sequences_wrap_to_zero() {
    let mut header = batch(3, Compression::None).header;
    header.base_sequence = i32::MAX - 1;
    assert_eq!(header.last_sequence(), 0);
}

#[test]
fn refusals_are_the_originals() {
    let good = batch(3, Compression::None);
    let version = |what: &str| format!("Produce requests with version 9 {what}");
    assert_eq!(
        check(None, &rules()).unwrap_err().to_string(),
        version("must have at least one record batch per partition")
    );
    let two = Bytes::from([good.bytes.as_ref(), good.bytes.as_ref()].concat());
    assert_eq!(
        refused(&two, &rules()),
        version("are only allowed to contain exactly one record batch per partition")
    );
    let mut old = good.bytes.to_vec();
    old[16] = 1;
    assert_eq!(
        refused(&Bytes::from(old), &rules()),
        version("are only allowed to contain record batches with magic version 2")
    );
    let mut damaged = good.bytes.to_vec();
    damaged[70] ^= 1;
    assert!(matches!(
        check(Some(&Bytes::from(damaged)), &rules()),
        Err(Refusal::Corrupt(_))
    ));
    let zstd = batch(1, Compression::Zstd);
    assert!(matches!(
        check(
            Some(&zstd.bytes),
            &Rules {
                version: 6,
                ..rules()
            }
        ),
        Err(Refusal::Compression(_))
    ));
    let small = Rules {
        batch_bytes_max: 60,
        ..rules()
    };
    assert!(matches!(
        check(Some(&good.bytes), &small),
        Err(Refusal::TooLarge(_))
    ));
}

#[test]
fn headers_that_contradict_themselves_are_refused() {
    let good = batch(3, Compression::None);
    type Spoil = fn(&mut Header);
    let cases: [(Spoil, &str); 7] = [
        (|h| h.base_offset = 5, "should be 0, but it is 5"),
        (
            |h| h.record_count = 0,
            "Invalid reported count for record batch: 0",
        ),
        (
            |h| h.record_count = 2,
            "Inconsistent batch offset range [0, 2] and count of records 2",
        ),
        (|h| h.last_offset_delta = -1, "invalid offset range: [0, -1]"),
        (
            |h| h.attributes.0 |= Attributes::CONTROL,
            "not allowed to write control records",
        ),
        (|h| h.producer_id = 7, "Invalid sequence number -1"),
        (
            |h| {
                h.record_count = 4;
                h.last_offset_delta = 3;
            },
            "premature EOF",
        ),
    ];
    for (change, why) in cases {
        let text = refused(&with(&good, change), &rules());
        assert!(text.contains(why), "{text}");
    }
    let unknown = with(&good, |h| h.attributes.0 |= 6);
    assert!(matches!(
        check(Some(&unknown), &rules()),
        Err(Refusal::Compression(_))
    ));
}

/// The original looks at the offsets within a batch only where it is compressed, as sent or as stored.
#[test]
fn offsets_that_do_not_count_up_are_refused_where_a_codec_is_involved() {
    let unordered = |codec| {
        let mut builder = BatchBuilder::new(0, NOW);
        for _ in 0..3 {
            let record = NewRecord {
                offset: 0,
                timestamp: NOW,
                key: Some(b"key"),
                value: None,
            };
            builder.push(&record, std::iter::empty());
        }
        let built = builder.finish(codec, None, None).unwrap();
        with(&built, |header| header.last_offset_delta = 2)
    };
    let compacted = Rules {
        key_required: true,
        ..rules()
    };
    let converted = Rules {
        compression: Some((Compression::Lz4, None)),
        ..rules()
    };
    let plain = unordered(Compression::None);
    assert!(check(Some(&plain), &rules()).is_ok());
    assert!(check(Some(&plain), &compacted).is_ok());
    assert_eq!(check(Some(&plain), &converted), Err(Refusal::Order));
    let gzip = unordered(Compression::Gzip);
    assert_eq!(check(Some(&gzip), &compacted), Err(Refusal::Order));
}

#[test]
fn records_without_a_key_are_named() {
    for codec in [Compression::None, Compression::Gzip] {
        let sent = batch(4, codec).bytes;
        let compacted = Rules {
            key_required: true,
            ..rules()
        };
        let Err(Refusal::Records {
            message,
            timestamp,
            errors,
        }) = check(Some(&sent), &compacted)
        else {
            panic!("accepted")
        };
        assert!(!timestamp);
        assert_eq!(errors.iter().map(|e| e.index).collect::<Vec<_>>(), [1, 3]);
        assert!(
            message.starts_with("One or more records have been rejected due to 2 record errors in total")
        );
        assert_eq!(
            errors[0].message,
            "Compacted topic cannot accept message without key in topic partition t-0"
        );
    }
}

#[test]
fn times_out_of_the_window_are_named() {
    for codec in [Compression::None, Compression::Snappy] {
        let sent = batch(4, codec).bytes;
        let late = Rules {
            now_ms: NOW - 3_600_000 + 1,
            ..rules()
        };
        let Err(Refusal::Records {
            timestamp, errors, ..
        }) = check(Some(&sent), &late)
        else {
            panic!("accepted")
        };
        assert!(timestamp);
        assert_eq!(errors.len(), 2);
        let old = Rules {
            timestamp_before_max_ms: 10,
            now_ms: NOW + 11,
            ..rules()
        };
        let Err(Refusal::Records { errors, .. }) = check(Some(&sent), &old) else {
            panic!("accepted")
        };
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0]
                .message
                .contains("is out of range. The timestamp should be within")
        );
    }
}

#[test]
fn a_topic_with_its_own_codec_gets_it() {
    let sent = batch(100, Compression::Gzip);
    for codec in [Compression::None, Compression::Zstd, Compression::Gzip] {
        let want = Rules {
            compression: Some((codec, None)),
            ..rules()
        };
        let checked = check(Some(&sent.bytes), &want).unwrap().batch;
        assert!(checked.is_intact());
        assert_eq!(checked.header.attributes.compression(), Some(codec));
        assert_eq!(checked.payload(1 << 20), sent.payload(1 << 20));
        assert_eq!(checked.bytes == sent.bytes, codec == Compression::Gzip);
    }
}

#[test]
fn every_cut_is_answered() {
    for codec in [Compression::None, Compression::Lz4] {
        let whole = batch(3, codec).bytes;
        for cut in 0..whole.len() {
            assert!(check(Some(&whole.slice(..cut)), &rules()).is_err());
        }
    }
    let payload = batch(3, Compression::None).body();
    for cut in 0..payload.len() {
        assert!(walk(&payload[..cut], 3).is_err());
        assert!(Records::new(&payload[..cut], 3).any(|record| record.is_err()));
    }
}

proptest! {
    #[test]
    fn varints_come_back(int in any::<i32>(), long in any::<i64>()) {
        let mut bytes = Vec::new();
        put_i32(&mut bytes, int);
        put_i64(&mut bytes, long);
        let mut rest = bytes.as_slice();
        prop_assert_eq!(take_i32(&mut rest), Some(int));
        prop_assert_eq!(take_i64(&mut rest), Some(long));
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300), count in any::<i32>()) {
        let _ = Batches::new(Bytes::from(bytes.clone())).count();
        let _ = walk(&bytes, count);
        let _ = Records::new(&bytes, count).count();
        let _ = take_u32(&mut bytes.as_slice());
        let _ = take_i64(&mut bytes.as_slice());
    }

    #[test]
    fn any_damage_is_answered(at in any::<prop::sample::Index>(), bit in 0..8u8, fix in any::<bool>()) {
        for codec in [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Snappy, Compression::Lz4] {
            let mut bytes = batch(3, codec).bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if fix {
                let crc = crc32c::crc32c(&bytes[21..]);
                bytes[17..21].copy_from_slice(&crc.to_be_bytes());
            }
            let deep = Rules { key_required: true, ..rules() };
            let bytes = Bytes::from(bytes);
            let _ = check(Some(&bytes), &rules());
            let _ = check(Some(&bytes), &deep);
        }
    }

    #[test]
    fn any_records_come_back(
        records in proptest::collection::vec(
            (any::<i32>(), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..50)),
             proptest::option::of(proptest::collection::vec(any::<u8>(), 0..50))), 1..20),
        base in 0..i64::MAX / 2,
    ) {
        let mut builder = BatchBuilder::new(base, NOW);
        for (at, (time, key, value)) in records.iter().enumerate() {
            builder.push(
                &NewRecord {
                    offset: base + at as i64,
                    timestamp: NOW + i64::from(*time),
                    key: key.as_deref(),
                    value: value.as_deref(),
                },
                std::iter::empty(),
            );
        }
        let built = builder.finish(Compression::Lz4, None, None).unwrap();
        let payload = built.payload(1 << 20).unwrap();
        for (read, (time, key, value)) in Records::new(&payload, built.header.record_count).zip(&records) {
            let read = read.unwrap();
            prop_assert_eq!(read.timestamp(&built.header), NOW + i64::from(*time));
            prop_assert_eq!(read.key, key.as_deref());
            prop_assert_eq!(read.value, value.as_deref());
        }
    }
}
