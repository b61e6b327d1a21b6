//! What operators see of a node.

use super::Node;
use serde_json::Value;
use server_kit::console::View;

#[tokio::test]
async fn tables_are_shown_with_what_was_asked_of_them() {
    let node = Node::new();
    // As a client asks: what is asked within the server is not counted.
    node.define(&[
        "INSERT INTO plain (k, n) VALUES (1, 1)",
        "SELECT n FROM plain WHERE k = 1",
        "SELECT n FROM plain",
    ])
    .await;
    let mut view = View::default();
    node.engine.shown(&mut view);
    let view = serde_json::to_value(view).unwrap();
    let rows = |title: &str| {
        let mut tables = view["tables"].as_array().unwrap().iter();
        let table = tables.find(|table| table["title"] == title).unwrap();
        table["rows"].as_array().unwrap().clone()
    };
    assert_eq!(rows("Keyspaces")[0][0], "ks");
    let tables = rows("Tables");
    let of = |name: &str| tables.iter().find(|row| row[0] == name).unwrap();
    let plain = of("ks.plain");
    assert_eq!(
        (&plain[1], &plain[4], &plain[6]),
        (&1.0.into(), &1.0.into(), &1.0.into())
    );
    assert!(plain[2].is_number(), "a read took some time: {plain}");
    let wide = of("ks.wide");
    assert_eq!(
        (&wide[1], &wide[2]),
        (&0.0.into(), &Value::Null),
        "what was not asked for took no time"
    );
}
