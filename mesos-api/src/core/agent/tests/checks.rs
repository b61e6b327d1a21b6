use super::*;
use TaskState::*;
use mesos_proto::v1::{
    CheckInfo, HealthCheck, KillPolicy, check_info, check_status_info, health_check,
    health_check::{HttpCheckInfo, TcpCheckInfo},
};

const SECOND: Duration = Duration::from_secs(1);

fn healthy(fill: impl FnOnce(&mut HealthCheck)) -> TaskInfo {
    let mut check = HealthCheck {
        r#type: Some(health_check::Type::Tcp as i32),
        tcp: Some(TcpCheckInfo {
            port: 80,
            ..TcpCheckInfo::default()
        }),
        ..HealthCheck::default()
    };
    fill(&mut check);
    TaskInfo {
        health_check: Some(check),
        ..task("a")
    }
}

fn checked(fill: impl FnOnce(&mut CheckInfo)) -> TaskInfo {
    let mut check = CheckInfo {
        r#type: Some(check_info::Type::Command as i32),
        command: Some(check_info::Command {
            command: CommandInfo {
                value: Some("check".to_owned()),
                ..CommandInfo::default()
            },
        }),
        ..CheckInfo::default()
    };
    fill(&mut check);
    TaskInfo {
        check: Some(check),
        ..task("a")
    }
}

impl World {
    fn probe(&mut self) -> Option<Probe> {
        let at = self.wanted.iter().position(|one| matches!(one, Effect::Probe(_)));
        match self.wanted.remove(at?) {
            Some(Effect::Probe(probe)) => Some(*probe),
            _ => None,
        }
    }

    /// The next look is taken when its time has come, and finds this.
    fn finds(&mut self, found: Probed) {
        let probe = self.probe().expect("a task is looked at");
        self.pass(probe.after);
        self.step(Input::Probed {
            container: probe.container,
            which: probe.which,
            found,
        });
    }

    /// What is told of health and checks: the reason with it.
    fn statuses(&mut self) -> Vec<TaskStatus> {
        let mut told = Vec::new();
        while let Some(at) = self
            .wanted
            .iter()
            .position(|one| matches!(one, Effect::Master(ToMaster::Update { .. })))
        {
            if let Some(Effect::Master(ToMaster::Update { status, .. })) = self.wanted.remove(at) {
                self.step(Input::Master(ToAgent::Acknowledge {
                    framework: "F".to_owned(),
                    task: status.task_id.value.clone(),
                    uuid: status.uuid().to_vec(),
                }));
                // What waits for long is sent again.
                if told.iter().all(|one: &TaskStatus| one.uuid() != status.uuid()) {
                    told.push(*status);
                }
            }
        }
        told
    }

    fn health(&mut self) -> Vec<(TaskState, Option<bool>)> {
        let all = self.statuses();
        all.iter()
            .map(|status| (status.state(), status.healthy))
            .collect()
    }
}

#[test]
fn health_is_told_when_it_changes_and_each_failure_once() {
    let mut world = World::new();
    world.runs(healthy(|check| check.grace_period_seconds = Some(0.0)));
    assert_eq!(world.health(), [(TaskStarting, None), (TaskRunning, None)]);
    let probe = world.probe().expect("it is looked at");
    assert_eq!((probe.after, probe.timeout), (SECOND * 15, Some(SECOND * 20)));
    world.wanted.push_back(Effect::Probe(Box::new(probe)));
    for _ in 0..2 {
        world.finds(Probed::Connected(true));
    }
    assert_eq!(world.health(), [(TaskRunning, Some(true))]);
    for _ in 0..2 {
        world.finds(Probed::Connected(false));
    }
    world.finds(Probed::Connected(true));
    let told = world.statuses();
    let reason = Some(Reason::TaskHealthCheckStatusUpdated as i32);
    assert!(told.iter().all(|status| status.reason == reason), "{told:?}");
    let health: Vec<bool> = told.iter().map(TaskStatus::healthy).collect();
    assert_eq!(health, [false, false, true]);
}

