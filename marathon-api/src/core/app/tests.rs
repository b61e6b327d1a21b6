use super::{constraint::*, *};
use crate::core::time::Timestamp;

fn app() -> App {
    AppUpdate {
        cmd: Some("sleep 100".to_owned()),
        ..AppUpdate::default()
    }
    .apply(&App::named(PathId::new("/a")))
}

fn errors(app: &App) -> Vec<(String, String)> {
    check(app)
        .into_iter()
        .map(|wrong| (wrong.path, wrong.error))
        .collect()
}

#[test]
fn an_app_is_shown_with_the_defaults_of_the_original() {
    let shown = app().shown();
    for (name, value) in [
        ("/backoffFactor", serde_json::json!(1.15)),
        ("/cpus", serde_json::json!(1)),
        ("/maxLaunchDelaySeconds", serde_json::json!(300)),
        ("/upgradeStrategy/minimumHealthCapacity", serde_json::json!(1)),
        ("/unreachableStrategy/expungeAfterSeconds", serde_json::json!(0)),
        ("/killSelection", serde_json::json!("YOUNGEST_FIRST")),
        ("/portDefinitions/0/name", serde_json::json!("default")),
        ("/networks/0/mode", serde_json::json!("host")),
    ] {
        assert_eq!(shown.pointer(name), Some(&value), "{name}");
    }
    assert!(shown.get("args").is_none() && shown.get("constraints").is_none());
    assert_eq!(serde_json::from_value::<App>(shown).unwrap(), app());
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_original() {
    assert!(errors(&app()).is_empty());
    let nothing = App::named(PathId::new("/a"));
    assert_eq!(
        errors(&nothing),
        [(
            "/".to_owned(),
            "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.".to_owned()
        )]
    );
    let odd = App {
        id: PathId::new("/A"),
        constraints: vec![vec!["hostname".to_owned(), "NEAR".to_owned()]],
        ..app()
    };
    let found = errors(&odd);
    assert!(
        found[0]
            .1
            .starts_with("must fully match regular expression '^(([a-z0-9]"),
        "{found:?}"
    );
    assert!(
        found[1].1.starts_with("Constraint operator must be one of"),
        "{found:?}"
    );
    assert_eq!(found[1].0, "/constraints(0)");
}

#[test]
fn the_older_words_for_ports_and_uris_are_taken() {
    let update = AppUpdate {
        ports: Some(vec![0, 7]),
        uris: Some(vec!["http://h/a.tgz".to_owned()]),
        ..AppUpdate::default()
    };
    let app = update.apply(&app());
    assert_eq!(app.service_ports().collect::<Vec<_>>(), [0, 7]);
    assert!(app.fetch[0].extract);
}

#[test]
fn scaling_is_no_upgrade() {
    let scaled = App {
        instances: 9,
        version: Timestamp(7),
        ..app()
    };
    assert!(!app().is_upgraded_by(&scaled));
    let other = App {
        cmd: Some("sleep 1".to_owned()),
        ..app()
    };
    assert!(app().is_upgraded_by(&other));
}

fn constraint(text: &str) -> Constraint {
    let parts: Vec<String> = text.split(':').map(str::to_owned).collect();
    Constraint::parse(&parts).unwrap()
}

fn place(host: &str, rack: &str) -> Place {
    Place {
        host: host.to_owned(),
        attributes: [("rack".to_owned(), rack.to_owned())].into(),
        ..Place::default()
    }
}

#[test]
fn constraints_hold_for_every_instance() {
    let (a1, a2, b1) = (place("a1", "a"), place("a2", "a"), place("b1", "b"));
    for (text, here, others, met) in [
        ("hostname:UNIQUE", &a1, vec![&a2, &b1], true),
        ("hostname:UNIQUE", &a1, vec![&a1], false),
        ("rack:CLUSTER:a", &a1, vec![&a2], true),
        ("rack:CLUSTER:b", &a1, vec![], false),
        ("rack:CLUSTER", &a1, vec![&b1], false),
        ("rack:GROUP_BY", &a1, vec![&a2], true),
        ("rack:GROUP_BY:2", &a1, vec![&a2], false),
        ("rack:GROUP_BY:2", &b1, vec![&a2], true),
        ("rack:GROUP_BY", &a1, vec![&a2, &a1, &b1], false),
        ("hostname:LIKE:a.", &a1, vec![], true),
        ("hostname:LIKE:a", &a1, vec![], false),
        ("hostname:UNLIKE:a.", &b1, vec![], true),
        ("zone:UNLIKE:a.", &b1, vec![], true),
        ("zone:LIKE:.*", &b1, vec![], false),
        ("rack:MAX_PER:2", &a1, vec![&a2], true),
        ("rack:MAX_PER:2", &a1, vec![&a2, &a1], false),
        ("hostname:IS:b1", &b1, vec![], true),
        ("hostname:IS:b1", &a1, vec![], false),
    ] {
        assert_eq!(
            constraint(text).is_met(here, &others),
            met,
            "{text} at {}",
            here.host
        );
    }
}
