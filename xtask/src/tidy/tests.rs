use super::{imports, sources};
use serde_json::json;

fn rules(name: &str, text: &str) -> Vec<String> {
    sources::file(name, text)
        .into_iter()
        .map(|offence| offence.rule)
        .collect()
}

#[test]
fn a_good_file_has_no_offence() {
    let text = "//! A room.\n//!\n//! Knows: this. Never: that.\n\nfn short() {\n    call();\n}\n";
    assert_eq!(rules("x/src/mod.rs", text), Vec::<String>::new());
}

#[test]
fn each_rule_is_seen() {
    assert!(rules("x/src/mod.rs", "fn f() {}\n")[0].contains("//!"));
    assert!(rules("x/src/mod.rs", "//! A room.\n")[0].contains("never does"));
    assert!(rules("x/src/a.rs", &"\n".repeat(600))[0].contains("600 lines"));
    let long = format!("pub(crate) async fn f() {{\n{}}}\n", "    a();\n".repeat(68));
    assert!(rules("x/src/a.rs", &long)[0].contains("a function of 70 lines"));
    assert!(rules("x/src/core/a.rs", "use tokio::time;\n")[0].contains("pure"));
    assert!(rules("x/src/a.rs", "#[cfg(test)]\nmod tests {\n}\n")[0].contains("sibling"));
    assert!(rules("kafka-server/src/a.rs", "use kafka_protocol::x;\n")[0].contains("wire/"));
    assert!(
        rules(
            "x/src/handlers/mod.rs",
            "//! Knows Never\n    api!(3 A),\n    api!(1 B),\n"
        )[0]
        .contains("sorted")
    );
}

#[test]
fn imports_go_one_way() {
    let package = |name: &str, on: &[&str]| {
        let dependencies: Vec<_> = on.iter().map(|name| json!({ "name": name })).collect();
        json!({ "name": name, "dependencies": dependencies })
    };
    let metadata = json!({ "packages": [
        package("storage", &["kafka-server"]),
        package("kafka-server", &["storage", "bytes"]),
        package("smack", &["kafka-server", "storage"]),
    ]});
    let told: Vec<_> = imports::offences(&metadata)
        .into_iter()
        .map(|o| (o.place, o.rule))
        .collect();
    assert_eq!(
        told,
        [("storage".to_owned(), "may not import kafka-server".to_owned())]
    );
}
