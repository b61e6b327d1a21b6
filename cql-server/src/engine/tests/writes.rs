use super::{Node, Parameters, Value, int};

#[tokio::test]
async fn what_is_inserted_is_selected() {
    let node = Node::new();
    assert!(
        node.rows("INSERT INTO plain (k, v, n) VALUES (1, 'one', 11)")
            .await
            .is_empty()
    );
    assert!(
        node.bound("INSERT INTO plain (k, n) VALUES (?, ?)", vec![int(2), int(22)])
            .await
            .is_empty()
    );
    assert_eq!(node.rows("SELECT * FROM plain WHERE k = 1").await, ["1 11 one"]);
    assert_eq!(
        node.bound("SELECT v, n FROM plain WHERE k = ?", vec![int(2)])
            .await,
        ["null 22"]
    );
    assert!(node.rows("SELECT * FROM plain WHERE k = 3").await.is_empty());
    node.rows("UPDATE plain SET v = null, n = 12 WHERE k = 1").await;
    assert_eq!(
        node.rows("SELECT * FROM plain WHERE k IN (2, 1)").await,
        ["1 12 null", "2 22 null"]
    );
    node.bound(
        "UPDATE plain SET v = ?, n = ? WHERE k = 1",
        vec![Value::Unset, int(13)],
    )
    .await;
    assert_eq!(node.rows("SELECT n FROM plain WHERE k = 1").await, ["13"]);
    node.rows("DELETE FROM plain WHERE k = 1").await;
    assert!(node.rows("SELECT * FROM plain WHERE k = 1").await.is_empty());
    node.rows("TRUNCATE plain").await;
    assert!(node.rows("SELECT * FROM plain").await.is_empty());
}

#[tokio::test]
async fn timestamps_decide_and_ttls_end() {
    let node = Node::new();
    node.rows("INSERT INTO plain (k, n) VALUES (1, 2) USING TIMESTAMP 20")
        .await;
    node.rows("INSERT INTO plain (k, n) VALUES (1, 1) USING TIMESTAMP 10")
        .await;
    assert_eq!(
        node.rows("SELECT n, writetime(n), ttl(n) FROM plain WHERE k = 1")
            .await,
        ["2 20 null"]
    );
    node.rows("UPDATE plain USING TTL 100 SET v = 'soon gone' WHERE k = 1")
        .await;
    node.wait(40);
    assert_eq!(
        node.rows("SELECT v, ttl(v) FROM plain WHERE k = 1").await,
        ["soon gone 60"]
    );
    node.wait(60);
    assert_eq!(
        node.rows("SELECT v, ttl(v) FROM plain WHERE k = 1").await,
        ["null null"]
    );
    node.rows("INSERT INTO plain (k, n) VALUES (2, 2) USING TTL 10")
        .await;
    node.wait(10);
    assert!(node.rows("SELECT * FROM plain WHERE k = 2").await.is_empty());
    node.rows("UPDATE plain SET n = 1 WHERE k = 3").await;
    node.rows("UPDATE plain SET n = null WHERE k = 3").await;
    assert!(
        node.rows("SELECT * FROM plain WHERE k = 3").await.is_empty(),
        "no row was inserted"
    );
    assert_eq!(
        node.rows("INSERT INTO plain (k) VALUES (1) USING TTL -1").await,
        ["error: A TTL must be greater or equal to 0, but was -1"]
    );
}

