//! Statements that want too much, and what others notice of them.

use super::{Node, Parameters, Session, Statements, shown};
use crate::{engine::Value, error::CqlError};
use bytes::Bytes;
use futures_util::FutureExt;
use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

/// Rows that take many turns to be read.
const MANY: i32 = 5_000;

fn session() -> Session {
    let session = Session::new(SocketAddr::from(([127, 0, 0, 1], 1)));
    session.set_keyspace("ks".into());
    session
}

async fn filled() -> Node {
    let node = Node::new();
    for a in 0..MANY {
        node.rows(&format!(
            "INSERT INTO wide (k, a, b, v) VALUES ({}, {a}, 0, 1)",
            a % 3
        ))
        .await;
    }
    node.rows("INSERT INTO plain (k, n) VALUES (1, 1)").await;
    node
}

#[tokio::test]
async fn who_reads_much_lets_others_on() {
    let node = filled().await;
    for heavy in [
        "SELECT count(*) FROM wide",
        "SELECT count(*) FROM wide WHERE k = 1",
        "SELECT max(v) FROM wide WHERE v > 5 ALLOW FILTERING",
        &format!("SELECT count(*) FROM plain WHERE k IN ({})", list(0..MANY)),
    ] {
        let mut scan = pin!(node.rows(heavy));
        assert!(scan.as_mut().now_or_never().is_none(), "{heavy} keeps the thread");
        let light = node.rows("SELECT n FROM plain WHERE k = 1").now_or_never();
        assert_eq!(light.unwrap(), ["1"], "beside {heavy}");
        assert_eq!(scan.await.len(), 1);
    }
}

fn list(numbers: std::ops::Range<i32>) -> String {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    numbers.join(",")
}

#[tokio::test]
async fn a_read_that_takes_too_long_times_out() {
    let mut node = filled().await;
    node.engine.timeouts.range = Duration::ZERO;
    let session = session();
    let scan = node
        .engine
        .query("SELECT count(*) FROM wide", Parameters::default(), &session);
    let Err(error) = scan.await.map(drop) else {
        panic!("answered in no time")
    };
    assert_eq!(
        error,
        CqlError::ReadTimeout {
            consistency: 1,
            received: 0,
            required: 1,
            data_present: false
        }
    );
    assert_eq!(
        error.to_string(),
        "Operation timed out - received only 0 responses."
    );
    // What is answered at once needs no time, and keys have a time of their own.
    for text in [
        "SELECT n FROM plain LIMIT 1",
        "SELECT count(*) FROM wide WHERE k = 1",
    ] {
        let read = node.engine.query(text, Parameters::default(), &session);
        assert!(read.await.is_ok(), "{text}");
    }
}

#[tokio::test]
async fn a_read_ends_when_its_client_leaves() {
    let node = filled().await;
    let session = session();
    let mut scan = node
        .engine
        .query("SELECT count(*) FROM wide", Parameters::default(), &session);
    assert!(scan.as_mut().now_or_never().is_none());
    session.leave();
    let ended = scan.now_or_never().map(|answer| answer.is_err());
    assert_eq!(ended, Some(true));
}

#[tokio::test]
async fn combinations_of_partition_keys_are_made_one_by_one() {
    let node = Node::new();
    node.define(&["CREATE TABLE pairs (a int, b int, v int, PRIMARY KEY ((a, b)))"])
        .await;
    node.rows("INSERT INTO pairs (a, b, v) VALUES (0, 1, 7)").await;
    // Ten thousand million of them.
    let both = list(0..100_000);
    let query = format!("SELECT a, b, v FROM pairs WHERE a IN ({both}) AND b IN ({both}) LIMIT 1");
    assert_eq!(node.rows(&query).await, ["0 1 7"]);
    let few = "SELECT v FROM pairs WHERE a IN (1, 0) AND b IN (3, 1, 1)";
    assert_eq!(node.rows(few).await, ["7"]);
    let update = format!("UPDATE pairs SET v = 1 WHERE a IN ({both}) AND b IN ({both})");
    assert_eq!(
        node.rows(&update).await,
        ["error: Too many combinations of IN values"]
    );
}

#[tokio::test]
async fn many_rows_are_read_by_their_positions() {
    let node = filled().await;
    let all = list(-1000..60_000);
    let query = |what: &str, tail: &str| {
        format!("SELECT {what} FROM wide WHERE k = 0 AND a IN ({all}) AND b = 0 {tail}")
    };
    let of_partition = (MANY + 2) / 3;
    assert_eq!(
        node.rows(&query("count(*)", "")).await,
        [of_partition.to_string()]
    );
    assert_eq!(node.rows(&query("a", "LIMIT 3")).await, ["0", "3", "6"]);
    let backwards = query("a", "ORDER BY a DESC, b ASC LIMIT 2");
    assert_eq!(node.rows(&backwards).await, ["4998", "4995"]);
    let filtered = format!("SELECT count(*) FROM wide WHERE a IN ({all}) AND b = 0 ALLOW FILTERING");
    assert_eq!(node.rows(&filtered).await, [MANY.to_string()]);
}

