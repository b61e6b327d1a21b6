//! What those hear who watch.

use super::{
    Core, Effect,
    deployment::Deployment,
    instance::{Condition, Instance},
    path::PathId,
    time::Timestamp,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// Mesos said this of a task.
    Status {
        instance: Instance,
        state: &'static str,
        message: String,
    },
    /// An instance is something else now.
    Instance {
        instance: Instance,
        condition: &'static str,
    },
    /// Its checks say something else now.
    Health {
        instance: Instance,
        healthy: bool,
    },
    Deployment(Stage, Box<Deployment>),
    Group {
        id: PathId,
        version: Timestamp,
    },
    /// The last instance of an app that was removed is gone.
    AppTerminated(PathId),
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Begins,
    StepDone,
    Done,
    GivenUp,
}

impl Core {
    pub(super) fn tell(&mut self, told: Told) {
        self.effects.push(Effect::Tell(Box::new(told)));
    }

    pub(super) fn tell_of(&mut self, stage: Stage, deployment: &Deployment) {
        self.tell(Told::Deployment(stage, Box::new(deployment.clone())));
    }
}

/// Conditions by the names of the API.
pub(super) fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Provisioned => "Provisioned",
        Condition::Staging => "Staging",
        Condition::Starting => "Starting",
        Condition::Running => "Running",
        Condition::Killing => "Killing",
        Condition::Unreachable => "Unreachable",
    }
}