#[tokio::test]
async fn collections_change_by_element() {
    let node = Node::new();
    node.rows("INSERT INTO many (k, l, s, m) VALUES (1, [2, 3], {5, -1, 5}, {'b': 2, 'a': 1})")
        .await;
    let all = "SELECT l, s, m FROM many WHERE k = 1";
    assert_eq!(node.rows(all).await, ["[2,3] [-1,5] [a=1,b=2]"]);
    node.rows("UPDATE many SET l = l + [4], s = s + {0}, m = m + {'c': 3} WHERE k = 1")
        .await;
    node.rows("UPDATE many SET l = [0, 1] + l, s = s - {5}, m = m - {'a'} WHERE k = 1")
        .await;
    assert_eq!(node.rows(all).await, ["[0,1,2,3,4] [-1,0] [b=2,c=3]"]);
    node.rows("UPDATE many SET l[1] = 9, m['b'] = 7 WHERE k = 1")
        .await;
    node.rows("UPDATE many SET l = l - [3, 4] WHERE k = 1").await;
    node.rows("DELETE l[0], m['c'], s[0] FROM many WHERE k = 1").await;
    assert_eq!(node.rows(all).await, ["[9,2] [-1] [b=7]"]);
    node.rows("UPDATE many SET l = [7], s = {}, m = {'z': 1} WHERE k = 1")
        .await;
    assert_eq!(node.rows(all).await, ["[7] null [z=1]"]);
    assert_eq!(
        node.rows("UPDATE many SET l[5] = 9 WHERE k = 1").await,
        ["error: List index 5 out of bound, list has size 1"]
    );
    assert_eq!(
        node.rows("SELECT m['z'], m['y'] FROM many WHERE k = 1").await,
        ["1 null"]
    );
}

#[tokio::test]
async fn deletions_reach_rows_ranges_and_partitions() {
    let node = Node::new();
    for a in 0..3 {
        for b in 0..3 {
            node.rows(&format!(
                "INSERT INTO wide (k, a, b, v, s) VALUES (1, {a}, {b}, {a}{b}, 'st')"
            ))
            .await;
        }
    }
    let rows = "SELECT a, b FROM wide WHERE k = 1";
    node.rows("DELETE FROM wide WHERE k = 1 AND a = 0 AND b = 0")
        .await;
    node.rows("DELETE FROM wide WHERE k = 1 AND a = 1").await;
    node.rows("DELETE FROM wide WHERE k = 1 AND a = 2 AND b >= 1")
        .await;
    assert_eq!(node.rows(rows).await, ["0 2", "0 1", "2 0"]);
    node.rows("DELETE v FROM wide WHERE k = 1 AND a = 2 AND b = 0")
        .await;
    assert_eq!(
        node.rows("SELECT v FROM wide WHERE k = 1 AND a = 2").await,
        ["null"]
    );
    node.rows("DELETE FROM wide WHERE k = 1").await;
    assert!(node.rows("SELECT * FROM wide WHERE k = 1").await.is_empty());
    node.rows("INSERT INTO wide (k, a, b, v) VALUES (1, 1, 1, 1)")
        .await;
    assert_eq!(
        node.rows("SELECT * FROM wide WHERE k = 1").await,
        ["1 1 1 null 1"]
    );
}

#[tokio::test]
async fn counters_add_up() {
    let node = Node::new();
    node.rows("UPDATE counts SET c = c + 5 WHERE k = 1").await;
    node.rows("UPDATE counts SET c = c - 2 WHERE k = 1").await;
    assert_eq!(node.rows("SELECT c FROM counts WHERE k = 1").await, ["3"]);
    assert_eq!(
        node.rows("INSERT INTO counts (k, c) VALUES (1, 1)").await,
        ["error: INSERT statements are not allowed on counter tables, use UPDATE instead"]
    );
    assert_eq!(
        node.rows("UPDATE counts SET c = 1 WHERE k = 1").await,
        [
            "error: Cannot set the value of counter column c (counters can only be incremented/decremented, not set)"
        ]
    );
}

#[tokio::test]
async fn conditions_decide() {
    let node = Node::new();
    let insert = "INSERT INTO plain (k, v, n) VALUES (1, 'a', 1) IF NOT EXISTS";
    assert_eq!(node.rows(insert).await, ["true"]);
    assert_eq!(node.rows(insert).await, ["false 1 1 a"]);
    assert_eq!(
        node.rows("UPDATE plain SET n = 2 WHERE k = 1 IF n = 5 AND v = 'a'")
            .await,
        ["false 1 a"]
    );
    assert_eq!(
        node.rows("UPDATE plain SET n = 2 WHERE k = 1 IF n IN (1, 7)")
            .await,
        ["true"]
    );
    assert_eq!(
        node.rows("UPDATE plain SET n = 2 WHERE k = 2 IF EXISTS").await,
        ["false"]
    );
    assert_eq!(
        node.rows("UPDATE plain SET n = 2 WHERE k = 2 IF n = null").await,
        ["true"]
    );
    assert_eq!(
        node.rows("UPDATE plain SET n = 3 WHERE k = 1 IF n > 2").await,
        ["false 2"]
    );
    assert_eq!(
        node.rows("DELETE FROM plain WHERE k = 1 IF n = 2").await,
        ["true"]
    );
    assert!(node.rows("SELECT * FROM plain WHERE k = 1").await.is_empty());
}