/// Texts of megabytes, each of a kind that was compared pair by pair.
#[tokio::test]
async fn statements_of_many_parts_take_no_longer_than_they_are() {
    let node = Node::new();
    let many = |part: &dyn Fn(u32) -> String| (0..50_000).map(part).collect::<Vec<_>>().join(",");
    let columns = many(&|n| format!("c{n} int"));
    let assignments = many(&|n| format!("c{n} = 0"));
    let entries = many(&|n| format!("'c{n}': '0'"));
    let session = session();
    for (text, error) in [
        (
            format!("UPDATE plain SET {assignments} WHERE k = 1"),
            "Undefined column name c0 in table ks.plain",
        ),
        (
            format!("CREATE TABLE q (k int PRIMARY KEY) WITH compaction = {{{entries}}}"),
            "Missing sub-option 'class' for the 'compaction' option",
        ),
        (
            format!("CREATE TABLE q (k int, {columns}, PRIMARY KEY (j))"),
            "Unknown column 'j' referenced in PRIMARY KEY for table 'q'",
        ),
        (
            format!("CREATE TYPE q ({columns}, c0 int)"),
            "Duplicate field name 'c0' in type 'q'",
        ),
    ] {
        let answer = node.engine.query(&text, Parameters::default(), &session).await;
        assert_eq!(
            answer.map(drop).map_err(|error| error.to_string()),
            Err(error.to_owned())
        );
    }
}

fn blob(bytes: usize) -> Value {
    Value::Set(Bytes::from(vec![b'x'; bytes]))
}

#[tokio::test]
async fn pages_and_answers_are_bounded_in_bytes() {
    let node = Node::new();
    for k in 0..9 {
        let key = Value::Set(Bytes::copy_from_slice(&i32::to_be_bytes(k)));
        node.bound("INSERT INTO plain (k, v) VALUES (?, ?)", vec![key, blob(8 << 20)])
            .await;
    }
    let mut page = Parameters {
        page_size: Some(5000),
        ..Parameters::default()
    };
    let mut seen = Vec::new();
    loop {
        let rows = node
            .ask("SELECT k, v FROM plain", page.clone())
            .await
            .unwrap()
            .unwrap();
        assert!(rows.content.len() < 9 << 20, "{} bytes", rows.content.len());
        seen.extend(shown(&rows));
        let Some(state) = rows.paging_state else { break };
        page.paging_state = Some(state);
    }
    assert_eq!(seen.len(), 9);
    let all = node.rows("SELECT k, v FROM plain").await;
    assert_eq!(all, ["error: an answer without pages is no larger than 64 MiB"]);
    assert_eq!(node.rows("SELECT v FROM plain WHERE k IN (1, 2)").await.len(), 2);
}

#[tokio::test]
async fn what_is_prepared_outlives_changes_elsewhere_and_keeps_no_schema() {
    let node = Node::new();
    node.define(&[
        "CREATE KEYSPACE other WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    ])
    .await;
    let before = Arc::downgrade(&node.engine.schema.load_full());
    let keyspace = Arc::from("ks");
    let text = "SELECT v FROM plain WHERE k = ?";
    let prepared = node.engine.prepared(text, Some(&keyspace)).unwrap();
    node.define(&["CREATE TABLE other.t (k int PRIMARY KEY)"]).await;
    assert!(before.upgrade().is_none(), "the old schema is kept");
    let now = node.engine.current(&prepared).unwrap();
    assert!(
        Arc::ptr_eq(&now, &prepared),
        "prepared again for another keyspace"
    );
    // A change beside it makes it prepared once again, not at every execution.
    node.define(&["CREATE TABLE beside (k int PRIMARY KEY)"]).await;
    let now = node.engine.current(&prepared).unwrap();
    assert!(!Arc::ptr_eq(&now, &prepared));
    assert!(Arc::ptr_eq(&now, &node.engine.current(&prepared).unwrap()));
}

#[tokio::test]
async fn what_goes_on_is_told_as_long_as_it_does() {
    const HEAVY: &str = "SELECT count(*) FROM wide";
    let node = filled().await;
    let session = session();
    let mut scan = pin!(node.engine.query(HEAVY, Parameters::default(), &session));
    // The first time it is looked at is for who is done at once.
    for _ in 0..2 {
        assert!(scan.as_mut().now_or_never().is_none());
    }
    let light = "SELECT n FROM plain WHERE k = 1";
    let light = node.engine.query(light, Parameters::default(), &session);
    assert!(light.now_or_never().is_some());
    let told = node.engine.queries();
    let texts: Vec<&str> = told.iter().map(|query| &*query.text).collect();
    assert_eq!(texts, [HEAVY]);
    scan.await.unwrap();
    assert!(node.engine.queries().is_empty());
    // Who gives up is not told of either.
    {
        let mut scan = pin!(node.engine.query(HEAVY, Parameters::default(), &session));
        for _ in 0..2 {
            assert!(scan.as_mut().now_or_never().is_none());
        }
        assert_eq!(node.engine.queries().len(), 1);
    }
    assert!(node.engine.queries().is_empty());
}

#[tokio::test]
async fn batches_are_counted_by_their_partitions() {
    let node = Node::new();
    for text in [
        "BEGIN BATCH INSERT INTO plain (k, n) VALUES (1, 1); INSERT INTO plain (k, n) VALUES (1, 2); \
         INSERT INTO wide (k, a, b) VALUES (1, 1, 1); INSERT INTO plain (k, n) VALUES (2, 1) APPLY BATCH",
        "BEGIN UNLOGGED BATCH INSERT INTO plain (k, n) VALUES (1, 1) APPLY BATCH",
        "BEGIN BATCH INSERT INTO plain (k, n) VALUES (9, 1) IF NOT EXISTS APPLY BATCH",
    ] {
        node.rows(text).await;
    }
    let batches = node.engine.batches();
    assert_eq!(
        (batches.logged.count, batches.logged.max),
        (1, 2),
        "a condition counts for nothing"
    );
    assert_eq!((batches.unlogged.count, batches.unlogged.max), (1, 1));
    assert_eq!(batches.counter.count, 0);
}
