//! What libmesos.so reads from sockets: answers of HTTP in pieces.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use mesos::http::Head;

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
});
