use super::*;
use serde_json::json;

#[test]
fn keys_are_the_originals_in_any_case() {
    let mut config = Config::default();
    for (key, value) in [
        ("ttl", json!(5)),
        ("SOAMname", json!("ns.example")),
        ("SOARname", json!("root@ns.example")),
        ("IPSources", json!(["autoip", "host"])),
        ("EnforceRFC952", json!(true)),
        ("Domain", json!("Cluster.Example")),
        ("resolvers", json!(["192.0.2.1", "192.0.2.2:5353", "2001:db8::1"])),
        ("listener", json!("0.0.0.0")),
    ] {
        config.set(key, value).unwrap();
    }
    assert_eq!(config.ttl, 5);
    assert_eq!(config.soa().mname, "ns.example.");
    assert_eq!(config.soa().rname, "root.ns.example.");
    assert_eq!(config.domain, "cluster.example");
    let servers: Vec<String> = config
        .resolvers()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(servers, ["192.0.2.1:53", "192.0.2.2:5353", "[2001:db8::1]:53"]);
    let naming = config.naming(Vec::new()).unwrap();
    assert_eq!(naming.rules, Rules::Rfc952);
    assert_eq!(naming.sources, [Source::AutoIp, Source::Host]);
}

#[test]
fn what_cannot_be_is_refused() {
    for (key, value) in [
        ("ttl", json!("long")),
        ("ttl", json!(-1)),
        ("IPSources", json!(["moon"])),
        ("domain", json!("a..b")),
        ("domain", json!("-a")),
        ("domain", json!("")),
        ("resolvers", json!(["name"])),
        ("listener", json!("nowhere")),
        ("unheardOf", json!(1)),
    ] {
        assert!(
            Config::default().set(key, value.clone()).is_err(),
            "{key} {value}"
        );
    }
}

#[test]
fn it_is_shown_as_the_original_shows_it() {
    let shown = serde_json::to_value(Config::default()).unwrap();
    assert_eq!(shown["RefreshSeconds"], 60);
    assert_eq!(shown["HttpPort"], 8123);
    assert_eq!(shown["DnsOn"], true);
    assert_eq!(shown["TTL"], 60);
    assert_eq!(shown["SOAMname"], "ns1.mesos.");
    assert_eq!(shown["IPSources"], json!(["netinfo", "mesos", "host"]));
    assert_eq!(shown["EnforceRFC952"], false);
    assert_eq!(shown["ExternalOn"], false);
}
