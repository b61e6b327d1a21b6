//! Any rows in the place where statements are stored that were prepared.
#![no_main]
use std::sync::LazyLock;

static SAMPLE: LazyLock<cql_server::internals::Sample> = LazyLock::new(Default::default);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    cql_server::internals::stored_statements(&SAMPLE, data, 16);
});
