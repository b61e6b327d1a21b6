use super::*;
use std::sync::Arc;

fn told(kind: &CqlType, version: Version) -> Vec<u8> {
    let mut out = BytesMut::new();
    put_type(&mut out, kind, version);
    out.to_vec()
}

fn custom(class: &str) -> Vec<u8> {
    let mut out = BytesMut::from(&b"\0\0"[..]);
    out.put_string(class);
    out.to_vec()
}

#[test]
fn a_type_newer_than_the_version_goes_by_its_class() {
    let of = CqlType::Native;
    assert_eq!(told(&of(Native::Int), Version::V3), [0, 9]);
    assert_eq!(told(&of(Native::Date), Version::V4), [0, 0x11]);
    let date = custom("org.apache.cassandra.db.marshal.SimpleDateType");
    assert_eq!(told(&of(Native::Date), Version::V3), date);
    assert_eq!(told(&of(Native::Duration), Version::V5), [0, 0x15]);
    let duration = custom("org.apache.cassandra.db.marshal.DurationType");
    assert_eq!(told(&of(Native::Duration), Version::V4), duration);
}

#[test]
fn parts_follow() {
    let int = Arc::new(CqlType::Native(Native::Int));
    let list = CqlType::List {
        of: int.clone(),
        frozen: false,
    };
    assert_eq!(told(&list, Version::V4), [0, 0x20, 0, 9]);
    let tuple = CqlType::Tuple(Arc::from([list.clone(), CqlType::Native(Native::Text)]));
    assert_eq!(told(&tuple, Version::V4), [0, 0x31, 0, 2, 0, 0x20, 0, 9, 0, 0x0d]);
    let udt = CqlType::Udt {
        of: Arc::new(UserType {
            keyspace: "k".into(),
            name: "t".into(),
            fields: vec![("f".into(), list)],
        }),
        frozen: true,
    };
    assert_eq!(
        told(&udt, Version::V4)[..],
        *b"\0\x30\0\x01k\0\x01t\0\x01\0\x01f\0\x20\0\x09"
    );
    let vector = CqlType::Vector {
        of: int,
        dimensions: 3,
    };
    let class = "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.Int32Type , 3)";
    assert_eq!(told(&vector, Version::V5), custom(class));
}
