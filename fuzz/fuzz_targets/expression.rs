//! Any regular expression of a member's subscription, and any name of a topic.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: (&str, &str)| {
    let (expression, name) = data;
    kafka_server::internals::subscribe_by_expression(expression, name);
});
