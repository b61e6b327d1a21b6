use super::*;
use TaskState::*;

#[test]
fn an_executor_gets_its_tasks_when_it_subscribes() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.launch(task_of("b"));
    world.step(Input::Started { container, pid: 7 });
    assert_eq!(
        world.call(None, |call| call.r#type = Some(call::Type::Heartbeat as i32)),
        Err(Refused::NotSubscribed)
    );
    world.subscribe("s", Vec::new());
    use event::Type;
    assert_eq!(world.events(), [Type::Subscribed, Type::Launch, Type::Launch]);
    world.update("a", TaskRunning, 1);
    world.update("a", TaskRunning, 1);
    world.update("a", TaskFinished, 2);
    assert_eq!(world.events(), [Type::Acknowledged; 3]);
    assert_eq!(world.states(), [TaskRunning, TaskFinished]);
    world.launch(task_of("c"));
    assert_eq!(world.events(), [Type::Launch]);
}

#[test]
fn what_an_executor_ran_ends_with_it() {
    let mut world = World::new();
    let container = world.runs(task_of("a"));
    world.subscribe("s", Vec::new());
    world.update("a", TaskRunning, 1);
    let ended = Ended::Exited(3);
    world.step(Input::Exited { container, ended });
    assert_eq!(world.exits(), [3 << 8]);
    let told = world.told();
    assert_eq!(
        told[1],
        ("a".to_owned(), TaskFailed, Some(Reason::ExecutorTerminated))
    );
    assert!(world.agent.executors.is_empty());
}

#[test]
fn an_executor_that_never_subscribes_is_ended() {
    let mut world = World::new();
    let container = world.runs(task_of("a"));
    world.pass(Duration::from_secs(61));
    let killed = world.wanted.iter().any(|one| {
        matches!(
            one,
            Effect::Signal {
                pid: 7,
                signal: Signal::Kill
            }
        )
    });
    assert!(killed);
    let ended = Ended::Signalled(9);
    world.step(Input::Exited { container, ended });
    let reason = Some(Reason::ExecutorRegistrationTimeout);
    assert_eq!(world.told(), [("a".to_owned(), TaskFailed, reason)]);
}

#[test]
fn an_executor_that_was_told_to_end_has_its_grace_period() {
    let mut world = World::new();
    world.runs(task_of("a"));
    world.subscribe("s", Vec::new());
    world.events();
    world.step(Input::Master(ToAgent::ShutdownExecutor {
        framework: "F".to_owned(),
        executor: "E".to_owned(),
    }));
    assert_eq!(world.events(), [event::Type::Shutdown]);
    world.pass(Duration::from_secs(4));
    assert!(!world.signalled());
    world.pass(Duration::from_secs(1));
    assert!(world.has_signalled(7));
}

#[test]
fn a_task_that_its_executor_has_not_heard_of_is_killed_by_the_agent() {
    let mut world = World::new();
    world.launch(task_of("a"));
    world.launched();
    world.step(Input::Master(ToAgent::Kill {
        framework: "F".to_owned(),
        task: "a".to_owned(),
        policy: None,
    }));
    let reason = Some(Reason::TaskKilledDuringLaunch);
    assert_eq!(world.told(), [("a".to_owned(), TaskKilled, reason)]);
}

#[test]
fn an_executor_comes_back_to_an_agent_that_was_started_again() {
    let mut world = World::new();
    let container = world.runs(task_of("a"));
    world.subscribe("s", Vec::new());
    world.update("a", TaskRunning, 1);
    world.launch(task_of("b"));
    world.restart();
    world.step(Input::Started { container, pid: 7 });
    // It never got `b`.
    world.subscribe("t", vec![task_of("a")]);
    assert_eq!(world.events(), [event::Type::Subscribed]);
    world.pass(Duration::ZERO);
    let told = world.told();
    assert!(told.contains(&("a".to_owned(), TaskRunning, None)), "{told:?}");
    assert!(
        told.contains(&("b".to_owned(), TaskLost, Some(Reason::AgentRestarted))),
        "{told:?}"
    );
}

