use super::{Node, Parameters, Session, Statements, shown};

async fn filled() -> Node {
    let node = Node::new();
    for k in 0..3 {
        for a in 0..3 {
            for b in 0..3 {
                node.rows(&format!(
                    "INSERT INTO wide (k, a, b, v) VALUES ({k}, {a}, {b}, {})",
                    100 * k + 10 * a + b
                ))
                .await;
            }
        }
        node.rows(&format!("INSERT INTO wide (k, s) VALUES ({k}, 's{k}')"))
            .await;
    }
    node
}

#[tokio::test]
async fn slices_follow_the_clustering_order() {
    let node = filled().await;
    let cases: [(&str, &[&str]); 12] = [
        ("k = 0 AND a = 1", &["12", "11", "10"]),
        ("k = 0 AND a = 1 AND b > 0", &["12", "11"]),
        ("k = 0 AND a = 1 AND b <= 1", &["11", "10"]),
        ("k = 0 AND a = 1 AND b = 1", &["11"]),
        ("k = 0 AND a > 1", &["22", "21", "20"]),
        ("k = 0 AND a IN (2, 0) AND b = 2", &["2", "22"]),
        ("k = 0 AND a >= 1 AND a < 2", &["12", "11", "10"]),
        ("k = 0 AND (a, b) > (1, 1)", &["12", "22", "21", "20"]),
        ("k = 0 AND (a, b) >= (1, 1) AND (a) < (2)", &["12", "11"]),
        ("k = 0 AND (a, b) IN ((0, 1), (2, 2))", &["1", "22"]),
        ("k = 0 AND a = 2 ORDER BY a DESC, b ASC", &["20", "21", "22"]),
        ("k = 0 ORDER BY a DESC LIMIT 2", &["20", "21"]),
    ];
    for (tail, expected) in cases {
        assert_eq!(
            node.rows(&format!("SELECT v FROM wide WHERE {tail}")).await,
            expected,
            "{tail}"
        );
    }
}

#[tokio::test]
async fn limits_count_rows_of_the_query_and_of_partitions() {
    let node = filled().await;
    assert_eq!(node.rows("SELECT v FROM wide LIMIT 4").await.len(), 4);
    assert_eq!(
        node.rows("SELECT v FROM wide PER PARTITION LIMIT 2").await.len(),
        6
    );
    assert_eq!(
        node.rows("SELECT v FROM wide PER PARTITION LIMIT 2 LIMIT 3")
            .await
            .len(),
        3
    );
    assert_eq!(
        node.rows("SELECT DISTINCT k, s FROM wide WHERE k IN (1, 0)")
            .await,
        ["0 s0", "1 s1"]
    );
    assert_eq!(node.rows("SELECT DISTINCT k FROM wide").await.len(), 3);
    assert_eq!(node.rows("SELECT count(*) FROM wide").await, ["27"]);
    assert_eq!(node.rows("SELECT count(*) FROM plain").await, ["0"]);
    assert_eq!(
        node.rows("SELECT a, count(*) FROM wide WHERE k = 1 GROUP BY k, a")
            .await,
        ["0 3", "1 3", "2 3"]
    );
    assert_eq!(
        node.rows("SELECT v FROM wide LIMIT 0").await,
        ["error: LIMIT must be strictly positive"]
    );
}

