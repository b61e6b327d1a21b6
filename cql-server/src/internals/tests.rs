//! What fuzz targets do for hours, for a moment in every test run.

use super::{Sample, json_value, key, paging_state, parse, stored_statements, value};
use bytes::Bytes;
use proptest::{collection::vec, prelude::*, sample::select};

/// Types of every make, by name and by class.
const KINDS: &[&str] = &[
    "ascii",
    "bigint",
    "blob",
    "boolean",
    "date",
    "decimal",
    "double",
    "duration",
    "float",
    "inet",
    "int",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timeuuid",
    "tinyint",
    "uuid",
    "varint",
    "list<int>",
    "frozen<set<text>>",
    "map<text, varint>",
    "frozen<tuple<int, text, decimal>>",
    "vector<float, 2>",
    "vector<text, 2>",
    "org.apache.cassandra.db.marshal.ListType(org.apache.cassandra.db.marshal.Int32Type)",
    "org.apache.cassandra.db.marshal.ReversedType(org.apache.cassandra.db.marshal.DecimalType)",
];

/// Pieces that texts of JSON and of statements are made of, put together without sense.
fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        ";",
        "\"",
        "'",
        "\"a\"",
        "\"\\u00e9\"",
        "\\",
        "null",
        "true",
        "5",
        "-0.5e3",
        " ",
        "\n",
        "é",
        "SELECT ",
        "JSON ",
        "DISTINCT ",
        "* ",
        "k ",
        "FROM ",
        "ks.t ",
        "WHERE ",
        "= ",
        "? ",
        "INSERT INTO ",
        "VALUES ",
        "IN ",
        "tuple<",
        "list<",
        "int",
        ">",
        "ORDER BY ",
        "LIMIT ",
        "AND ",
        "USING ",
    ];
    let pieces = vec(select(PIECES), 0..16).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => pieces, 1 => any::<String>()]
}

proptest! {
    #[test]
    fn any_value_is_read_or_refused(kind in select(KINDS), bytes in vec(any::<u8>(), 0..24), descending in any::<bool>()) {
        value(kind, &bytes);
        key(kind, &bytes, descending);
    }

    #[test]
    fn any_type_is_read_or_refused(kind in text(), bytes in vec(any::<u8>(), 0..8)) {
        value(&kind, &bytes);
    }

    #[test]
    fn any_text_is_json_or_refused(kind in select(KINDS), text in text()) {
        json_value(kind, &text);
    }

    #[test]
    fn any_text_is_a_statement_or_refused(text in text()) {
        if parse(&text) {
            Sample::default().plan(&text);
        }
    }

    #[test]
    fn any_paging_state_is_read_or_refused(bytes in vec(any::<u8>(), 0..40), is_framed in any::<bool>()) {
        let bytes = if is_framed { [&[1][..], &bytes].concat() } else { bytes };
        paging_state(Bytes::from(bytes));
    }

    #[test]
    fn any_stored_statement_is_read_or_passed_over(bytes in vec(any::<u8>(), 0..64)) {
        stored_statements(&Sample::default(), &bytes, 4);
    }
}