#[test]
fn a_group_that_loses_one_of_its_own_ends() {
    let mut world = World::new();
    let containers = group(&mut world, &["a", "b"]);
    assert!(containers[0].contains('.') && containers[0] != containers[1]);
    world.step(Input::Exited {
        container: containers[0].clone(),
        ended: Ended::Exited(1),
    });
    assert!(world.has_signalled(11));
    assert!(world.exits().is_empty());
    world.step(Input::Exited {
        container: containers[1].clone(),
        ended: Ended::Signalled(15),
    });
    assert_eq!(world.exits(), [0]);
    assert_eq!(world.states(), [TaskFailed, TaskKilled]);
    assert!(world.agent.executors.is_empty());
}

#[test]
fn a_group_goes_on_when_one_of_its_own_is_done() {
    let mut world = World::new();
    let containers = group(&mut world, &["a", "b"]);
    let ended = Ended::Exited(0);
    for container in containers {
        assert!(world.exits().is_empty());
        world.step(Input::Exited { container, ended });
    }
    assert_eq!(world.exits(), [0]);
    assert_eq!(world.states(), [TaskFinished, TaskFinished]);
}

#[test]
fn a_task_that_takes_too_long_fails() {
    let mut world = World::new();
    world.launch(TaskInfo {
        max_completion_time: Some(DurationInfo {
            nanoseconds: 2_000_000_000,
        }),
        ..task("a")
    });
    let container = world.launched().container;
    world.started(&container, 7);
    world.pass(Duration::from_secs(1));
    assert!(!world.signalled());
    world.pass(Duration::from_secs(1));
    assert!(world.has_signalled(7));
    let ended = Ended::Signalled(9);
    world.step(Input::Exited { container, ended });
    let told = world.told();
    assert_eq!(
        told.last(),
        Some(&("a".to_owned(), TaskFailed, Some(Reason::MaxCompletionTimeReached)))
    );
    assert!(is_terminal(told[2].1));
}

#[test]
fn an_executor_that_subscribed_before_it_is_known_to_run_stays() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.subscribe("s", Vec::new());
    world.step(Input::Started { container, pid: 7 });
    world.pass(Duration::from_secs(61));
    assert!(!world.signalled());
}

#[test]
fn what_is_lost_is_signalled_no_more() {
    let mut world = World::new();
    let container = world.runs(task_of("a"));
    world.step(Input::Lost { container });
    assert_eq!(world.agent.processes().count(), 0);
    let framework = "F".to_owned();
    world.step(Input::Master(ToAgent::Shutdown { framework }));
    assert!(!world.signalled());
}

#[test]
fn a_command_is_ended_by_the_name_of_its_executor_and_is_nobody_elses() {
    let mut world = World::new();
    world.runs(task("E"));
    world.launch(task_of("a"));
    // It has an executor of its own.
    world.launched();
    world.agent.executors.shift_remove_index(1);
    world.step(Input::Master(ToAgent::ShutdownExecutor {
        framework: "F".to_owned(),
        executor: "E".to_owned(),
    }));
    assert!(world.signalled());
}

#[test]
fn of_each_state_one_status_is_kept_and_an_end_is_never_left_out() {
    let mut world = World::new();
    world.launch(task_of("a"));
    let container = world.launched().container;
    world.subscribe("s", Vec::new());
    for at in 0..1010_usize {
        let state = [TaskRunning, TaskStarting][at % 2];
        world.update_of("a", state, at.to_be_bytes().to_vec());
    }
    world.update("a", TaskFinished, 1);
    let task = &world.agent.executors[&container].tasks["a"];
    assert_eq!(task.state(), TaskFinished);
    assert_eq!(task.statuses.len(), 3);
    assert_eq!(task.unacknowledged.len(), 1001);
}

