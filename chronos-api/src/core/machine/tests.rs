use super::*;
use crate::core::job::{Job, Trigger};

const START: i64 = 1_700_000_000_000;

fn job(name: &str, fields: serde_json::Value) -> Job {
    let defaults = crate::wire::Defaults {
        epsilon: "PT60S".to_owned(),
        cpus: 0.1,
        mem: 32.0,
        disk: 1.0,
        user: "root".to_owned(),
    };
    let mut json = serde_json::json!({ "name": name, "command": "true" });
    for (key, value) in fields.as_object().unwrap() {
        json[key] = value.clone();
    }
    crate::wire::parse(json.to_string().as_bytes(), &defaults).unwrap()
}

fn core() -> Core {
    let policy = Policy {
        failure_retry_ms: 60_000,
        disable_after_failures: 0,
        jobs_max: 20_000,
    };
    let mut core = Core::new(START, policy, None, Vec::new(), Vec::new());
    core.step(
        START,
        Input::Subscribed {
            framework: "f".to_owned(),
        },
    );
    core
}

fn offer(cpus: f64) -> Input {
    Input::Offers(vec![Offer {
        id: "o".to_owned(),
        agent: "a".to_owned(),
        host: "h".to_owned(),
        cpus,
        mem: 1e6,
        disk: 1e6,
        gpus: 0.0,
        attributes: Vec::new(),
    }])
}

fn command(core: &mut Core, now: i64, command: Command) -> Result<(), Refused> {
    core.step(now, Input::Command(Box::new(command))).answer
}

fn put(core: &mut Core, name: &str, fields: serde_json::Value) -> Result<(), Refused> {
    command(core, START, Command::Put(Box::new(job(name, fields))))
}

/// What is launched when it is offered something.
fn launched(core: &mut Core, now: i64) -> Vec<Launch> {
    let step = core.step(now, offer(1e6));
    let launches = step.effects.into_iter().filter_map(|effect| match effect {
        Effect::Accept { launches, .. } => Some(launches),
        _ => None,
    });
    launches.flatten().collect()
}

fn ended(core: &mut Core, now: i64, task: &str, state: TaskState) -> Step {
    core.step(
        now,
        Input::Status(Status {
            task: task.to_owned(),
            agent: Some("a".to_owned()),
            state,
            uuid: Some(vec![1]),
            message: String::new(),
        }),
    )
}

fn tasks(launches: &[Launch]) -> Vec<&str> {
    launches.iter().map(|launch| launch.task.as_str()).collect()
}

fn every(seconds: u32) -> serde_json::Value {
    let start = crate::core::schedule::time_text(START);
    serde_json::json!({ "schedule": format!("R/{start}/PT{seconds}S") })
}

#[test]
fn a_run_is_stored_with_its_occurrence_before_it_is_launched() {
    let mut core = core();
    put(&mut core, "j", every(10)).unwrap();
    let step = core.step(START + 5, offer(1.0));
    let runs: Vec<&Run> = step
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Run(run) => Some(run),
            _ => None,
        })
        .collect();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].task, format!("ct:{START}:0:j:"));
    let kept = step.changes.iter().find_map(|change| match change {
        Change::Job(kept) => Some(kept),
        _ => None,
    });
    assert_eq!(kept.unwrap().at, 1);
    assert!(matches!(&step.effects[0], Effect::Accept { launches, .. } if launches.len() == 1));
    // The same offer again launches nothing more.
    assert!(launched(&mut core, START + 6).is_empty());
}

#[test]
fn an_end_is_stored_before_it_is_acknowledged() {
    let mut core = core();
    put(&mut core, "j", every(10)).unwrap();
    let task = launched(&mut core, START)[0].task.clone();
    let step = ended(&mut core, START + 7, &task, TaskState::Finished);
    assert!(step.changes.contains(&Change::NoRun(task.clone())));
    assert!(
        step.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Acknowledge { task: of, .. } if *of == task))
    );
    let job = core.job("j").unwrap().job();
    assert_eq!(
        (job.success_count, job.last_success.as_str()),
        (1, "2023-11-14T22:13:20.007Z")
    );
}