#[tokio::test]
async fn pages_are_the_whole() {
    let node = filled().await;
    for query in [
        "SELECT v FROM wide",
        "SELECT v FROM wide WHERE k = 1",
        "SELECT v FROM wide WHERE k = 1 ORDER BY a DESC",
        "SELECT v FROM wide WHERE k IN (0, 2) AND a IN (0, 2)",
        "SELECT v FROM wide PER PARTITION LIMIT 4",
        "SELECT v FROM wide LIMIT 10",
        "SELECT DISTINCT k FROM wide",
        "SELECT v FROM wide WHERE v > 5 ALLOW FILTERING",
    ] {
        let whole = node.rows(query).await;
        for size in [1, 2, 5, 100] {
            let mut state = None;
            let mut found = Vec::new();
            loop {
                let parameters = Parameters {
                    page_size: Some(size),
                    paging_state: state,
                    ..Parameters::default()
                };
                let rows = node.ask(query, parameters).await.unwrap().unwrap();
                assert!(rows.count <= size as u32);
                found.extend(shown(&rows));
                state = rows.paging_state;
                if state.is_none() {
                    break;
                }
            }
            assert_eq!(found, whole, "{query} by {size}");
        }
    }
}

#[tokio::test]
async fn tokens_split_the_table() {
    let node = filled().await;
    let low = node.rows("SELECT DISTINCT k FROM wide WHERE token(k) <= 0").await;
    let high = node.rows("SELECT DISTINCT k FROM wide WHERE token(k) > 0").await;
    assert_eq!(low.len() + high.len(), 3);
    let of_one = node.rows("SELECT token(k) FROM wide WHERE k = 1 LIMIT 1").await;
    let found = node
        .rows(&format!(
            "SELECT DISTINCT k FROM wide WHERE token(k) = {}",
            of_one[0]
        ))
        .await;
    assert_eq!(found, ["1"]);
    assert_eq!(
        node.rows("SELECT DISTINCT k FROM wide WHERE token(k) = token(1)")
            .await,
        ["1"]
    );
}

#[tokio::test]
async fn static_columns_show_without_rows() {
    let node = Node::new();
    node.rows("INSERT INTO wide (k, s) VALUES (1, 'alone')").await;
    assert_eq!(
        node.rows("SELECT * FROM wide WHERE k = 1").await,
        ["1 null null alone null"]
    );
    assert_eq!(node.rows("SELECT * FROM wide").await, ["1 null null alone null"]);
    assert!(
        node.rows("SELECT * FROM wide WHERE k = 1 AND a = 1")
            .await
            .is_empty()
    );
    node.rows("INSERT INTO wide (k, a, b) VALUES (1, 2, 3)").await;
    assert_eq!(
        node.rows("SELECT * FROM wide WHERE k = 1").await,
        ["1 2 3 alone null"]
    );
    node.rows("DELETE s FROM wide WHERE k = 1").await;
    assert_eq!(
        node.rows("SELECT * FROM wide WHERE k = 1").await,
        ["1 2 3 null null"]
    );
}

#[tokio::test]
async fn what_needs_filtering_says_so() {
    let node = filled().await;
    let filtering = "error: Cannot execute this query as it might involve data filtering and thus may have unpredictable \
                     performance. If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING";
    assert_eq!(node.rows("SELECT * FROM wide WHERE v = 1").await, [filtering]);
    assert_eq!(node.rows("SELECT * FROM wide WHERE a = 1").await, [filtering]);
    assert_eq!(
        node.rows("SELECT v FROM wide WHERE k = 0 AND v = 11 ALLOW FILTERING")
            .await,
        ["11"]
    );
    assert_eq!(
        node.rows("SELECT v FROM wide WHERE a = 1 AND b = 1 ALLOW FILTERING")
            .await
            .len(),
        3
    );
    assert_eq!(
        node.rows("SELECT v FROM wide WHERE b = 1 ALLOW FILTERING")
            .await
            .len(),
        9
    );
    let cases = [
        (
            "k = 0 AND b = 1",
            "PRIMARY KEY column \"b\" cannot be restricted as preceding column \"a\" is not restricted",
        ),
        (
            "k = 0 AND a > 1 AND b = 1",
            "Clustering column \"b\" cannot be restricted (preceding column \"a\" is restricted by a non-EQ relation)",
        ),
        (
            "k = 0 AND k = 1",
            "k cannot be restricted by more than one relation if it includes an Equal",
        ),
        (
            "k = 0 AND a > 1 AND a > 2",
            "More than one restriction was found for the start bound on a",
        ),
        (
            "k = 0 ORDER BY v",
            "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got v",
        ),
    ];
    for (tail, error) in cases {
        assert_eq!(
            node.rows(&format!("SELECT * FROM wide WHERE {tail}")).await,
            [format!("error: {error}")]
        );
    }
}

