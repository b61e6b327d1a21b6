//! Any bytes for each codec.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for codec in 0..=4 {
        kafka_server::internals::decompress(codec, data);
    }
});