#[test]
fn what_is_too_late_is_skipped() {
    let mut core = core();
    put(&mut core, "j", every(10)).unwrap();
    // Nothing was offered for a hundred seconds; what was due more than sixty seconds ago is over.
    let now = START + 100_500;
    let first = launched(&mut core, now);
    assert_eq!(first[0].due, START + 50_000);
    assert_eq!(core.job("j").unwrap().stats.skipped, 5);
    // One after the other, as it is not concurrent.
    assert_eq!(first.len(), 1);
    ended(&mut core, now, &first[0].task, TaskState::Finished);
    assert_eq!(launched(&mut core, now)[0].due, START + 60_000);
}

#[test]
fn concurrent_jobs_do_not_wait_for_themselves() {
    let mut core = core();
    let mut fields = every(10);
    fields["concurrent"] = true.into();
    put(&mut core, "j", fields).unwrap();
    let dues: Vec<i64> = launched(&mut core, START + 20_000)
        .iter()
        .map(|one| one.due)
        .collect();
    assert_eq!(dues, [START, START + 10_000, START + 20_000]);
}

#[test]
fn failures_are_tried_again_and_then_counted() {
    let mut core = core();
    put(
        &mut core,
        "j",
        serde_json::json!({ "schedule": "R1//PT1H", "retries": 1 }),
    )
    .unwrap();
    let task = launched(&mut core, START)[0].task.clone();
    ended(&mut core, START + 1, &task, TaskState::Failed);
    assert!(launched(&mut core, START + 60_000).is_empty());
    let again = launched(&mut core, START + 60_001);
    assert_eq!(again[0].attempt, 1);
    assert_eq!(core.job("j").unwrap().job().error_count, 0);
    ended(&mut core, START + 60_002, &again[0].task, TaskState::Failed);
    let job = core.job("j").unwrap().job();
    assert_eq!((job.error_count, job.errors_since_last_success), (1, 1));
    // As in the original, it is not tried again now until it has ended well.
    command(
        &mut core,
        START + 60_003,
        Command::Trigger {
            name: "j".to_owned(),
            arguments: None,
        },
    )
    .unwrap();
    let task = launched(&mut core, START + 60_003)[0].task.clone();
    ended(&mut core, START + 60_004, &task, TaskState::Failed);
    assert!(launched(&mut core, START + 600_000).is_empty());
    assert_eq!(core.job("j").unwrap().job().error_count, 2);
}

#[test]
fn what_never_ran_is_launched_again_and_is_no_failure() {
    let mut core = core();
    put(
        &mut core,
        "j",
        serde_json::json!({ "schedule": "R1//PT1H", "retries": 0 }),
    )
    .unwrap();
    for attempt in 0..3 {
        let now = START + attempt * 10_000;
        let task = launched(&mut core, now)[0].task.clone();
        assert_eq!(task, format!("ct:{}:{attempt}:j:", START - 1000));
        let state = if attempt == 0 {
            TaskState::Dropped
        } else {
            TaskState::Unknown
        };
        ended(&mut core, now, &task, state);
    }
    let task = launched(&mut core, START + 50_000)[0].task.clone();
    ended(&mut core, START + 50_001, &task, TaskState::Running);
    // It ran: who forgets it now has lost it.
    ended(&mut core, START + 50_002, &task, TaskState::Unknown);
    assert_eq!(core.job("j").unwrap().job().error_count, 1);
}

#[test]
fn children_run_once_all_parents_have() {
    let mut core = core();
    let manual = serde_json::json!({ "schedule": "R/2100-01-01T00:00:00Z/P1D" });
    put(&mut core, "a", manual.clone()).unwrap();
    put(&mut core, "b", manual).unwrap();
    put(&mut core, "c", serde_json::json!({ "parents": ["a", "b"] })).unwrap();
    for (name, children) in [("a", 0), ("a", 0), ("b", 1), ("b", 0), ("a", 1)] {
        command(&mut core, START, Command::Succeed(name.to_owned())).unwrap();
        let launches = launched(&mut core, START);
        assert_eq!(launches.len(), children, "after {name}: {:?}", tasks(&launches));
        for launch in launches {
            ended(&mut core, START, &launch.task, TaskState::Finished);
        }
    }
    assert_eq!(
        core.dot(),
        "digraph G {\n  1 [ label=\"a\" ];\n  2 [ label=\"b\" ];\n  3 [ label=\"c\" ];\n  1 -> 3;\n  2 -> 3;\n}\n"
    );
}