#[tokio::test]
async fn estimates_tell_how_large_tables_are() {
    let node = Node::new();
    for (k, row) in (0..20).flat_map(|k| (0..30).map(move |row| (k, row))) {
        node.rows(&format!(
            "INSERT INTO wide (k, a, b, v) VALUES ({k}, {row}, 0, 1)"
        ))
        .await;
    }
    let find = "SELECT range_start, range_end, partitions_count FROM system.size_estimates \
                WHERE keyspace_name = 'ks' AND table_name = 'wide'";
    let rows = node.rows(find).await;
    let (first, second) = ("-9223372036854775808", "-9223372036854775807");
    let counted = rows[0].strip_prefix(&format!("{second} {first} ")).unwrap();
    assert_eq!(rows[1], format!("{first} {second} 0"));
    let counted: u64 = counted.parse().unwrap();
    assert!((18..=22).contains(&counted), "{counted} of 20 partitions");
    let find = "SELECT range_type, mean_partition_size FROM system.table_estimates \
                WHERE keyspace_name = 'ks' AND table_name = 'wide'";
    let rows = node.rows(find).await;
    assert_eq!(rows.len(), 4);
    assert!(
        rows[0].starts_with("local_primary ") && rows[2].starts_with("primary "),
        "{rows:?}"
    );
    let size: u64 = rows[2].rsplit(' ').next().unwrap().parse().unwrap();
    assert!((600..6000).contains(&size), "{size} bytes of 30 rows");
    let of_nothing = "SELECT partitions_count FROM system.size_estimates WHERE keyspace_name = 'ks' AND table_name = 'plain'";
    assert_eq!(node.rows(of_nothing).await, ["0", "0"]);
}

#[tokio::test]
async fn a_client_may_say_what_time_it_is() {
    let node = Node::new();
    let at = |seconds: i32| Parameters {
        now_in_seconds: Some(1_700_000_000 + seconds),
        ..Parameters::default()
    };
    let ask = async |text: &str, seconds: i32| {
        let rows = node.ask(text, at(seconds)).await.unwrap();
        rows.as_ref().map(shown).unwrap_or_default()
    };
    let left = "SELECT ttl(n) FROM plain WHERE k = 1";
    node.rows("INSERT INTO plain (k, n) VALUES (1, 1) USING TTL 10")
        .await;
    assert_eq!(ask(left, 4).await, ["6"]);
    assert!(ask(left, 10).await.is_empty());
    assert_eq!(
        node.rows(left).await,
        ["10"],
        "who says nothing is told by the clock"
    );
    ask("INSERT INTO plain (k, n) VALUES (1, 1) USING TTL 10", 100).await;
    assert_eq!(node.rows(left).await, ["110"]);
}

#[tokio::test]
async fn a_request_may_name_its_keyspace() {
    let node = Node::new();
    let session = Session::new(std::net::SocketAddr::from(([127, 0, 0, 1], 1)));
    let text = "INSERT INTO plain (k, n) VALUES (1, 1)";
    let refused = node.engine.query(text, Parameters::default(), &session).await;
    assert!(refused.is_err());
    for of_session in [None, Some("elsewhere")] {
        if let Some(name) = of_session {
            session.set_keyspace(name.into());
        }
        let parameters = Parameters {
            keyspace: Some("ks".into()),
            ..Parameters::default()
        };
        node.engine.query(text, parameters, &session).await.unwrap();
    }
    assert_eq!(
        session.keyspace().as_deref(),
        Some("elsewhere"),
        "it is of that request alone"
    );
}