#[tokio::test]
async fn batches_are_one_write() {
    let node = Node::new();
    node.rows(
        "BEGIN BATCH USING TIMESTAMP 5 INSERT INTO plain (k, n) VALUES (1, 1); UPDATE plain SET n = 2 WHERE k = 2; APPLY BATCH",
    )
    .await;
    assert_eq!(
        node.rows("SELECT n, writetime(n) FROM plain WHERE k IN (1, 2)")
            .await,
        ["1 5", "2 5"]
    );
    let conditional = "BEGIN BATCH INSERT INTO wide (k, a, b, v) VALUES (1, 1, 1, 1) IF NOT EXISTS; \
                       INSERT INTO wide (k, a, b, v) VALUES (1, 2, 2, 2); APPLY BATCH";
    assert_eq!(node.rows(conditional).await, ["true"]);
    assert_eq!(node.rows("SELECT a FROM wide WHERE k = 1").await, ["1", "2"]);
    assert_eq!(node.rows(conditional).await, ["false 1 1 1 null 1"]);
    assert_eq!(
        node.rows("BEGIN BATCH UPDATE counts SET c = c + 1 WHERE k = 1; APPLY BATCH")
            .await,
        ["error: Cannot include a counter statement in a logged batch"]
    );
}

#[tokio::test]
async fn values_are_checked() {
    let node = Node::new();
    let cases = [
        ("SELECT * FROM nothing", "table nothing does not exist"),
        ("SELECT * FROM no.thing", "keyspace no does not exist"),
        ("SELECT x FROM plain", "Undefined column name x in table ks.plain"),
        (
            "INSERT INTO plain (k) VALUES ('a')",
            "Invalid STRING constant (a) for \"k\" of type int",
        ),
        (
            "INSERT INTO plain (v) VALUES ('a')",
            "Some partition key parts are missing: k",
        ),
        (
            "INSERT INTO wide (k, b, v) VALUES (1, 1, 1)",
            "Some clustering keys are missing: a",
        ),
        (
            "INSERT INTO plain (k, v) VALUES (1)",
            "Unmatched column names/values",
        ),
        (
            "INSERT INTO plain (k, v) VALUES (null, 'a')",
            "Invalid null value in condition for column k",
        ),
        (
            "UPDATE plain SET k = 2 WHERE k = 1",
            "PRIMARY KEY part k found in SET part",
        ),
        (
            "DELETE FROM plain WHERE v = 'a'",
            "Some partition key parts are missing: k",
        ),
    ];
    for (text, error) in cases {
        assert_eq!(node.rows(text).await, [format!("error: {error}")], "{text}");
    }
    let short = Parameters {
        values: vec![Value::Set(vec![1, 2].into())],
        ..Parameters::default()
    };
    let error = node
        .ask("SELECT * FROM plain WHERE k = ?", short)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "Expected 4 or 0 byte int (2)");
}

#[tokio::test]
async fn keys_come_back_as_they_were_written() {
    let node = Node::new();
    node.rows("INSERT INTO priced (k, n) VALUES (1, 1.00)").await;
    assert_eq!(
        node.rows("SELECT to_json(n) FROM priced WHERE k = 1 AND n = 1")
            .await,
        ["1.00"]
    );
    node.rows("INSERT INTO priced (k, n) VALUES (1, 1.0)").await;
    assert_eq!(
        node.rows("SELECT to_json(n) FROM priced WHERE k = 1").await,
        ["1.0"]
    );
    node.rows("DELETE FROM priced WHERE k = 1 AND n = 1").await;
    assert!(node.rows("SELECT n FROM priced WHERE k = 1").await.is_empty());
}

#[tokio::test]
async fn what_was_written_is_synced_once() {
    let node = Node::new();
    assert!(!node.engine.sync().await.unwrap());
    node.rows("INSERT INTO plain (k, v) VALUES (1, 'a')").await;
    assert!(node.engine.sync().await.unwrap());
    assert!(!node.engine.sync().await.unwrap());
}
