//! Answers that differ from run to run: which keys they have, and what kind of value each holds.

use super::*;
use std::collections::BTreeMap;

/// Every path to a value, without the numbers of lists, and the kinds of value that are there.
type Shape = BTreeMap<String, BTreeSet<&'static str>>;

fn shape(body: &str) -> Shape {
    let mut all = Shape::new();
    walk(&serde_json::from_str(body).unwrap(), "", &mut all);
    all
}

fn walk(value: &Value, at: &str, all: &mut Shape) {
    let mut kind = |kind| {
        all.entry(at.to_owned()).or_default().insert(kind);
    };
    match value {
        Value::Null => kind("null"),
        Value::Bool(_) => kind("bool"),
        Value::Number(number) => kind(if number.is_f64() { "double" } else { "integer" }),
        Value::String(_) => kind("string"),
        Value::Array(list) => {
            kind("list");
            list.iter().for_each(|value| walk(value, at, all));
        }
        Value::Object(map) => {
            kind("object");
            map.iter()
                .for_each(|(key, value)| walk(value, &format!("{at}/{key}"), all));
        }
    }
}

/// Those of the second that the first lacks, and where the first has no value of a kind that the second has.
fn lacks(ours: &Shape, theirs: &Shape) -> BTreeSet<String> {
    let lacks = theirs
        .iter()
        .filter(|(path, kinds)| ours.get(*path).is_none_or(|own| !own.is_superset(kinds)));
    lacks.map(|(path, _)| path.clone()).collect()
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|&path| path.to_owned()).collect()
}

/// What tells how the original was built. Nobody built this one of its sources.
const BUILT: [&str; 5] = ["build_date", "build_time", "build_user", "git_sha", "git_tag"];

fn built(at: &str) -> BTreeSet<String> {
    BUILT.iter().map(|name| format!("{at}/{name}")).collect()
}

#[tokio::test]
async fn versions_have_the_shape_of_the_original() {
    let recorded = Recorded::start();
    let ours = shape(&recorded.operator("GET_VERSION").await.body);
    let theirs = shape(&golden("OP_master_GET_VERSION").body);
    assert_eq!(lacks(&ours, &theirs), built("/get_version/version_info"));
    assert_eq!(lacks(&theirs, &ours), set(&[]));
    let ours = shape(&recorded.ask("GET", "/version", &[], "").await.body);
    let theirs = shape(&golden("GET_version").body);
    assert_eq!(lacks(&ours, &theirs), built(""));
    assert_eq!(lacks(&theirs, &ours), set(&[]));
}

/// The cluster has an idle framework in the recording, and one that holds an offer here.
#[tokio::test]
async fn states_have_the_shape_of_the_original() {
    let recorded = Recorded::start();
    recorded.registered().await;
    let _subscription = recorded.subscribe().await;
    let ours = shape(&recorded.operator("GET_STATE").await.body);
    let theirs = shape(&golden("OP_master_GET_STATE").body);
    let lacking = lacks(&ours, &theirs);
    assert_eq!(
        lacking,
        set(&["/get_state/get_agents/agents/agent_info/checkpoint"])
    );
    let more = lacks(&theirs, &ours);
    assert!(more.iter().all(|path| path.contains("offer")), "{more:?}");

    let ours = shape(&recorded.ask("GET", "/master/state", &[], "").await.body);
    let theirs = shape(&golden("GET_master_state").body);
    let mut lacking = lacks(&ours, &theirs);
    lacking.retain(|path| !path.starts_with("/flags/"));
    let mut expected = built("");
    // The recording's framework spoke the older protocol: a process, which has an id.
    expected.insert("/frameworks/pid".to_owned());
    assert_eq!(lacking, expected);
    let mut more = lacks(&theirs, &ours);
    more.retain(|path| {
        let whole = ["used", "offered", "reserved", "unreserved"].map(|of| format!("{of}_resources_full"));
        // Beside them: what the original's `/slaves` tells of an agent, why a framework waits, and what it is offered.
        path != "/frameworks/resources/ports"
            && !path.contains("offer")
            && !whole.iter().any(|whole| path.contains(whole))
    });
    assert_eq!(more, set(&[]));
}

/// Flags of parts that are not here: authentication and authorization, the protocol between frameworks and masters from
/// before HTTP, the replicated log, the web interface, and offer constraints.
const NO_FLAGS: [&str; 18] = [
    "allocator_agent_recovery_factor",
    "allocator_recovery_timeout",
    "authentication_v0_timeout",
    "authenticators",
    "authorizers",
    "hostname_lookup",
    "http_authenticators",
    "initialize_driver_logging",
    "log_auto_initialize",
    "offer_constraints_re2_max_mem",
    "offer_constraints_re2_max_program_size",
    "registry",
    "registry_fetch_timeout",
    "registry_gc_interval",
    "registry_max_agent_age",
    "registry_store_timeout",
    "webui_dir",
    "work_dir",
];

