//! Any bytes as a value, and as a stored key, of any type that the first line names.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (name, bytes) = data.split_at(line);
    if let Ok(kind) = std::str::from_utf8(name) {
        let bytes = bytes.get(1..).unwrap_or_default();
        cql_server::internals::value(kind, bytes);
        for descending in [false, true] {
            cql_server::internals::key(kind, bytes, descending);
        }
    }
});
