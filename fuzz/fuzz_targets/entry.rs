//! Any bytes of a log, as recovery sees them.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    kafka_server::internals::frame_entry(data);
});
