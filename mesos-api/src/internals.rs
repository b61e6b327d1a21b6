//! A way in for fuzz targets, which are a crate of their own. Behind the feature `internals`; nothing here is an interface
//! to build on.

use crate::{
    core::link::{ToAgent, ToMaster},
    wire,
};
use mesos_proto::recordio::Decoder;

/// Bytes of a record that are taken here: fuzzers find a limit only where it is low.
const RECORD_BYTES_MAX: usize = 4096;

/// A query string, or a body of a form. Whatever is found there is what was sent, decoded.
pub fn query(text: &str, name: &str) {
    if let Some(value) = wire::query_value(text, name) {
        // Each byte that is not taken as it is stands for one at the most; what is no text is shown as three.
        assert!(value.len() <= 3 * text.len());
    }
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain(text) && plain(name) {
        let query = format!("{name}={text}&{name}=other");
        assert_eq!(wire::query_value(&query, name).as_deref(), Some(text));
    }
}

/// What an agent sends a master over their connection, and the other way round, in pieces: what is taken is sent as it came.
pub fn link(stream: &[u8]) {
    messages(stream, |record| {
        again(serde_json::from_slice::<ToMaster>(record));
        again(serde_json::from_slice::<ToAgent>(record));
    });
}

fn messages(stream: &[u8], take: impl Fn(&[u8])) {
    let mut decoder = Decoder::new(RECORD_BYTES_MAX);
    for piece in stream.chunks(13) {
        decoder.feed(piece);
        loop {
            match decoder.next_record() {
                Ok(Some(record)) => take(&record),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

/// What was read is written, and read as the same.
fn again<T: serde::Serialize + serde::de::DeserializeOwned>(read: serde_json::Result<T>) {
    let Ok(message) = read else { return };
    let written = serde_json::to_vec(&message).unwrap_or_default();
    let read: Option<T> = serde_json::from_slice(&written).ok();
    let again = read.and_then(|message| serde_json::to_vec(&message).ok());
    assert_eq!(again.as_deref(), Some(written.as_slice()));
}
