use super::{super::shapes::SHAPES, check};
use crate::wire::{self, each_request, messages::*};
use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, Message, Request};
use proptest::prelude::*;

fn default_passes<R: Request + Default + Encodable + Message>() {
    for version in R::VERSIONS.min..=R::VERSIONS.max {
        let mut body = BytesMut::new();
        if R::default().encode(&mut body, version).is_err() {
            continue;
        }
        assert_eq!(
            check(R::KEY, version, &body),
            Ok(()),
            "key {} version {version}",
            R::KEY
        );
        for cut in 0..body.len() {
            assert!(
                check(R::KEY, version, &body[..cut]).is_err(),
                "key {} version {version}",
                R::KEY
            );
        }
    }
}

/// What the guard lets pass, the decoder reads whole: they know the same layouts. But for text that is not UTF-8, and
/// for tags of later versions, which the decoder refuses where the original passes over them.
fn agrees<R: Request + Decodable + Message>(body: &Bytes) {
    for version in R::VERSIONS.min..=R::VERSIONS.max {
        if check(R::KEY, version, body).is_ok()
            && let Err(why) = R::decode(&mut body.clone(), version)
        {
            let why = why.to_string();
            let expected = why.contains("utf-8") || why.contains("is not valid for version");
            assert!(expected, "key {} version {version}: {why} {body:?}", R::KEY);
        }
    }
}

#[test]
fn shapes_are_sorted_by_key() {
    assert!(SHAPES.windows(2).all(|pair| pair[0].key < pair[1].key));
}

#[test]
fn every_default_request_passes_and_no_cut_of_one_does() {
    each_request!(default_passes);
}

#[test]
fn a_hostile_count_is_refused() {
    // Metadata of version 0: an array of names, with the largest count there is and no names.
    assert!(check(3, 0, &[0x7f, 0xff, 0xff, 0xff]).is_err());
    assert!(check(3, 0, &[0x80, 0, 0, 0]).is_err());
    // The same in compact form.
    assert!(check(3, 9, &[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
    let hostile = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
    assert!(wire::decode::<MetadataRequest>(hostile, 0).is_err());
}

#[test]
fn elements_are_counted_over_all_arrays() {
    let names = super::REQUEST_ELEMENTS_MAX + 1;
    let mut body = (names as u32).to_be_bytes().to_vec();
    body.resize(4 + 2 * names, 0);
    assert_eq!(check(3, 0, &body), Err("more elements than a request may have"));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let body = Bytes::from_static(&[0, 0, 0, 1, 0, 2, 0xc3, 0x28]);
    assert!(wire::decode::<MetadataRequest>(body, 0).is_err());
}

#[test]
fn records_of_a_produce_request_are_a_slice_of_its_frame() {
    let records = Bytes::from(vec![9; 500]);
    for version in ProduceRequest::VERSIONS.min..=ProduceRequest::VERSIONS.max {
        let partition = produce_request::PartitionProduceData::default().with_records(Some(records.clone()));
        let topic = produce_request::TopicProduceData::default().with_partition_data(vec![partition]);
        let request = ProduceRequest::default().with_topic_data(vec![topic]);
        let mut frame = BytesMut::new();
        request.encode(&mut frame, version).unwrap();
        let frame = frame.freeze();
        let read: ProduceRequest = wire::decode(frame.clone(), version).unwrap();
        let read = read.topic_data[0].partition_data[0].records.as_ref().unwrap();
        assert_eq!(read, &records);
        assert!(frame.as_ptr_range().contains(&read.as_ptr()), "version {version}");
    }
}

/// Bytes that often are counts and lengths of something.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![6 => Just(0u8), 3 => Just(1), 3 => Just(2), 1 => Just(3), 1 => Just(0xff), 1 => any::<u8>()];
    proptest::collection::vec(byte, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn the_decoder_reads_what_passes(body in likely()) {
        each_request!(agrees, &Bytes::from(body.clone()));
    }
}
