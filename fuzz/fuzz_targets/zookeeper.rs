//! What masters, agents and libmesos.so read of ZooKeeper: its frames, and what masters leave in its nodes.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use mesos_proto::{
    masters::{Address, leading},
    zookeeper::{Answer, connected, cut},
};

fuzz_target!(|bytes: &[u8]| {
    let mut received = BytesMut::from(bytes);
    while let Ok(Some(frame)) = cut(&mut received) {
        let _ = connected(frame.clone());
        if let Ok(answer) = Answer::parse(frame) {
            let _ = answer.clone().path();
            let _ = answer.clone().changed();
            for name in ["json.info_1", "info_1"] {
                let info = answer.clone().data();
                let _ = info.map(|info| Address::of_node(name, &info));
            }
            let _ = answer.children().map(|names| leading(&names).map(str::to_owned));
        }
    }
    let _ = Answer::parse(Bytes::copy_from_slice(bytes));
});
