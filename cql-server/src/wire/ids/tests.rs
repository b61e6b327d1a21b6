use super::*;
use crate::core::types::{CqlType, Native};

fn hex(id: Id) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As the original answered them.
#[test]
fn ids_are_the_originals() {
    let text = "select * from system.local where key=?";
    assert_eq!(hex(statement_id(None, text)), "cce810f18cacfdbe1cd7da761dd8a766");
    let text = "select key from local";
    assert_eq!(
        hex(statement_id(Some("system"), text)),
        "7cd1eed670373675fcbe0858db255ea4"
    );
    let key = ColumnSpec {
        keyspace: "system".into(),
        table: "local".into(),
        name: "key".into(),
        kind: CqlType::Native(Native::Text),
    };
    assert_eq!(hex(metadata_id(&[key])), "23b80ce48246cedcc2765255d9c4553c");
    assert_eq!(hex(metadata_id(&[])), "d41d8cd98f00b204e9800998ecf8427e");
}