#[tokio::test]
async fn flags_are_those_of_the_original() {
    let recorded = Recorded::start();
    let flags = |body: &str| -> BTreeMap<String, String> {
        let all: Value = serde_json::from_str(body).unwrap();
        serde_json::from_value(all["flags"].clone()).unwrap()
    };
    let ours = flags(&recorded.ask("GET", "/master/flags", &[], "").await.body);
    let theirs = flags(&golden("GET_master_flags").body);
    for (name, value) in &ours {
        // What is told of each framework and what is not is the one thing that is decided otherwise.
        if name != "publish_per_framework_metrics" {
            assert_eq!(theirs.get(name), Some(value), "{name}");
        }
    }
    let lacking = theirs.keys().filter(|name| !ours.contains_key(*name));
    assert_eq!(lacking.cloned().collect::<BTreeSet<_>>(), set(&NO_FLAGS));
    let answer = recorded.operator("GET_FLAGS").await;
    let theirs = golden("OP_master_GET_FLAGS");
    assert_eq!(shape(&answer.body), shape(&theirs.body));
    let names = |body: &str| -> Vec<String> {
        let all: Value = serde_json::from_str(body).unwrap();
        let all = all["get_flags"]["flags"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&answer.body), ours.into_keys().collect::<Vec<_>>());
    let theirs = names(&theirs.body);
    assert!(theirs.is_sorted(), "{theirs:?}");
}

/// What this master does not measure: the original's own process and its queues, its log, its agent, each framework and
/// role by itself, and each kind of operation.
const NO_METRICS: [&str; 16] = [
    "allocator/event_queue",
    "allocator/mesos/allocation_run_",
    "allocator/mesos/event_queue",
    "allocator/mesos/offer_filters/",
    "allocator/mesos/roles/",
    "containerizer/",
    "gc/",
    "master/event_queue",
    "master/frameworks/",
    "master/operations/",
    "registrar/",
    "resource_provider_manager/",
    "scheduler/",
    "slave/",
    "system/",
    "master/slave_",
];

/// Single ones among those that are measured: the older protocol's, authentication's, a cache's, and of operations'
/// acknowledgements those that mean nothing here.
const NO_METRIC: [&str; 12] = [
    "http_cache_hits",
    "invalid_executor_to_framework_messages",
    "invalid_framework_to_executor_messages",
    "invalid_operation_status_update_acknowledgements",
    "invalid_operation_status_updates",
    "messages_authenticate",
    "messages_deactivate_framework",
    "messages_unregister_slave",
    "messages_update_slave",
    "operator_event_stream_subscribers",
    "valid_operation_status_update_acknowledgements",
    "valid_operation_status_updates",
];

#[tokio::test]
async fn metrics_are_those_of_the_original() {
    let recorded = Recorded::start();
    recorded.registered().await;
    let _subscription = recorded.subscribe().await;
    let metrics = |body: &str| -> BTreeMap<String, f64> { serde_json::from_str(body).unwrap() };
    let ours = metrics(&recorded.ask("GET", "/metrics/snapshot", &[], "").await.body);
    let theirs = metrics(&golden("GET_metrics_snapshot").body);
    let unknown: Vec<_> = ours.keys().filter(|name| !theirs.contains_key(*name)).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    let mut lacking: BTreeSet<&str> = theirs.keys().map(String::as_str).collect();
    lacking.retain(|name| !ours.contains_key(*name) && !NO_METRICS.iter().any(|no| name.starts_with(no)));
    let expected = NO_METRIC.map(|name| format!("master/{name}"));
    assert_eq!(lacking, expected.iter().map(String::as_str).collect());
    // An agent and a framework have come, as in the recording.
    for name in [
        "messages_register_framework",
        "messages_register_slave",
        "slave_registrations",
        "slave_reregistrations",
        "slaves_active",
        "frameworks_active",
        "cpus_total",
    ] {
        let name = format!("master/{name}");
        assert_eq!(ours[&name], theirs[&name], "{name}");
    }
    let body = r#"{"type":"GET_METRICS","get_metrics":{}}"#;
    let answer = recorded.ask("POST", "/api/v1", &[JSON], body).await;
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    let told = told["get_metrics"]["metrics"].as_array().unwrap().iter();
    let told: Vec<&str> = told.map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(told, ours.keys().map(String::as_str).collect::<Vec<_>>());
}
