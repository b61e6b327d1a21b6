use super::*;
use proptest::prelude::*;

const VERSIONS: [Version; 3] = [Version::V3, Version::V4, Version::V5];

fn read<T>(of: fn(&mut Reader, Version) -> Result<T>, bytes: &[u8], version: Version) -> Result<T> {
    of(&mut Reader::new(Bytes::copy_from_slice(bytes)), version)
}

/// A QUERY with the given flags and what follows them.
fn query(version: Version, flags: u32, rest: &[u8]) -> Result<Query> {
    let mut body = b"\0\0\0\x08SELECT 1\0\x06".to_vec();
    match version {
        Version::V5 => body.extend(flags.to_be_bytes()),
        _ => body.push(flags as u8),
    }
    body.extend(rest);
    read(Query::read, &body, version)
}

fn protocol(text: &str) -> CqlError {
    CqlError::Protocol(text.to_owned())
}

#[test]
fn everything_a_query_can_say() {
    let mut rest = b"\0\x02\0\x01a\0\0\0\x01x\0\x01b\xff\xff\xff\xff".to_vec();
    rest.extend(b"\0\0\0\x64\0\0\0\x02ps\0\x08\0\0\0\0\0\0\0\x07\0\x02ks\0\0\0\x09");
    let told = query(Version::V5, 0x1ff, &rest).unwrap();
    assert_eq!(told.text, "SELECT 1");
    assert!(told.skip_metadata);
    let told = told.parameters;
    assert_eq!(told.consistency, Consistency::LocalQuorum);
    assert_eq!(told.names, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(told.values, [Value::Set(Bytes::from_static(b"x")), Value::Null]);
    assert_eq!(
        (told.page_size, told.paging_state),
        (Some(100), Some(Bytes::from_static(b"ps")))
    );
    assert_eq!(
        (told.serial_consistency, told.timestamp_us),
        (Some(Consistency::Serial), Some(7))
    );
    assert_eq!(
        (told.keyspace.as_deref(), told.now_in_seconds),
        (Some("ks"), Some(9))
    );
}

#[test]
fn what_a_query_must_not_say() {
    for version in VERSIONS {
        let said = |flags, rest: &[u8]| query(version, flags, rest).unwrap_err();
        assert_eq!(said(0x04, &[0; 4]), protocol("The page size cannot be 0"));
        assert_eq!(
            said(0x10, &[0, 0x63]),
            protocol("Unknown code 99 for a consistency level")
        );
        let out_of_bound = "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807] \
                            (got -9223372036854775808)";
        assert_eq!(said(0x20, b"\x80\0\0\0\0\0\0\0"), protocol(out_of_bound));
        assert_eq!(
            query(version, 0x04, &[0xff; 4]).unwrap().parameters.page_size,
            None
        );
    }
}

#[test]
fn batches() {
    let body = b"\x01\0\x02\0\0\0\0\x03abc\0\x01\0\0\0\x01v\x01\0\x02id\0\0\0\x01\0\0\0\0";
    let batch = read(Batch::read, body, Version::V5).unwrap();
    assert_eq!(batch.kind, BatchKind::Unlogged);
    assert!(
        matches!(&batch.statements[0], (Named::Text(text), values) if text == "abc" && values.len() == 1)
    );
    assert!(matches!(&batch.statements[1], (Named::Prepared(id), _) if id[..] == *b"id"));
    let said = |body: &[u8]| read(Batch::read, body, Version::V4).unwrap_err();
    assert_eq!(said(b"\x09\0\0"), protocol("Invalid BATCH message type 9"));
    let kind = "Invalid query kind in BATCH messages. Must be 0 or 1 but got 7";
    assert_eq!(said(b"\0\0\x01\x07\0\0\0\x06insert"), protocol(kind));
}

#[test]
fn registrations() {
    let asked = |body: &'static [u8]| register(&mut Reader::new(Bytes::from_static(body)));
    assert_eq!(asked(b"\0\x02\0\x0dschema_change\0\x0dSTATUS_CHANGE"), Ok(6));
    assert_eq!(
        asked(b"\0\x01\0\x03Foo"),
        Err(protocol("Invalid value 'FOO' for Type"))
    );
}

#[test]
fn prepare_and_execute_differ_by_version() {
    let told = read(Prepare::read, b"\0\0\0\x01q\0\0\0\x01\0\x02ks", Version::V5).unwrap();
    assert_eq!(told.keyspace.as_deref(), Some("ks"));
    assert_eq!(
        read(Prepare::read, b"\0\0\0\x01q", Version::V4).unwrap().keyspace,
        None
    );
    let told = read(Execute::read, b"\0\x01i\0\x01m\0\x01\0\0\0\0", Version::V5).unwrap();
    assert_eq!(told.metadata_id, Some(Bytes::from_static(b"m")));
    assert_eq!(
        read(Execute::read, b"\0\x01i\0\x01\0", Version::V4)
            .unwrap()
            .metadata_id,
        None
    );
}

proptest! {
    #[test]
    fn any_body_is_a_request_or_not(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for version in VERSIONS {
            let _ = read(Query::read, &body, version);
            let _ = read(Prepare::read, &body, version);
            let _ = read(Execute::read, &body, version);
            let _ = read(Batch::read, &body, version);
        }
    }

    #[test]
    fn a_truncated_request_is_refused(cut in 0usize..38) {
        let whole = b"\0\0\0\x01q\0\x01\0\0\0\x1d\0\x01\0\0\0\x01x\0\0\0\x64\0\0\0\x02ps\0\x08";
        prop_assert!(read(Query::read, &whole[..cut.min(whole.len() - 1)], Version::V5).is_err());
    }
}