#[test]
fn a_soft_error_is_enough_for_children() {
    let mut core = core();
    put(
        &mut core,
        "a",
        serde_json::json!({ "schedule": "R1//PT1H", "retries": 0, "softError": true }),
    )
    .unwrap();
    put(&mut core, "c", serde_json::json!({ "parents": ["a"] })).unwrap();
    let task = launched(&mut core, START)[0].task.clone();
    ended(&mut core, START, &task, TaskState::Failed);
    assert_eq!(launched(&mut core, START)[0].job.name, "c");
}

#[test]
fn circles_and_missing_parents_are_refused() {
    let mut core = core();
    put(&mut core, "a", every(10)).unwrap();
    put(&mut core, "b", serde_json::json!({ "parents": ["a"] })).unwrap();
    put(&mut core, "c", serde_json::json!({ "parents": ["b"] })).unwrap();
    let refused = |refused: Result<(), Refused>| refused.unwrap_err().to_string();
    assert_eq!(
        refused(put(&mut core, "a", serde_json::json!({ "parents": ["c"] }))),
        "Edge would induce a cycle"
    );
    assert_eq!(
        refused(put(&mut core, "b", serde_json::json!({ "parents": ["b"] }))),
        "Edge would induce a cycle"
    );
    assert_eq!(
        refused(put(
            &mut core,
            "d",
            serde_json::json!({ "parents": ["a", "nobody"] })
        )),
        "requirement failed: JobSchedule d does not have all parents defined!"
    );
    assert_eq!(
        refused(put(&mut core, "d", serde_json::json!({ "parents": [] }))),
        "Error, parent does not exist"
    );
    assert_eq!(core.jobs().count(), 3);
}

#[test]
fn who_is_left_has_what_was_left() {
    let mut core = core();
    put(&mut core, "a", every(10)).unwrap();
    put(&mut core, "b", serde_json::json!({ "parents": ["a"] })).unwrap();
    put(&mut core, "c", serde_json::json!({ "parents": ["b"] })).unwrap();
    command(&mut core, START, Command::Delete("b".to_owned())).unwrap();
    assert!(core.job("c").unwrap().job().parents().unwrap().contains("a"));
    assert_eq!(core.links().collect::<Vec<_>>(), [("a", "c")]);
    let step = core.step(START, Input::Command(Box::new(Command::Delete("a".to_owned()))));
    assert!(step.changes.contains(&Change::NoJob("a".to_owned())));
    assert!(matches!(
        core.job("c").unwrap().job().trigger,
        Trigger::Schedule { .. }
    ));
    assert_eq!(launched(&mut core, START)[0].job.name, "c");
}

#[test]
fn a_job_put_again_does_not_run_again() {
    let mut core = core();
    put(&mut core, "j", every(3600)).unwrap();
    let task = launched(&mut core, START)[0].task.clone();
    ended(&mut core, START + 1, &task, TaskState::Finished);
    let again = job("j", every(3600));
    command(&mut core, START + 1000, Command::Put(Box::new(again))).unwrap();
    assert!(launched(&mut core, START + 1000).is_empty());
    assert_eq!(launched(&mut core, START + 3_600_000).len(), 1);
}

#[test]
fn asynchronous_runs_end_when_somebody_says_so() {
    let mut core = core();
    let fields = serde_json::json!({ "schedule": "R1//PT1H", "async": true });
    put(&mut core, "j", fields).unwrap();
    let task = launched(&mut core, START)[0].task.clone();
    ended(&mut core, START, &task, TaskState::Finished);
    assert_eq!(core.job("j").unwrap().job().success_count, 0);
    assert_eq!(core.job("j").unwrap().running(), 1);
    command(&mut core, START, Command::Ended { task, well: true }).unwrap();
    assert_eq!(core.job("j").unwrap().job().success_count, 1);
    assert_eq!(core.job("j").unwrap().running(), 0);
}

