use super::*;
use crate::wire::opcode::Opcode;
use proptest::prelude::*;

fn envelope(stream: i16, body: &[u8], content: &[u8]) -> Envelope {
    Envelope {
        version: 5,
        flags: 0,
        stream,
        opcode: Opcode::Result,
        body: BytesMut::from(body),
        content: Bytes::copy_from_slice(content),
    }
}

/// Everything that would be written.
fn drain(output: &mut Output) -> Bytes {
    if let Framing::Segments(format) = output.framing {
        output.seal(format);
    }
    let mut all = BytesMut::new();
    output
        .slices
        .iter()
        .for_each(|slice| all.extend_from_slice(slice));
    all.extend_from_slice(&output.tail);
    assert_eq!(all.len(), output.bytes());
    // Leaves in odd pieces.
    while output.bytes() > 0 {
        output.advance(output.bytes().min(1 + output.bytes() / 3));
    }
    assert!(output.is_empty());
    all.freeze()
}

/// The payloads of segments, joined.
fn joined(mut bytes: Bytes, format: Format) -> Bytes {
    let mut all = BytesMut::new();
    while !bytes.is_empty() {
        let header = format.read_header(&bytes).unwrap().unwrap();
        bytes.advance(format.header_bytes());
        let segment = bytes.split_to(header.stored + segment::TRAILER_BYTES);
        all.extend_from_slice(&format.payload(header, segment).unwrap());
    }
    all.freeze()
}

fn plain(envelopes: &[Envelope]) -> Bytes {
    let mut all = BytesMut::new();
    for envelope in envelopes {
        envelope.put_header(&mut all, envelope.flags, envelope.length());
        all.extend_from_slice(&envelope.body);
        all.extend_from_slice(&envelope.content);
    }
    all.freeze()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_framing_carries_the_same(sizes in proptest::collection::vec((0usize..2000, 0usize..200_000), 1..6), byte: u8) {
        let envelopes: Vec<Envelope> = sizes
            .iter()
            .enumerate()
            .map(|(at, (body, content))| envelope(at as i16, &vec![byte; *body], &vec![at as u8; *content]))
            .collect();
        let expected = plain(&envelopes);
        let sent = |framing| {
            let mut output = Output::new();
            output.start(framing);
            envelopes.iter().cloned().for_each(|envelope| output.push(envelope));
            drain(&mut output)
        };
        prop_assert_eq!(&sent(Framing::Envelopes(None)), &expected);
        for format in [Format::Plain, Format::Lz4] {
            prop_assert_eq!(&joined(sent(Framing::Segments(format)), format), &expected);
        }
        for compression in [Compression::Lz4, Compression::Snappy] {
            let mut sent = sent(Framing::Envelopes(Some(compression)));
            for envelope in &envelopes {
                let header = sent.split_to(HEADER_BYTES);
                let length = u32::from_be_bytes(*header[5..].first_chunk().unwrap());
                let mut body = sent.split_to(length as usize);
                if header[1] & flags::COMPRESSED != 0 {
                    let length = compression.uncompressed(&body).unwrap();
                    body = compression.expand(body, length).unwrap();
                }
                prop_assert_eq!(&body[..], &[&envelope.body[..], &envelope.content[..]].concat()[..]);
            }
            prop_assert!(sent.is_empty());
        }
    }
}

#[test]
fn small_answers_share_a_segment() {
    let mut output = Output::new();
    output.start(Framing::Segments(Format::Plain));
    (0..10).for_each(|at| output.push(envelope(at, b"small", b"")));
    let bytes = drain(&mut output);
    assert_eq!(bytes.len(), 6 + 10 * (HEADER_BYTES + 5) + 4);
}

#[test]
fn a_large_answer_is_cut_into_segments_that_are_not_self_contained() {
    let mut output = Output::new();
    output.start(Framing::Segments(Format::Plain));
    output.push(envelope(1, b"head", &vec![7; 300_000]));
    let bytes = drain(&mut output);
    let header = Format::Plain.read_header(&bytes).unwrap().unwrap();
    assert!(!header.self_contained && header.stored == PAYLOAD_MAX);
}
