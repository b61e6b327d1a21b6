//! Any metadata of a consumer, and any assignment of a group's leader.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    kafka_server::internals::read_consumer_protocol(data);
});
