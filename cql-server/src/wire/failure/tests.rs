use super::*;
use bytes::Bytes;

fn told(error: &CqlError, version: Version) -> Vec<u8> {
    error.message(version).body.to_vec()
}

#[test]
fn fields_follow_the_text() {
    let error = CqlError::Unprepared {
        message: "gone".to_owned(),
        id: Bytes::from_static(b"id"),
    };
    assert_eq!(told(&error, Version::V4), b"\0\0\x25\0\0\x04gone\0\x02id");
    let error = CqlError::AlreadyExists {
        message: "x".to_owned(),
        keyspace: "k".to_owned(),
        table: String::new(),
    };
    assert_eq!(told(&error, Version::V4), b"\0\0\x24\0\0\x01x\0\x01k\0\0");
    assert_eq!(told(&CqlError::invalid("no"), Version::V3), b"\0\0\x22\0\0\x02no");
}

#[test]
fn a_consistency_level_comes_with_what_it_takes() {
    let error = CqlError::Unavailable {
        consistency: crate::engine::Consistency::LocalQuorum,
        required: 2,
        alive: 1,
    };
    let text = b"Cannot achieve consistency level LOCAL_QUORUM";
    let body = [&b"\0\0\x10\0\0\x2d"[..], text, b"\0\x06\0\0\0\x02\0\0\0\x01"].concat();
    assert_eq!(told(&error, Version::V4), body);
}

#[test]
fn an_unknown_end_is_a_timeout_to_older_versions() {
    let error = CqlError::CasWriteUnknown {
        message: "c".to_owned(),
        consistency: 8,
        received: 0,
        required: 1,
    };
    let counts = b"\0\x08\0\0\0\0\0\0\0\x01";
    let v4 = [&b"\0\0\x11\0\0\x01c"[..], counts, b"\0\x03CAS"].concat();
    assert_eq!(told(&error, Version::V4), v4);
    assert_eq!(
        told(&error, Version::V5),
        [&b"\0\0\x17\0\0\x01c"[..], counts].concat()
    );
}

#[test]
fn older_versions_are_told_what_they_know() {
    let write = CqlError::WriteFailure {
        message: "w".to_owned(),
        consistency: 6,
        received: 0,
        required: 1,
        write_type: "SIMPLE",
    };
    assert_eq!(
        told(&write, Version::V3),
        b"\0\0\x11\0\0\x01w\0\x06\0\0\0\0\0\0\0\x01\0\x06SIMPLE"
    );
    let v4 = b"\0\0\x15\0\0\x01w\0\x06\0\0\0\0\0\0\0\x01\0\0\0\x01\0\x06SIMPLE";
    assert_eq!(told(&write, Version::V4), v4);
    let function = CqlError::FunctionFailure {
        message: "f".to_owned(),
        keyspace: "k".to_owned(),
        function: "g".to_owned(),
        argument_types: vec!["int".to_owned()],
    };
    assert_eq!(told(&function, Version::V3), b"\0\0\x22\0\0\x01f");
    assert_eq!(
        told(&function, Version::V4),
        b"\0\0\x14\0\0\x01f\0\x01k\0\x01g\0\x01\0\x03int"
    );
}
