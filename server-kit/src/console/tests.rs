use super::{Cell, Link, Section, Table, Unit, View};
use crate::{Admin, Listener, Ready, Registry};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

fn view() -> View {
    let mut view = View::default();
    view.fact("received", Unit::ByteRate, 7_u64);
    let mut table = Table::new(
        "Topics",
        "None yet.",
        &[("topic", Unit::Text), ("size", Unit::Bytes)],
    );
    table.push(["<b>".into(), 9_u64.into()]);
    table.push(["unknown".into(), None::<u64>.into()]);
    view.table(table);
    view
}

/// What a request is answered: its status, its head in lower case, its body.
async fn answer(method: &str, path: &str, head: &[(&str, &str)]) -> (u16, String, String) {
    let stop = CancellationToken::new();
    let sections = vec![Section::new("kafka", "Kafka", || async { view() })];
    let (registry, ready) = (Registry::default(), Ready::default());
    let listener = Listener::bind("127.0.0.1:0", false, None).await.unwrap();
    let admin = Admin::start(listener, registry, ready, sections, stop.clone());
    let mut stream = TcpStream::connect(admin.address()).await.unwrap();
    let head: String = head
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let request = format!("{method} {path} HTTP/1.1\r\n{head}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    stop.cancel();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, head.to_lowercase(), body.to_owned())
}

async fn ask(path: &str, head: &[(&str, &str)]) -> (u16, String, String) {
    answer("GET", path, head).await
}

const HOME: (&str, &str) = ("host", "127.0.0.1:9644");

#[tokio::test]
async fn sections_are_told_and_shown() {
    let (code, _, names) = ask("/console/sections", &[HOME]).await;
    let names: Value = serde_json::from_str(&names).unwrap();
    assert_eq!(
        (code, &names["sections"]),
        (200, &json!([{ "name": "kafka", "title": "Kafka" }]))
    );
    let (code, head, shown) = ask("/console/sections/kafka", &[HOME]).await;
    assert!(
        code == 200 && head.contains("content-type: application/json"),
        "{head}"
    );
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        shown,
        json!({
            "facts": [{ "name": "received", "unit": "byte_rate", "value": 7.0 }],
            "tables": [{
                "title": "Topics",
                "empty": "None yet.",
                "columns": [{ "name": "topic", "unit": "text" }, { "name": "size", "unit": "bytes" }],
                "rows": [["<b>", 9.0], ["unknown", null]],
                "more": 0,
            }],
        })
    );
    assert_eq!(ask("/console/sections/none", &[HOME]).await.0, 404);
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    for path in ["/", "/console/page.js", "/console/page.css", "/console/sections"] {
        let (code, head, text) = ask(path, &[HOME]).await;
        assert_eq!(code, 200, "{path}");
        let policy = "content-security-policy: default-src 'none'; script-src 'self'";
        assert!(head.contains(policy), "{path}: {head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}: {head}");
        assert!(!head.contains("access-control-"), "{path}: {head}");
        assert!(
            !text.contains("://") || path == "/console/page.js",
            "{path} names another place"
        );
        assert!(!text.contains("innerHTML"), "{path} makes elements of text");
    }
}

#[tokio::test]
async fn pages_of_others_see_nothing() {
    let (code, _, said) = ask("/console/sections", &[("host", "evil.example")]).await;
    assert!(code == 421 && said.starts_with("Ask by address"), "{code} {said}");
    assert_eq!(ask("/console/sections", &[("x-host", "127.0.0.1")]).await.0, 421);
    let foreign = ("sec-fetch-site", "cross-site");
    assert_eq!(ask("/console/sections", &[HOME, foreign]).await.0, 403);
    assert_eq!(
        ask("/", &[HOME, foreign, ("sec-fetch-mode", "navigate")]).await.0,
        200
    );
}

#[tokio::test]
async fn nothing_can_be_changed() {
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        for path in ["/", "/console/sections", "/console/sections/kafka"] {
            assert_eq!(answer(method, path, &[HOME]).await.0, 405, "{method} {path}");
        }
    }
}

#[test]
fn what_is_shown_is_bounded() {
    let mut table = Table::new("Many", "None.", &[("name", Unit::Text)]);
    for number in 0..100_u64 {
        table.push([number.to_string().into()]);
    }
    table.fill(100..300_u64, |number| {
        assert!(number < 200, "nobody sees it");
        [number.to_string().into()]
    });
    for number in 300..1000_u64 {
        table.push([number.to_string().into()]);
    }
    table.and_more(7);
    let shown = serde_json::to_value(&table).unwrap();
    assert_eq!(shown["rows"].as_array().unwrap().len(), 200);
    assert_eq!(shown["more"], 807);
    let Cell::Text(long) = Cell::from("x".repeat(1000)) else {
        panic!("a text is a text");
    };
    assert_eq!(long.chars().count(), 201);
    assert_eq!(Cell::from(f64::NAN), Cell::NONE);
    let links = Cell::Links(vec![Link {
        text: "stdout".to_owned(),
        to: "http://a/".to_owned(),
    }]);
    assert_eq!(
        serde_json::to_value(links).unwrap(),
        json!([{ "text": "stdout", "to": "http://a/" }])
    );
}
