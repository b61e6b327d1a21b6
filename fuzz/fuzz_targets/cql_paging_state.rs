//! Any bytes that a client sends back to have the next page.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    cql_server::internals::paging_state(bytes::Bytes::copy_from_slice(data));
});