#[test]
fn arguments_are_of_one_run() {
    let mut core = core();
    put(
        &mut core,
        "j",
        serde_json::json!({ "schedule": "R/2100-01-01T00:00:00Z/P1D" }),
    )
    .unwrap();
    let arguments = Some("-debug /tmp/x".to_owned());
    let trigger = Command::Trigger {
        name: "j".to_owned(),
        arguments: arguments.clone(),
    };
    command(&mut core, START, trigger).unwrap();
    let launches = launched(&mut core, START);
    assert_eq!(launches[0].arguments, arguments);
    // A slash may not be in an id.
    assert_eq!(launches[0].task, format!("ct:{START}:0:j:"));
}

#[test]
fn offers_are_wanted_only_while_they_are_of_use() {
    let mut core = core();
    put(&mut core, "j", every(10)).unwrap();
    let task = launched(&mut core, START)[0].task.clone();
    let step = ended(&mut core, START + 1, &task, TaskState::Finished);
    assert!(!step.effects.contains(&Effect::Revive));
    let step = core.step(START + 5000, offer(1.0));
    let declined = |effect: &Effect| matches!(effect, Effect::Decline { seconds, .. } if *seconds > 1000.0);
    assert!(step.effects.iter().any(declined), "{:?}", step.effects);
    let wake = core.wake(START + 5000).unwrap();
    assert_eq!(wake, START + 10_000 - offers::AHEAD_MS);
    let step = core.step(wake, Input::Tick);
    assert_eq!(step.effects, [Effect::Revive]);
    // What is offered then is kept for it.
    let step = core.step(wake + 10, offer(1.0));
    assert_eq!(step.effects, []);
    assert_eq!(core.wake(wake + 10), Some(START + 10_000));
    let step = core.step(START + 10_000, Input::Tick);
    assert!(matches!(step.effects[0], Effect::Accept { .. }));
}

#[test]
fn what_nobody_knows_is_ended() {
    let mut core = core();
    let step = ended(&mut core, START, "ct:1:0:gone:", TaskState::Running);
    assert!(matches!(&step.effects[0], Effect::Kill { task, .. } if task == "ct:1:0:gone:"));
    assert!(matches!(&step.effects[1], Effect::Acknowledge { .. }));
}

#[test]
fn a_master_that_forgot_the_framework_has_ended_its_tasks() {
    let mut core = core();
    put(&mut core, "j", serde_json::json!({ "schedule": "R1//PT1H" })).unwrap();
    launched(&mut core, START);
    let step = core.step(START, Input::Banished);
    assert!(step.changes.contains(&Change::Framework(None)));
    core.step(
        START,
        Input::Subscribed {
            framework: "g".to_owned(),
        },
    );
    assert_eq!(launched(&mut core, START + 60_000)[0].attempt, 1);
}

#[test]
fn ten_thousand_jobs_run_a_thousand_times_a_minute_without_drift() {
    let mut core = core();
    // Each is due once in ten minutes, all of them evenly.
    for at in 0..10_000_i64 {
        let start = crate::core::schedule::time_text(START + at * 60);
        let fields = serde_json::json!({ "schedule": format!("R/{start}/PT10M") });
        command(
            &mut core,
            START,
            Command::Put(Box::new(job(&format!("j{at}"), fields))),
        )
        .unwrap();
    }
    let (mut now, mut runs) = (START, 0);
    while now < START + 1_200_000 {
        let step = core.step(now, offer(1e6));
        for effect in step.effects {
            if let Effect::Accept { launches, .. } = effect {
                for launch in launches {
                    runs += 1;
                    assert_eq!(launch.due, now, "{} is late", launch.task);
                    ended(&mut core, now, &launch.task, TaskState::Finished);
                }
            }
        }
        let wake = core.wake(now).unwrap_or(i64::MAX);
        now = wake.max(now + 1);
        core.step(now - 1, Input::Tick);
    }
    assert_eq!(runs, 20_000);
}
