use super::{difference, load, version};
use crate::{
    core::schema::Schema,
    statements::{Statement, ddl::Circumstances},
    syntax::parse,
};
use std::sync::Arc;
use storage::{Durability, memory};
use uuid::Uuid;

fn defined(texts: &[&str]) -> Schema {
    let mut schema = Schema::default();
    for (number, text) in (1u128..).zip(texts) {
        let cx = Circumstances {
            keyspace: Some("k".into()),
            now_us: 5_000,
            id: Uuid::from_u128(number),
            materialized_views_enabled: true,
            site: Arc::default(),
        };
        let Statement::Ddl(ddl) = parse(text).unwrap().statement else {
            panic!("{text} defines nothing")
        };
        schema = ddl.apply(&schema, &cx).unwrap().schema;
    }
    schema
}

fn example() -> Schema {
    defined(&[
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = false",
        "CREATE TYPE inner (x int, \"Y\" text)",
        "CREATE TYPE outer (i frozen<inner>, l list<int>)",
        "CREATE TABLE t (a int, b text, c int static, d map<text, frozen<outer>>, e tuple<int, text>, v vector<float, 3>, \
         PRIMARY KEY ((a), b)) WITH CLUSTERING ORDER BY (b DESC) AND comment = 'x' AND default_time_to_live = 9",
        "ALTER TABLE t ADD gone int",
        "ALTER TABLE t DROP gone",
        "CREATE INDEX ON t (keys(d))",
        "CREATE INDEX s ON t (v) USING 'sai' WITH OPTIONS = {'similarity_function': 'cosine'}",
        "CREATE MATERIALIZED VIEW m AS SELECT a, b FROM t WHERE a IS NOT NULL AND b IS NOT NULL PRIMARY KEY (b, a)",
    ])
}

async fn stored(schemas: &[Schema]) -> Schema {
    let kv = memory::shard().kv;
    let mut before = Schema::default();
    for schema in schemas {
        kv.commit(difference(&before, schema).unwrap(), Durability::Synced)
            .await
            .unwrap();
        before = schema.clone();
    }
    load(&*kv).await.unwrap()
}

#[tokio::test]
async fn what_was_stored_is_loaded() {
    let schema = example();
    let loaded = stored(std::slice::from_ref(&schema)).await;
    assert_eq!(loaded, schema);
    assert_eq!(version(&loaded).unwrap(), version(&schema).unwrap());
}

#[tokio::test]
async fn what_was_dropped_is_gone() {
    let schema = example();
    let mut emptied = schema.clone();
    emptied.keyspaces.remove("k");
    let loaded = stored(&[schema, emptied.clone()]).await;
    assert_eq!(loaded, emptied);
    assert!(loaded.next_number > Schema::default().next_number);
}

#[test]
fn the_version_follows_the_content() {
    assert_eq!(version(&example()).unwrap(), version(&example()).unwrap());
    assert_ne!(version(&example()).unwrap(), version(&Schema::default()).unwrap());
}
