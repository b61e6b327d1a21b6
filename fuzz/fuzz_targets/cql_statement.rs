//! Any text as a statement: parsed, and prepared on a table.
#![no_main]
use std::sync::LazyLock;

static SAMPLE: LazyLock<cql_server::internals::Sample> = LazyLock::new(Default::default);

libfuzzer_sys::fuzz_target!(|text: &str| {
    if cql_server::internals::parse(text) {
        SAMPLE.plan(text);
    }
});
