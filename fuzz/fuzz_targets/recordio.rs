//! Streams of records, in pieces: no panic, and nothing is taken beyond the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesos_proto::recordio::Decoder;

const RECORD_BYTES_MAX: usize = 64;

fuzz_target!(|stream: &[u8]| {
    let mut decoder = Decoder::new(RECORD_BYTES_MAX);
    for piece in stream.chunks(7) {
        decoder.feed(piece);
        loop {
            match decoder.next_record() {
                Ok(Some(record)) => assert!(record.len() <= RECORD_BYTES_MAX),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});
