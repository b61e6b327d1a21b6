//! Nobody notices what was collected, and nothing is kept that nobody could notice.

use super::{
    Node,
    model::{self, Write},
};
use crate::state::rows::table_scan;
use proptest::prelude::*;

const GRACE: u64 = 5;
/// The longest time to live that [`model::write`] gives.
const TTL_MAX: u64 = 20;

async fn everything(node: &Node) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for query in [
        "SELECT k, a, b, v, s, ttl(v), writetime(v) FROM wide",
        "SELECT a, b, v FROM wide WHERE k = 1 AND a >= 1 ORDER BY a DESC",
        "SELECT a, b, v FROM wide WHERE k = 1 AND a = 1 AND b < 2",
        "SELECT DISTINCT k, s FROM wide",
    ] {
        all.push(node.rows(query).await);
    }
    all
}

async fn run(nodes: &[&Node; 2], writes: &[(i64, Write, u64)], later: i64) {
    for node in nodes {
        for (timestamp, write, pause) in writes {
            let answer = node.rows(&model::text(*timestamp + later, write)).await;
            assert!(answer.is_empty(), "{answer:?}");
            node.wait(*pause);
        }
    }
}

fn history() -> impl Strategy<Value = Vec<(i64, Write, u64)>> {
    proptest::collection::vec(
        (model::write(), 0..4u64).prop_map(|((timestamp, write), pause)| (timestamp, write, pause)),
        1..24,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn reading_goes_on_as_if_nothing_had_been_collected(
        first in history(), second in history(), waits in proptest::collection::vec(0..12u64, 4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (kept, collected) = (Node::new(), Node::new());
            let both = [&kept, &collected];
            for node in both {
                node.define(&[&format!("ALTER TABLE wide WITH gc_grace_seconds = {GRACE}")]).await;
            }
            run(&both, &first, 0).await;
            both.iter().for_each(|node| node.wait(waits[0]));
            collected.collect("wide").await;
            assert_eq!(everything(&collected).await, everything(&kept).await);
            // Timestamps are later than those of the first ones: what is forgotten cannot be asked to hide anything more.
            run(&both, &second, 100).await;
            for wait in &waits[1..] {
                assert_eq!(everything(&collected).await, everything(&kept).await);
                both.iter().for_each(|node| node.wait(*wait));
                collected.collect("wide").await;
            }
            both.iter().for_each(|node| node.wait(TTL_MAX + GRACE + 1));
            collected.collect("wide").await;
            let shown = everything(&kept).await;
            assert_eq!(everything(&collected).await, shown);
            // Rows as they are: with a partition that has nothing but its static row shown as one of nulls.
            let rows = shown[0].iter().filter(|row| !row.starts_with("1 null")).count();
            let statics = usize::from(shown[3].iter().any(|row| !row.ends_with("null")));
            assert_eq!(
                collected.stored(table_scan(2)).await, rows + statics,
                "what is stored is what shows: {shown:?}"
            );
        });
    }
}

#[tokio::test]
async fn a_partition_of_many_pages_is_forgotten_with_its_deletion() {
    let node = Node::new();
    node.define(&["ALTER TABLE wide WITH gc_grace_seconds = 5"]).await;
    for row in 0..600 {
        node.rows(&format!(
            "INSERT INTO wide (k, a, b, v, s) VALUES (1, {row}, 0, 1, 's')"
        ))
        .await;
        node.rows(&format!("INSERT INTO wide (k, a, b, v) VALUES (2, {row}, 0, 1)"))
            .await;
    }
    node.rows("DELETE FROM wide WHERE k = 1").await;
    node.rows("DELETE FROM wide WHERE k = 2 AND a >= 10").await;
    node.collect("wide").await;
    assert_eq!(
        node.stored(table_scan(2)).await,
        2 + 10,
        "the markers, and what they do not cover"
    );
    node.wait(6);
    node.collect("wide").await;
    assert_eq!(node.stored(table_scan(2)).await, 10);
    assert_eq!(node.rows("SELECT count(*) FROM wide").await, ["10"]);
}

#[tokio::test]
async fn a_table_has_its_turn_when_something_can_go() {
    let node = Node::new();
    node.define(&[
        "ALTER TABLE plain WITH gc_grace_seconds = 100 AND compaction = {'class': \
                   'SizeTieredCompactionStrategy', 'tombstone_compaction_interval': '30'}",
    ])
    .await;
    let schema = node.engine.schema.load_full();
    let table = &schema.keyspaces["ks"].tables["plain"];
    let takes = || node.engine.collecting.take(table, node.engine.time.now_s());
    node.rows("INSERT INTO plain (k, v) VALUES (1, 'a')").await;
    assert!(!takes(), "nothing of it ends");
    node.rows("INSERT INTO plain (k, v) VALUES (2, 'b') USING TTL 50")
        .await;
    node.wait(49);
    assert!(!takes());
    node.wait(1);
    assert!(takes());
    node.collect("plain").await;
    node.wait(31);
    assert!(
        !takes(),
        "it was deleted when it was written: 100 seconds ago in 20 seconds"
    );
    node.rows("DELETE FROM plain WHERE k = 1").await;
    node.wait(20);
    assert!(takes());
    node.collect("plain").await;
    assert_eq!(node.stored(table_scan(1)).await, 1, "the deletion");
    node.wait(82);
    assert!(takes());
    node.collect("plain").await;
    assert_eq!(node.stored(table_scan(1)).await, 0);
    node.wait(1000);
    assert!(!takes());
}
