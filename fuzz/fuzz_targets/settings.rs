//! Any change of any key, of whatever has settings.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: (&str, &str)| {
    let (name, value) = data;
    kafka_server::internals::alter_settings(name, value);
});
