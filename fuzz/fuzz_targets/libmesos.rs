//! What libmesos.so reads from sockets: answers of HTTP in pieces, and ZooKeeper's frames.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use mesos::{
    http::Head,
    master::Address,
    zookeeper::wire::{Answer, connected, cut, leading},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some((head, taken))) = Head::parse(bytes)
        && let Ok(mut framing) = head.framing()
    {
        let (mut received, mut content) = (BytesMut::new(), Vec::new());
        for piece in bytes[taken..].chunks(7) {
            received.extend_from_slice(piece);
            if framing.take(&mut received, &mut content).is_err() || framing.ended() {
                break;
            }
        }
        // A body is never longer than what came.
        assert!(content.len() <= bytes.len());
    }
    let mut received = BytesMut::from(bytes);
    while let Ok(Some(frame)) = cut(&mut received) {
        let _ = connected(frame.clone());
        if let Ok(answer) = Answer::parse(frame) {
            let _ = answer.clone().data().map(|info| Address::of_master_info(&info));
            let _ = answer.children().map(|names| leading(&names).map(str::to_owned));
        }
    }
    let _ = Answer::parse(Bytes::copy_from_slice(bytes));
});
