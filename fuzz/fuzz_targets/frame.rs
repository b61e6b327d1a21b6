//! Any frame: header, table, shape, decoder.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    kafka_server::internals::decode_frame(bytes::Bytes::copy_from_slice(data));
});
