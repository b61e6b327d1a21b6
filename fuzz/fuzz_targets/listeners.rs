//! Any `server.properties`, and any listeners that are asked for while the broker runs.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: (&str, &str)| {
    let (properties, listeners) = data;
    kafka_server::internals::set_listeners(properties, listeners);
});
