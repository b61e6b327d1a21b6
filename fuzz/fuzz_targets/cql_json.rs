//! Any text as JSON, for the columns of a row and for a value of any type that the first line names.
#![no_main]
libfuzzer_sys::fuzz_target!(|text: &str| {
    let (kind, text) = text.split_once('\n').unwrap_or(("text", text));
    cql_server::internals::json_value(kind, text);
});
