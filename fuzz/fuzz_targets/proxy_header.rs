//! Any start of a connection on a listener that expects a PROXY protocol header.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    server_kit::internals::read_proxy_header(data);
});
