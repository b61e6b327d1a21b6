//! Any segments of CQL's version 5, as they come and with checksums that hold; any compressed body of versions 3 and 4.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for flag in [false, true] {
        let bytes = bytes::Bytes::copy_from_slice(data);
        cql_server::internals::decode_segments(flag, bytes.clone());
        cql_server::internals::expand(flag, bytes);
        let mut repaired = data.to_vec();
        cql_server::internals::repair_segment(flag, &mut repaired);
        cql_server::internals::decode_segments(flag, repaired.into());
    }
});
