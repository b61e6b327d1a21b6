use super::{Nature, Schema, Target, TargetPart};

#[test]
fn every_table_of_the_system_is_there() {
    let schema = Schema::default();
    let counts: Vec<(&str, usize)> = schema
        .keyspaces
        .iter()
        .map(|(name, k)| (&**name, k.tables.len()))
        .collect();
    let recorded = [
        ("system", 23),
        ("system_auth", 8),
        ("system_distributed", 4),
        ("system_schema", 11),
        ("system_traces", 2),
        ("system_views", 43),
        ("system_virtual_schema", 3),
    ];
    assert_eq!(counts, recorded);
    assert_eq!(schema.keyspaces["system_views"].nature, Nature::Virtual);
}

#[test]
fn system_local_is_the_originals() {
    let schema = Schema::default();
    let local = schema.table("system", "local").unwrap();
    assert_eq!(local.id.to_string(), "7ad54392-bcdd-35a6-8417-4e047860b377");
    assert_eq!(local.columns.len(), 20);
    assert_eq!(&*local.partition_key()[0].name, "key");
    assert_eq!(local.column("tokens").unwrap().kind.to_string(), "set<text>");
    assert_eq!(
        (local.options.gc_grace_seconds, &*local.options.comment),
        (0, "information about the local node")
    );
}

#[test]
fn index_targets_are_read_as_they_were_written() {
    for (part, column) in [
        (TargetPart::Whole, "a"),
        (TargetPart::Keys, "B\"c"),
        (TargetPart::Full, "x"),
    ] {
        let target = Target {
            column: column.into(),
            part,
        };
        assert_eq!(Target::parse(&target.to_string()), target);
    }
}
