//! What agents and masters send each other.
#![no_main]
libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    mesos_api::internals::link(stream);
});
