use super::*;
use proptest::prelude::*;

fn at(host: &str, port: u16) -> Address {
    Address {
        host: host.to_owned(),
        port,
    }
}

#[test]
fn a_master_is_named_in_each_way() {
    let parse = |name: &str| Location::parse(name).unwrap();
    assert_eq!(parse("127.0.0.1:5050"), Location::At(at("127.0.0.1", 5050)));
    assert_eq!(parse("master@[::1]:5050"), Location::At(at("::1", 5050)));
    assert_eq!(at("::1", 5050).to_string(), "[::1]:5050");
    assert_eq!(
        parse("zk://me:secret@a:1,b/mesos/one"),
        Location::ZooKeeper(Ensemble {
            servers: vec![at("a", 1), at("b", 2181)],
            credentials: Some("me:secret".to_owned()),
            path: "/mesos/one".to_owned(),
        })
    );
}

#[test]
fn a_file_names_the_master() {
    let path = std::env::temp_dir().join(format!("libmesos-master-{}", std::process::id()));
    fs::write(&path, "zk://h/mesos\n").unwrap();
    let named = Location::parse(&format!("file://{}", path.display()));
    fs::remove_file(&path).unwrap();
    assert!(matches!(named, Ok(Location::ZooKeeper(of)) if of.path == "/mesos"));
    assert!(matches!(
        Location::parse("file:///nowhere/at/all"),
        Err(NameError::File(_))
    ));
}

#[test]
fn what_names_nobody_is_refused() {
    for name in ["", "host", "host:", ":5050", "host:65536", "local", "a b:1"] {
        assert!(
            matches!(Location::parse(name), Err(NameError::Unparsable(_))),
            "{name}"
        );
    }
    for name in ["zk://h", "zk://h/", "zk://h//"] {
        assert_eq!(Location::parse(name), Err(NameError::NoPath), "{name}");
    }
}

#[test]
fn the_leader_tells_where_it_is() {
    let json = br#"{"address":{"hostname":"h","ip":"10.0.0.1","port":5050},"hostname":"h","id":"x","ip":1,"port":5050}"#;
    assert_eq!(Address::of_json(json), Some(at("h", 5050)));
    assert_eq!(
        Address::of_node("json.info_0000000001", br#"{"hostname":"h","port":1}"#),
        Some(at("h", 1))
    );
    assert_eq!(Address::of_json(br#"{"hostname":"h"}"#), None);
    let info = MasterInfo {
        hostname: Some("h".to_owned()),
        port: 5050,
        ..MasterInfo::default()
    };
    let old = Address::of_node("info_0000000001", &info.encode_to_vec());
    assert_eq!(old, Some(at("h", 5050)));
    assert_eq!(
        Address::of_location("//10.0.0.1:5050/api/v1/scheduler"),
        Some(at("10.0.0.1", 5050))
    );
    assert_eq!(Address::of_location("/elsewhere"), None);
}

#[test]
fn the_lowest_number_leads() {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = names(&[
        "json.info_0000000012",
        "json.info_0000000003",
        "log_replicas",
        "json.info_x",
    ]);
    assert_eq!(leading(&all), Some("json.info_0000000003"));
    let old = names(&["info_0000000002", "json.info_0000000003"]);
    assert_eq!(leading(&old), Some("info_0000000002"));
    assert_eq!(leading(&names(&["log_replicas"])), None);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,40}") {
        let _ = Ensemble::parse(&text);
        let _ = Address::parse(&text);
        let _ = Address::of_location(&text);
        let _ = Address::of_node(&text, text.as_bytes());
    }
}
