//! What comes from sockets and files inside requests: types, values, JSON, paging states, stored statements.

use super::Sample;
use crate::{
    core::types::{
        CqlType, json, literal, marshal, names,
        ordered::{decode, encode},
        show, validate,
    },
    handlers::stored,
    statements::select::Mark,
};
use bytes::Bytes;

/// A type by its name in CQL or by its Java class; user-defined ones are known to nobody.
fn kind_of(name: &str) -> Option<CqlType> {
    let by_name = names::parse(name).and_then(|raw| raw.resolve("ks", &|_| None));
    by_name.or_else(|_| marshal::parse(name)).ok()
}

/// Reads a type, and a value of it in every way there is. Whether it is one.
pub fn value(kind: &str, bytes: &[u8]) -> bool {
    let Some(kind) = kind_of(kind) else { return false };
    let _ = marshal::parse(&marshal::class_name(&kind));
    if validate(&kind, bytes).is_err() {
        return false;
    }
    let _ = show::json(&kind, bytes);
    let _ = literal::parse(&kind, &show::cql(&kind, bytes));
    for descending in [false, true] {
        let mut key = Vec::new();
        if encode(&mut key, &kind, descending, Some(bytes)).is_ok() {
            let (mut back, mut again) = (Vec::new(), Vec::new());
            let read = decode(&mut back, &kind, descending, &mut &key[..]);
            assert!(read.is_ok(), "a key is read as it was written");
            let _ = encode(&mut again, &kind, descending, Some(&back));
            assert_eq!(again, key);
        }
    }
    true
}

/// Reads a stored key of a type. Whether it is one.
pub fn key(kind: &str, mut bytes: &[u8], descending: bool) -> bool {
    let Some(kind) = kind_of(kind) else { return false };
    decode(&mut Vec::new(), &kind, descending, &mut bytes).is_ok()
}

/// Reads JSON, and what it says as a value of a type, and as a document. Whether it is a value.
pub fn json_value(kind: &str, text: &str) -> bool {
    let _ = json::columns(text);
    let (Some(kind), Ok(json)) = (kind_of(kind), json::parse(text)) else {
        return false;
    };
    // An empty text is an empty value, of types too that have none: so it is in the original.
    json::value(&kind, &json).is_ok_and(|value| validate(&kind, &value).is_ok())
}

/// Reads what a client sends back to have the next page. Whether it can be one.
pub fn paging_state(bytes: Bytes) -> bool {
    let Ok(mark) = Mark::read(&bytes) else {
        return false;
    };
    assert_eq!(Mark::read(&mark.to_bytes()).as_ref(), Ok(&mark));
    true
}

/// Reads rows of `system.prepared_statements`. How many of their statements can be prepared.
pub fn stored_statements(sample: &Sample, content: &[u8], count: u32) -> usize {
    let said = stored(content, count).filter_map(|(_, said)| said);
    let prepared = said.map(|(keyspace, text)| {
        let keyspace = keyspace.map(std::sync::Arc::from);
        crate::engine::prepare(&sample.0, text, keyspace.as_ref())
    });
    prepared.filter(Result::is_ok).count()
}
