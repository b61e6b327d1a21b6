//! Views show what their base shows.

use super::Node;
use proptest::prelude::*;

const VIEWS: [&str; 3] = [
    "CREATE MATERIALIZED VIEW by_v AS SELECT * FROM base WHERE v IS NOT NULL AND p IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL \
     PRIMARY KEY (v, p, a, b)",
    "CREATE MATERIALIZED VIEW by_a AS SELECT p, a, b FROM base WHERE p IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL \
     PRIMARY KEY (a, p, b) WITH CLUSTERING ORDER BY (p DESC, b ASC)",
    "CREATE MATERIALIZED VIEW some AS SELECT p, a, b, s FROM base WHERE v > 0 AND p IS NOT NULL AND a = 1 AND b IS NOT NULL \
     PRIMARY KEY ((p, b), v, a)",
];

fn write() -> impl Strategy<Value = String> {
    let n = || 0..3i32;
    let key = (0..2i32, n(), n()).prop_map(|(p, a, b)| format!("p = {p} AND a = {a} AND b = {b}"));
    let set = prop_oneof![
        4 => n().prop_map(|v| format!("v = {v}")),
        1 => Just("v = null".to_owned()),
        2 => n().prop_map(|w| format!("w = {w}")),
        1 => Just("w = null".to_owned()),
        1 => n().prop_map(|v| format!("s = s + {{{v}}}")),
        1 => n().prop_map(|v| format!("s = {{{v}}}, v = {v}")),
    ];
    let using = prop_oneof![
        4 => Just(String::new()),
        2 => (1..10u32).prop_map(|ttl| format!(" USING TTL {ttl}")),
        1 => (1..10i64).prop_map(|back| format!(" USING TIMESTAMP {}", 1_700_000_000_000_000 - back)),
    ];
    prop_oneof![
        6 => (using.clone(), set, key.clone()).prop_map(|(using, set, key)| format!("UPDATE base{using} SET {set} WHERE {key}")),
        4 => (0..2i32, n(), n(), n(), using).prop_map(|(p, a, b, v, using)| {
            format!("INSERT INTO base (p, a, b, v) VALUES ({p}, {a}, {b}, {v}){using}")
        }),
        2 => (0..2i32, n(), n()).prop_map(|(p, a, b)| format!("INSERT INTO base (p, a, b) VALUES ({p}, {a}, {b})")),
        2 => key.clone().prop_map(|key| format!("DELETE FROM base WHERE {key}")),
        1 => (0..2i32, n()).prop_map(|(p, a)| format!("DELETE FROM base WHERE p = {p} AND a >= {a}")),
        1 => (0..2i32).prop_map(|p| format!("DELETE FROM base WHERE p = {p}")),
        1 => (n(), key).prop_map(|(v, key)| format!("UPDATE base SET v = {v} WHERE {key} IF v = 1")),
        1 => (0..2i32, n(), n()).prop_map(|(p, a, v)| {
            format!("BEGIN BATCH UPDATE base SET v = {v} WHERE p = {p} AND a = {a} AND b = 0; \
                     UPDATE base SET w = {v} WHERE p = {p} AND a = {a} AND b = 0; \
                     DELETE FROM base WHERE p = {p} AND a = {a} AND b = 1; APPLY BATCH")
        }),
    ]
}

async fn sorted(node: &Node, query: &str) -> Vec<String> {
    let mut rows = node.rows(query).await;
    rows.sort();
    rows
}

async fn compare(node: &Node) {
    let all = sorted(node, "SELECT v, p, a, b, w, s FROM base").await;
    let with_v: Vec<String> = all
        .iter()
        .filter(|row| !row.starts_with("null"))
        .cloned()
        .collect();
    assert_eq!(sorted(node, "SELECT v, p, a, b, w, s FROM by_v").await, with_v);
    let keys = sorted(node, "SELECT p, a, b FROM base").await;
    assert_eq!(sorted(node, "SELECT p, a, b FROM by_a").await, keys);
    let some = sorted(
        node,
        "SELECT p, a, b, v, s FROM base WHERE v > 0 AND a = 1 ALLOW FILTERING",
    )
    .await;
    assert_eq!(sorted(node, "SELECT p, a, b, v, s FROM some").await, some);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn views_show_what_their_base_shows(
        before in proptest::collection::vec(write(), 0..8),
        after in proptest::collection::vec((write(), 0..3u64, proptest::bool::weighted(0.2)), 1..24),
        waited in 0..12u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut node = Node::new();
            node.engine.materialized_views_enabled = true;
            node.define(&["CREATE TABLE base (p int, a int, b int, v int, w int, s set<int>, PRIMARY KEY (p, a, b))"]).await;
            for text in &before {
                node.rows(text).await;
            }
            node.define(&VIEWS).await;
            compare(&node).await;
            for (text, pause, collects) in &after {
                let answer = node.rows(text).await;
                assert!(answer.iter().all(|row| !row.starts_with("error")), "{text}: {answer:?}");
                node.wait(*pause);
                if *collects {
                    for table in ["by_a", "base", "some", "by_v"] {
                        node.collect(table).await;
                    }
                }
                compare(&node).await;
            }
            node.wait(waited);
            compare(&node).await;
            node.rows("TRUNCATE base").await;
            compare(&node).await;
        });
    }
}

#[tokio::test]
async fn a_view_over_more_than_a_page_is_built() {
    let mut node = Node::new();
    node.engine.materialized_views_enabled = true;
    for k in 0..3000 {
        node.rows(&format!("INSERT INTO plain (k, n) VALUES ({k}, {})", k % 7))
            .await;
    }
    node.define(&["CREATE MATERIALIZED VIEW by_n AS SELECT * FROM plain WHERE n IS NOT NULL AND k IS NOT NULL PRIMARY KEY (n, k)"])
        .await;
    node.rows("DELETE FROM plain WHERE k = 2999").await;
    node.rows("UPDATE plain SET n = 7 WHERE k = 2998").await;
    node.engine.build_all().await.unwrap();
    assert_eq!(node.rows("SELECT count(*) FROM by_n").await, ["2999"]);
    assert_eq!(node.rows("SELECT k FROM by_n WHERE n = 7").await, ["2998"]);
}
