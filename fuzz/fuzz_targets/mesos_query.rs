//! Query strings and the bodies of forms, and what is asked of them.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: (&str, &str)| {
    let (query, name) = data;
    mesos_api::internals::query(query, name);
});
