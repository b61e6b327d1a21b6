//! What indexes find is what reading every row finds.

use super::Node;
use proptest::prelude::*;

const TABLE: &str = "(p int, q int, a int, b int, v int, l list<int>, s set<int>, m map<text, int>, t int static, \
                     PRIMARY KEY ((p, q), a, b))";

/// A condition, and the indexed column it asks for.
const CONDITIONS: [&str; 10] = [
    "v = 1",
    "v = 2",
    "a = 1",
    "b = 2",
    "q = 1",
    "t = 1",
    "l CONTAINS 1",
    "s CONTAINS 2",
    "m CONTAINS KEY 'x'",
    "m['y'] = 1",
];

const INDEXES: [&str; 10] = [
    "CREATE INDEX ON indexed (v)",
    "CREATE INDEX ON indexed (a)",
    "CREATE INDEX ON indexed (b)",
    "CREATE INDEX ON indexed (q)",
    "CREATE INDEX ON indexed (t)",
    "CREATE INDEX ON indexed (l)",
    "CREATE INDEX ON indexed (s)",
    "CREATE INDEX ON indexed (keys(m))",
    "CREATE INDEX ON indexed (entries(m))",
    "CREATE CUSTOM INDEX ON indexed (v) USING 'sai'",
];

/// A write to a table whose name is still to be put in.
fn write() -> impl Strategy<Value = String> {
    let n = || 0..3i32;
    let key = (0..2i32, 0..2i32).prop_map(|(p, q)| format!("p = {p} AND q = {q}"));
    let row = (key.clone(), n(), n()).prop_map(|(key, a, b)| format!("{key} AND a = {a} AND b = {b}"));
    let set = prop_oneof![
        4 => n().prop_map(|v| format!("v = {v}")),
        1 => Just("v = null".to_owned()),
        1 => n().prop_map(|v| format!("l = [{v}]")),
        1 => n().prop_map(|v| format!("l = l + [{v}]")),
        1 => n().prop_map(|v| format!("l = l - [{v}]")),
        1 => n().prop_map(|v| format!("s = s + {{{v}}}")),
        1 => n().prop_map(|v| format!("s = s - {{{v}}}")),
        1 => n().prop_map(|v| format!("m['x'] = {v}")),
        1 => n().prop_map(|v| format!("m = {{'y': {v}}}")),
    ];
    let until = prop_oneof![
        4 => Just(String::new()),
        1 => (1..10u32).prop_map(|ttl| format!(" USING TTL {ttl}")),
        1 => (1..10i64).prop_map(|back| format!(" USING TIMESTAMP {}", 1_700_000_000_000_000 - back)),
    ];
    prop_oneof![
        6 => (until.clone(), set, row.clone()).prop_map(|(until, set, row)| format!("UPDATE {{}}{until} SET {set} WHERE {row}")),
        4 => (0..2i32, 0..2i32, n(), n(), n(), until.clone()).prop_map(|(p, q, a, b, v, until)| {
            format!("INSERT INTO {{}} (p, q, a, b, v) VALUES ({p}, {q}, {a}, {b}, {v}){until}")
        }),
        2 => (until, n(), key.clone()).prop_map(|(until, t, key)| format!("UPDATE {{}}{until} SET t = {t} WHERE {key}")),
        2 => row.prop_map(|row| format!("DELETE FROM {{}} WHERE {row}")),
        1 => (key.clone(), n()).prop_map(|(key, a)| format!("DELETE FROM {{}} WHERE {key} AND a > {a}")),
        1 => key.prop_map(|key| format!("DELETE FROM {{}} WHERE {key}")),
    ]
}

