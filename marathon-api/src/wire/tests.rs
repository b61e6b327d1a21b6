use super::*;
use crate::core::app::AppUpdate;

fn faults(body: &str) -> Value {
    match parse::<AppUpdate>(body.as_bytes()) {
        Err(Malformed::Fields(errors)) => details(errors.into_faults()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_is_told_by_its_path() {
    let body = r#"{"id": 7, "cpus": "many", "instances": -1, "mem": -3, "fetch": [{}, 7],
        "healthChecks": [{"protocol": "SMOKE", "command": {}}], "killSelection": "BEST_FIRST", "env": {"a": 1}}"#;
    let found = faults(body);
    let found: Vec<(&str, &str)> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["path"].as_str().unwrap(), one["errors"][0].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("/id", "error.expected.jsstring"),
            ("/env/a", "error.expected.jsstring"),
            ("/instances", "error.min"),
            ("/cpus", "error.expected.jsnumber"),
            ("/mem", "error.min"),
            ("/fetch(0)/uri", "error.path.missing"),
            ("/fetch(1)", "error.expected.jsobject"),
            ("/healthChecks(0)/protocol", "error.unknown.enum.literal"),
            ("/healthChecks(0)/command/value", "error.path.missing"),
            ("/killSelection", "error.unknown.enum.literal"),
        ]
    );
}

#[test]
fn what_is_null_is_not_said_and_what_is_unknown_is_skipped() {
    let update: AppUpdate =
        parse(br#"{"id": null, "cmd": "x", "instances": 3.0, "tasksRunning": 7}"#).unwrap();
    let said = AppUpdate {
        cmd: Some("x".to_owned()),
        instances: Some(3),
        ..AppUpdate::default()
    };
    assert_eq!(update, said);
    assert!(matches!(parse::<AppUpdate>(b"{"), Err(Malformed::Syntax(_))));
    assert!(matches!(parse::<AppUpdate>(b"[]"), Err(Malformed::Fields(_))));
}

#[test]
fn queries_are_decoded() {
    let query = Query::parse(Some("force=True&embed=a%2Fb&embed=c+d&x&y=%zz%e"));
    assert!(query.is_set("force", false) && !query.is_set("scale", false));
    assert_eq!(query.all("embed").collect::<Vec<_>>(), ["a/b", "c d"]);
    assert_eq!(
        (query.get("x"), query.get("y"), query.get("z")),
        (Some(""), Some("%zz%e"), None)
    );
}