#[test]
fn who_is_not_well_for_too_long_is_killed_and_told_so() {
    let mut world = World::new();
    let container = world.runs(TaskInfo {
        kill_policy: Some(KillPolicy {
            grace_period: Some(DurationInfo {
                nanoseconds: 1_000_000_000,
            }),
        }),
        ..healthy(|check| check.grace_period_seconds = Some(0.0))
    });
    world.statuses();
    for _ in 0..3 {
        assert!(!world.signalled());
        world.finds(Probed::Nothing("refused".to_owned()));
    }
    assert!(world.has_signalled(7));
    assert!(world.probe().is_none());
    assert!(
        world
            .wanted
            .iter()
            .any(|one| matches!(one, Effect::EndProbes { .. }))
    );
    world.exits_with(&container, Ended::Signalled(15));
    assert_eq!(
        world.health()[2..],
        [(TaskRunning, Some(false)), (TaskKilled, Some(false))]
    );
}

#[test]
fn failures_do_not_count_until_the_grace_period_is_over() {
    let mut world = World::new();
    world.runs(healthy(|check| {
        check.delay_seconds = Some(0.0);
        check.grace_period_seconds = Some(20.0);
        check.consecutive_failures = Some(1);
    }));
    world.statuses();
    for _ in 0..3 {
        world.finds(Probed::Connected(false));
        assert_eq!(world.health(), []);
    }
    world.finds(Probed::Connected(false));
    assert!(world.has_signalled(7));
}

#[test]
fn a_check_tells_what_it_finds_when_it_changes() {
    let mut world = World::new();
    world.runs(checked(|_| ()));
    let empty = Some(check_status_info::Command::default());
    let told = world.statuses();
    let commands: Vec<_> = told
        .iter()
        .map(|status| status.check_status.unwrap().command)
        .collect();
    assert_eq!(commands, [empty, empty]);
    for code in [0, 0, 3] {
        world.finds(Probed::Exited(code));
    }
    world.finds(Probed::Nothing("it timed out".to_owned()));
    let told = world.statuses();
    let codes: Vec<_> = told
        .iter()
        .map(|status| status.check_status.unwrap().command.unwrap().exit_code)
        .collect();
    assert_eq!(codes, [Some(0), Some(3), None]);
    assert!(
        told.iter()
            .all(|status| status.reason() == Reason::TaskCheckStatusUpdated)
    );
}

#[test]
fn what_checks_found_outlives_the_agent() {
    let mut world = World::new();
    let container = world.runs(healthy(|check| {
        check.grace_period_seconds = Some(0.0);
        check.consecutive_failures = Some(2);
    }));
    world.statuses();
    world.finds(Probed::Connected(false));
    world.statuses();
    world.restart();
    world.started(&container, 7);
    let probe = world.probe().expect("it is looked at again, at once");
    assert_eq!(probe.after, Duration::ZERO);
    world.wanted.push_back(Effect::Probe(Box::new(probe)));
    world.finds(Probed::Connected(false));
    assert!(world.has_signalled(7));
}

#[test]
fn a_request_goes_to_the_task_on_this_host() {
    let mut world = World::new();
    world.runs(healthy(|check| {
        check.r#type = Some(health_check::Type::Http as i32);
        check.http = Some(HttpCheckInfo {
            scheme: Some("https".to_owned()),
            port: 8443,
            path: Some("/health".to_owned()),
            ..HttpCheckInfo::default()
        });
    }));
    let asks = world.probe().map(|probe| probe.asks);
    let Some(Asks::Http { url }) = asks else {
        panic!("not a request: {asks:?}");
    };
    assert_eq!(url, "https://127.0.0.1:8443/health");
}

#[test]
fn checks_that_make_no_sense_are_refused() {
    let wrong = [
        (
            healthy(|check| check.r#type = None),
            "health check: HealthCheck must specify 'type'",
        ),
        (
            healthy(|check| check.tcp = None),
            "health check: Expecting 'tcp' to be set for TCP health check",
        ),
        (
            healthy(|check| check.delay_seconds = Some(-1.0)),
            "health check: Expecting 'delay_seconds' to be non-negative",
        ),
        (
            checked(|check| check.command = None),
            "check: Expecting 'command' to be set for COMMAND check",
        ),
        (
            checked(|check| check.interval_seconds = Some(-1.0)),
            "check: Expecting 'interval_seconds' to be non-negative",
        ),
    ];
    for (task, why) in wrong {
        let mut world = World::new();
        world.launch(task);
        assert!(!world.wanted.iter().any(|one| matches!(one, Effect::Launch(_))));
        let told = world.statuses();
        assert_eq!(told[0].state(), TaskError);
        assert_eq!(told[0].message(), format!("Task uses invalid {why}"));
    }
}
