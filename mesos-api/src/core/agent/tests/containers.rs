use super::*;
use TaskState::*;

fn asked(container: &str) -> Asked {
    Asked {
        container: container.to_owned(),
        ..Asked::default()
    }
}

impl World {
    fn ask(&mut self, asked: Asked) -> Result<bool, Unable> {
        let new = self.agent.ask(asked);
        let effects = self.agent.wanted();
        self.take(effects);
        new
    }

    fn ends(&self) -> Vec<(&str, Option<i32>)> {
        let over = self.wanted.iter().filter_map(|effect| match effect {
            Effect::Over { container, end } => Some((container.as_str(), end.status)),
            _ => None,
        });
        over.collect()
    }
}

#[test]
fn what_is_below_a_task_ends_with_it() {
    let mut world = World::new();
    let parent = world.runs(task("a"));
    let (inner, deeper) = (format!("{parent}.inner"), format!("{parent}.inner.deeper"));
    assert_eq!(world.ask(asked(&deeper)), Err(Unable::NoParent(inner.clone())));
    for (container, pid) in [(&inner, 8), (&deeper, 9)] {
        assert_eq!(world.ask(asked(container)), Ok(true));
        assert!(world.launched().sandbox.contains("/containers/inner"));
        world.started(container, pid);
    }
    assert_eq!(world.ask(asked(&inner)), Ok(false));
    world.exits_with(&parent, Ended::Exited(0));
    assert!(world.has_signalled(8) && world.has_signalled(9));
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskFinished]);
    for container in [&deeper, &inner] {
        world.exits_with(container, Ended::Signalled(9));
    }
    assert_eq!(
        world.ends()[1..],
        [(deeper.as_str(), Some(9)), (inner.as_str(), Some(9))]
    );
    // Its executor is history, and so are they.
    assert!(world.agent.asked.is_empty());
}

#[test]
fn who_looks_into_a_task_is_where_the_task_is() {
    let mut world = World::new();
    let parent = world.runs(task("a"));
    let sandbox = world.agent.executors[&parent].sandbox("S0");
    let session = Asked {
        session: true,
        ..asked(&format!("{parent}.s"))
    };
    assert_eq!(world.ask(session), Ok(true));
    let run = world.launched();
    assert!(run.session);
    assert_eq!(run.sandbox, sandbox);
    assert!(
        run.environment
            .iter()
            .any(|(name, _)| name == "MESOS_EXECUTOR_ID")
    );
    assert!(world.agent.kept_asked(&format!("{parent}.s")).is_none());
}

#[test]
fn a_container_by_itself_is_there_until_it_is_removed() {
    let mut world = World::new();
    assert_eq!(world.ask(asked("x")), Ok(true));
    assert_eq!(world.launched().sandbox, "containers/x");
    world.started("x", 8);
    assert_eq!(world.agent.remove_container("x"), Err(Unable::Running));
    assert_eq!(world.agent.signal_container("x", 15), Ok(()));
    world.exits_with("x", Ended::Signalled(15));
    let end = End::of(Ended::Signalled(15));
    assert_eq!(world.agent.stands("x"), Standing::Ended(end));
    assert_eq!(
        world.agent.signal_container("x", 9),
        Err(Unable::NotRunning("x".to_owned()))
    );
    assert_eq!(world.agent.remove_container("x"), Ok(()));
    assert_eq!(world.agent.stands("x"), Standing::Unknown);
    assert_eq!(world.agent.remove_container("x"), Err(Unable::UnknownRoot));
}

#[test]
fn a_task_has_its_container_alone() {
    let mut world = World::new();
    let containers = group(&mut world, &["a", "b"]);
    assert_eq!(world.ask(asked(&containers[0])), Ok(false));
    world.exits_with(&containers[0], Ended::Exited(0));
    assert_eq!(world.states(), [TaskFinished]);
}

#[test]
fn what_is_fetched_below_a_container_is_not_wanted_after_its_end() {
    let mut world = World::new();
    for container in ["x", "x.fetched"] {
        assert_eq!(world.ask(asked(container)), Ok(true));
    }
    world.started("x", 8);
    world.exits_with("x", Ended::Exited(0));
    let cancelled = |one: &Effect| matches!(one, Effect::Cancel { container } if container == "x.fetched");
    assert!(world.wanted.iter().any(cancelled));
}

#[test]
fn what_was_below_a_removed_container_is_forgotten() {
    let mut world = World::new();
    let all = ["x", "x.y", "x.y.over", "x.y.ends"];
    for (container, pid) in all.into_iter().zip(8..) {
        assert_eq!(world.ask(asked(container)), Ok(true));
        world.started(container, pid);
    }
    for container in ["x.y.over", "x.y"] {
        world.exits_with(container, Ended::Exited(0));
    }
    assert_eq!(world.agent.remove_container("x.y"), Ok(()));
    // One is on its way to its end, which is all that is left to wait for.
    assert_eq!(world.agent.asked.keys().collect::<Vec<_>>(), ["x", "x.y.ends"]);
    world.exits_with("x.y.ends", Ended::Signalled(9));
    assert_eq!(world.agent.asked.keys().collect::<Vec<_>>(), ["x"]);
}
