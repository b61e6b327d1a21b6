//! Any certificate that a listener is given.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    server_kit::internals::read_certificate(data);
});
