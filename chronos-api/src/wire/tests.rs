use super::*;
use crate::core::{Job, Trigger};
use proptest::prelude::*;
use serde_json::{Value, json};

fn defaults() -> Defaults {
    Defaults {
        epsilon: "PT60S".to_owned(),
        cpus: 0.1,
        mem: 128.0,
        disk: 256.0,
        user: "root".to_owned(),
    }
}

fn read(json: &Value) -> Job {
    parse(json.to_string().as_bytes(), &defaults()).unwrap()
}

#[test]
fn what_is_not_said_is_as_in_the_original() {
    let job = read(&json!({ "name": "j", "command": "true" }));
    let Trigger::Schedule { schedule, zone } = &job.trigger else {
        panic!("{job:?}");
    };
    assert_eq!((schedule.as_str(), zone.as_str()), ("R1//PT24H", ""));
    assert_eq!((job.cpus, job.mem, job.disk, job.retries), (0.1, 128.0, 256.0, 2));
    assert_eq!(
        (job.epsilon.as_str(), job.run_as_user.as_str(), job.shell),
        ("PT60S", "root", true)
    );
}

#[test]
fn numbers_may_be_texts_and_texts_numbers() {
    let job = read(&json!({
        "name": 7, "command": "true", "cpus": "0.5", "mem": 0, "retries": "3", "shell": "false", "owner": null,
        "environmentVariables": [{ "name": "A", "value": 1 }],
    }));
    assert_eq!(
        (job.name.as_str(), job.cpus, job.mem, job.retries),
        ("7", 0.5, 128.0, 3)
    );
    assert_eq!((job.shell, job.owner.as_str()), (false, ""));
    assert_eq!(job.environment[0].value, "1");
}

#[test]
fn what_is_no_job_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        "{\"name\":\"j\"}",
        "{\"name\":\"j\",\"command\":\"c\",\"epsilon\":\"soon\"}",
        "{\"name\":\"j\",\"command\":\"c\",\"cpus\":-1}",
        "{\"name\":\"j\",\"command\":\"c\",\"lastError\":\"yesterday\"}",
        "{\"name\":\"j\",\"command\":\"c\",\"container\":{\"type\":\"ROCKET\",\"image\":\"x\"}}",
    ] {
        assert!(parse(text.as_bytes(), &defaults()).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_wild(text in ".{0,80}", name in "[a-zA-Z]{1,20}") {
        let _ = parse(text.as_bytes(), &defaults());
        let job = json!({ "name": "j", "command": "c", name: text });
        let _ = parse(job.to_string().as_bytes(), &defaults());
    }
}