async fn compare(node: &Node, condition: &str) {
    let select = |table: &str, rest: &str| format!("SELECT * FROM {table} WHERE {condition}{rest}");
    let scanned = node.rows(&select("plain2", " ALLOW FILTERING")).await;
    assert_eq!(
        node.rows(&select("indexed", " ALLOW FILTERING")).await,
        scanned,
        "{condition}"
    );
    let in_partition = " AND p = 1 AND q = 1 ALLOW FILTERING";
    let scanned = node.rows(&select("plain2", in_partition)).await;
    assert_eq!(
        node.rows(&select("indexed", in_partition)).await,
        scanned,
        "{condition} in a partition"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn indexes_find_what_reading_every_row_finds(
        before in proptest::collection::vec(write(), 0..8),
        after in proptest::collection::vec((write(), 0..3u64, proptest::bool::weighted(0.2)), 1..24),
        waited in 0..12u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let node = Node::new();
            node.define(&[&format!("CREATE TABLE plain2 {TABLE}"), &format!("CREATE TABLE indexed {TABLE}")]).await;
            let write = async |text: &str| {
                for table in ["plain2", "indexed"] {
                    let answer = node.rows(&text.replace("{}", table)).await;
                    assert!(answer.is_empty(), "{text}: {answer:?}");
                }
            };
            for text in &before {
                write(text).await;
            }
            node.define(&INDEXES).await;
            for (text, pause, collects) in &after {
                write(text).await;
                node.wait(*pause);
                if *collects {
                    node.collect("indexed").await;
                }
            }
            node.wait(waited);
            for condition in CONDITIONS {
                compare(&node, condition).await;
            }
            node.collect("indexed").await;
            for condition in CONDITIONS {
                compare(&node, condition).await;
            }
            let entries = node.entries("indexed", "v").await;
            let rows = node.rows("SELECT v FROM plain2 WHERE v >= 0 ALLOW FILTERING").await;
            assert_eq!(entries, rows.len(), "entries of values that are there");
            for condition in ["v > 0", "v > 0 AND v <= 1", "v < 2 AND a = 1"] {
                compare(&node, condition).await;
            }
        });
    }
}

#[tokio::test]
async fn rows_of_more_than_a_page_are_found_before_and_after_the_index_is_built() {
    let node = Node::new();
    for k in 0..3000 {
        node.rows(&format!("INSERT INTO plain (k, n) VALUES ({k}, {})", k % 1000))
            .await;
    }
    node.define(&["CREATE INDEX ON plain (n)"]).await;
    let find = "SELECT k FROM plain WHERE n = 7";
    let mut scanned = node.rows(find).await;
    assert_eq!(scanned.len(), 3);
    node.engine.build_all().await.unwrap();
    assert_eq!(node.rows(find).await, scanned);
    node.rows("UPDATE plain SET n = 8 WHERE k = 7").await;
    scanned.retain(|k| k != "7");
    assert_eq!(node.rows(find).await, scanned);
    node.rows("TRUNCATE plain").await;
    assert!(node.rows(find).await.is_empty());
    let stored = node
        .engine
        .kv
        .scan(storage::Scan::prefix(b"c\x04"), storage::Page::default())
        .await
        .unwrap();
    assert!(stored.items.is_empty(), "entries outlived their rows");
}

#[tokio::test]
async fn entries_of_partition_keys_go_with_the_last_row() {
    let node = Node::new();
    node.define(&[
        &format!("CREATE TABLE keyed {TABLE} WITH gc_grace_seconds = 5"),
        "CREATE INDEX ON keyed (q)",
    ])
    .await;
    for (p, a) in [(1, 1), (1, 2), (2, 1)] {
        let insert = format!("INSERT INTO keyed (p, q, a, b, v) VALUES ({p}, 7, {a}, 0, 0)");
        node.rows(&insert).await;
    }
    node.rows("UPDATE keyed SET t = 1 WHERE p = 3 AND q = 7").await;
    assert_eq!(node.entries("keyed", "q").await, 3);
    node.rows("DELETE FROM keyed WHERE p = 1 AND q = 7 AND a = 1")
        .await;
    node.rows("DELETE FROM keyed WHERE p = 2 AND q = 7").await;
    node.rows("DELETE t FROM keyed WHERE p = 3 AND q = 7").await;
    node.wait(6);
    node.collect("keyed").await;
    assert_eq!(node.entries("keyed", "q").await, 1);
    let find = "SELECT p, a FROM keyed WHERE q = 7";
    assert_eq!(node.rows(find).await, ["1 2"]);
    node.rows("INSERT INTO keyed (p, q, a, b, v) VALUES (2, 7, 3, 0, 0)")
        .await;
    node.collect("keyed").await;
    assert_eq!(node.rows(find).await, ["1 2", "2 3"]);
}
