//! Messages to the name server, over UDP and TCP: no panic, and no answer beyond what its transport carries.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesos_dns::internals::Names;
use mesos_proto::v1::master::response::GetState;
use std::sync::OnceLock;

static NAMES: OnceLock<Option<Names>> = OnceLock::new();

fuzz_target!(|message: &[u8]| {
    let Some(names) = NAMES.get_or_init(|| Names::of(&GetState::default())) else {
        return;
    };
    for (over_tcp, most) in [(false, 4096), (true, 65535)] {
        if let Some(answer) = names.answer(message, over_tcp) {
            assert!(answer.len() <= most && answer[2] & 0x80 != 0);
        }
    }
});