#[test]
fn images_are_refused() {
    let mut world = World::new();
    world.launch(TaskInfo {
        container: Some(ContainerInfo {
            docker: Some(mesos_proto::v1::container_info::DockerInfo::default()),
            ..ContainerInfo::default()
        }),
        ..task("a")
    });
    assert!(!world.wanted.iter().any(|one| matches!(one, Effect::Launch(_))));
    assert_eq!(
        world.told(),
        [("a".to_owned(), TaskFailed, Some(Reason::ContainerLaunchFailed))]
    );
}

#[test]
fn a_task_whose_executor_has_ended_meanwhile_is_not_given_another() {
    let mut world = World::new();
    world.step(Input::Master(ToAgent::Run {
        framework: Box::new(framework()),
        task: Box::new(task_of("a")),
        launch_executor: false,
    }));
    assert!(!world.wanted.iter().any(|one| matches!(one, Effect::Launch(_))));
    let reason = Some(Reason::ExecutorTerminated);
    assert_eq!(world.told(), [("a".to_owned(), TaskLost, reason)]);
    assert!(world.agent.executors.is_empty());
    world.step(Input::Master(ToAgent::RunGroup {
        framework: Box::new(framework()),
        executor: Box::new(executor(executor_info::Type::Default)),
        tasks: vec![task("b"), task("c")],
        launch_executor: false,
    }));
    assert!(!world.wanted.iter().any(|one| matches!(one, Effect::Launch(_))));
    assert_eq!(
        world.told(),
        ["b", "c"].map(|id| (id.to_owned(), TaskLost, reason))
    );
    assert!(world.agent.executors.is_empty());
}

#[test]
fn a_refused_agent_begins_anew_when_nothing_of_it_runs_any_more() {
    let mut world = World::new();
    let container = world.runs(task("a"));
    let why = "gone".to_owned();
    world.step(Input::Master(ToAgent::Refused { why }));
    let registers = |world: &World| {
        let mut all = world.wanted.iter();
        all.any(|one| matches!(one, Effect::Master(ToMaster::Register(_))))
    };
    world.step(Input::Connected);
    assert!(!registers(&world));
    world.exits_with(&container, Ended::Signalled(15));
    world.pass(Duration::from_secs(5));
    assert!(registers(&world));
}

#[test]
fn what_has_not_begun_is_cancelled() {
    let mut world = World::new();
    world.launch(task("a"));
    let container = world.launched().container;
    world.step(Input::Master(ToAgent::Kill {
        framework: "F".to_owned(),
        task: "a".to_owned(),
        policy: None,
    }));
    assert!(
        world
            .wanted
            .iter()
            .any(|one| matches!(one, Effect::Cancel { .. }))
    );
    let why = "Container destroyed during launch".to_owned();
    world.step(Input::Failed { container, why });
    let reason = Some(Reason::TaskKilledDuringLaunch);
    assert_eq!(world.told().last(), Some(&("a".to_owned(), TaskKilled, reason)));
}

#[test]
fn what_only_an_earlier_agent_saw_is_not_signalled() {
    let mut world = World::new();
    let container = world.runs(task("a"));
    world.restart();
    let framework = "F".to_owned();
    world.step(Input::Master(ToAgent::Shutdown { framework }));
    assert!(!world.signalled());
    world.started(&container, 7);
    assert!(world.has_signalled(7));
}

#[test]
fn a_task_that_is_known_never_begins_again() {
    let mut world = World::new();
    world.runs(task("a"));
    let in_group = group(&mut world, &["b"]);
    assert_eq!(in_group.len(), 1);
    let launches = |world: &World| {
        let all = world.wanted.iter();
        all.filter(|one| matches!(one, Effect::Launch(_))).count()
    };
    world.launch(task("a"));
    world.step(Input::Master(ToAgent::RunGroup {
        framework: Box::new(framework()),
        executor: Box::new(executor(executor_info::Type::Default)),
        tasks: vec![task("b"), task("c")],
        launch_executor: false,
    }));
    // What is new in a group runs.
    assert_eq!(launches(&world), 1);
    assert_eq!(world.agent.executors.len(), 2);
}
