use super::*;
use crate::{
    core::types::{CqlType, Native},
    wire::{ids::statement_id, rows::RowsWriter},
};
use std::sync::Arc;

fn column(keyspace: &str, table: &str, name: &str, kind: Native) -> ColumnSpec {
    ColumnSpec {
        keyspace: keyspace.into(),
        table: table.into(),
        name: name.into(),
        kind: CqlType::Native(kind),
    }
}

fn key() -> ColumnSpec {
    column("system", "local", "key", Native::Text)
}

fn one_row(told: Metadata, paging_state: Option<Bytes>) -> Vec<u8> {
    let mut rows = RowsWriter::with_capacity(16);
    rows.cell(Some(b"local"));
    rows.end_row();
    let rows = rows.finish(Arc::from([key()]), paging_state);
    let message = Message::result(Outcome::Rows(rows), Version::V5, told);
    [&message.body[..], &message.content].concat()
}

/// Bytes that the original answered.
#[test]
fn rows_with_and_without_metadata() {
    let whole =
        b"\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\x06system\0\x05local\0\x03key\0\r\0\0\0\x01\0\0\0\x05local";
    assert_eq!(one_row(Metadata::Whole, None), whole);
    let left = b"\0\0\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x01\0\0\0\x05local";
    assert_eq!(one_row(Metadata::Left, None), left);
    let paged = b"\0\0\0\x02\0\0\0\x06\0\0\0\x01\0\0\0\x02ps\0\0\0\x01\0\0\0\x05local";
    assert_eq!(one_row(Metadata::Left, Some(Bytes::from_static(b"ps"))), paged);
    let changed = one_row(Metadata::Changed([7; 16]), None);
    assert_eq!(changed[..12], *b"\0\0\0\x02\0\0\0\x09\0\0\0\x01");
    assert_eq!(
        changed[12..30],
        *b"\0\x10\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07"
    );
}

/// Bytes that the original answered to `select key from local` and to an INSERT with two markers.
#[test]
fn prepared_statements() {
    let select = Prepared {
        id: statement_id(Some("system"), "select key from local"),
        metadata_id: crate::wire::ids::metadata_id(&[key()]),
        markers: &[],
        partition_key: &[],
        columns: &[key()],
    };
    let id = b"\0\0\0\x04\0\x10\x7c\xd1\xee\xd6\x70\x37\x36\x75\xfc\xbe\x08\x58\xdb\x25\x5e\xa4";
    let columns = b"\0\0\0\x01\0\0\0\x01\0\x06system\0\x05local\0\x03key\0\r";
    let v4 = [&id[..], &[0; 12], columns].concat();
    assert_eq!(select.message(Version::V4).body[..], v4);
    assert_eq!(
        select.message(Version::V3).body[..],
        [&id[..], &[0; 8], columns].concat()
    );
    let metadata_id = b"\0\x10#\xb8\x0c\xe4\x82F\xce\xdc\xc2vRU\xd9\xc4U<";
    let v5 = [&id[..], metadata_id, &[0; 12], columns].concat();
    assert_eq!(select.message(Version::V5).body[..], v5);

    let of = |name, kind| column("system_traces", "sessions", name, kind);
    let insert = Prepared {
        id: *b"\x98[\x1f\x81\x91\x04\xb2\x8a\xbe\xd9#d\xba7\xf4M",
        metadata_id: crate::wire::ids::metadata_id(&[]),
        markers: &[of("session_id", Native::Uuid), of("x", Native::Inet)],
        partition_key: &[0],
        columns: &[],
    };
    let told = b"\0\0\0\x04\0\x10\x98[\x1f\x81\x91\x04\xb2\x8a\xbe\xd9#d\xba7\xf4M\0\x10\xd4\x1d\x8c\xd9\x8f\0\xb2\x04\xe9\x80\t\x98\xec\xf8B~\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\rsystem_traces\0\x08sessions\0\nsession_id\0\x0c\0\x01x\0\x10\0\0\0\x04\0\0\0\0";
    assert_eq!(insert.message(Version::V5).body[..], told[..]);
}

#[test]
fn columns_of_several_tables_name_each() {
    let columns = [key(), column("a", "b", "c", Native::Int)];
    let mut out = BytesMut::new();
    put_metadata(&mut out, &columns, None, Version::V4, Metadata::Whole);
    assert_eq!(
        out[..],
        *b"\0\0\0\0\0\0\0\x02\0\x06system\0\x05local\0\x03key\0\r\0\x01a\0\x01b\0\x01c\0\x09"
    );
}

#[test]
fn schema_changes_and_events() {
    let change = |target, name: &str, arguments: &[&str]| SchemaChange {
        change: "CREATED",
        target,
        keyspace: "k".to_owned(),
        name: name.to_owned(),
        arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
    };
    let result = |change| Message::result(Outcome::SchemaChange(change), Version::V4, Metadata::Whole).body;
    assert_eq!(
        result(change("KEYSPACE", "", &[]))[..],
        *b"\0\0\0\x05\0\x07CREATED\0\x08KEYSPACE\0\x01k"
    );
    assert_eq!(
        result(change("TABLE", "t", &[]))[..],
        *b"\0\0\0\x05\0\x07CREATED\0\x05TABLE\0\x01k\0\x01t"
    );
    let function = change("FUNCTION", "f", &["int"]);
    let told = b"\0\x0dSCHEMA_CHANGE\0\x07CREATED\0\x08FUNCTION\0\x01k\0\x01f\0\x01\0\x03int";
    let event = Event::Schema(function);
    assert_eq!(event.message(Version::V4).unwrap().body[..], told[..]);
    assert!(event.message(Version::V3).is_none());
}

#[test]
fn traces_and_warnings_come_first() {
    let warnings = ["careful".to_owned()];
    let message = Message::ready().preceded(Version::V4, Some([1; 16]), &warnings);
    assert_eq!(message.flags, flags::TRACING | flags::WARNING);
    assert_eq!(message.body[16..], *b"\0\x01\0\x07careful");
    let message = Message::ready().preceded(Version::V3, None, &warnings);
    assert_eq!((message.flags, message.body.len()), (0, 0));
}

#[test]
fn what_is_supported() {
    let told = b"\x00\x03\x00\x11PROTOCOL_VERSIONS\x00\x04\x00\x043/v3\x00\x044/v4\x00\x045/v5\x00\t6/v6-beta\x00\x0bCOMPRESSION\x00\x02\x00\x06snappy\x00\x03lz4\x00\x0bCQL_VERSION\x00\x01\x00\x053.4.7";
    assert_eq!(Message::supported().body[..], told[..]);
}
