//! Any CQL envelope, and any body of any request in every version.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let frame = bytes::Bytes::copy_from_slice(data);
    cql_server::internals::decode_envelope(&frame);
    if let Some((opcode, _)) = data.split_first() {
        for version in 3..=6 {
            cql_server::internals::decode_request(opcode % 17, version, frame.slice(1..));
        }
    }
});
