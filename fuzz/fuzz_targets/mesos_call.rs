//! Bodies of calls: what parses is written and parsed to the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mesos_proto::v1::{agent, executor, master, scheduler};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

fn both<T: Message + Default + PartialEq + Serialize + DeserializeOwned>(body: &[u8]) {
    if let Ok(call) = T::decode(body) {
        let again = T::decode(call.encode_to_vec().as_slice());
        // A NaN is not equal to itself; its bytes are.
        assert_eq!(again.map(|again| again.encode_to_vec()), Ok(call.encode_to_vec()));
    }
    if let Ok(call) = serde_json::from_slice::<T>(body) {
        let text = serde_json::to_vec(&call).unwrap();
        let again: T = serde_json::from_slice(&text).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), text);
    }
}

fuzz_target!(|body: &[u8]| {
    both::<scheduler::Call>(body);
    both::<executor::Call>(body);
    both::<master::Call>(body);
    both::<agent::Call>(body);
});
