use super::containers;
use crate::{
    core::agent::{Agent, Executor},
    handlers::Cluster,
    server::VERSION,
    wire::{Refusal, accepted, call, message, only_post, refusal},
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use mesos_proto::v1::VersionInfo;
use mesos_proto::v1::agent::{
    Call, Response as Answer,
    call::Type,
    response::{
        self, GetExecutors, GetFrameworks, GetTasks, Type as Kinds, get_containers, get_executors,
        get_frameworks,
    },
};
use std::sync::Arc;

/// How a call is answered.
enum Does {
    /// By a look at the agent.
    Look(fn(&Agent) -> Answer),
    /// By a measurement of what runs.
    Containers,
}

/// One call of the operator API that is answered.
pub(crate) struct Line {
    pub(crate) kind: Type,
    does: Does,
}

const fn look(kind: Type, look: fn(&Agent) -> Answer) -> Line {
    Line {
        kind,
        does: Does::Look(look),
    }
}

/// THE TABLE, in the order of the calls' numbers. What is not in it is refused.
pub(crate) const TABLE: &[Line] = &[
    look(Type::GetHealth, |_| Answer {
        get_health: Some(response::GetHealth { healthy: true }),
        ..of(Kinds::GetHealth)
    }),
    look(Type::GetVersion, |_| Answer {
        get_version: Some(response::GetVersion {
            version_info: VersionInfo {
                version: VERSION.to_owned(),
                ..VersionInfo::default()
            },
        }),
        ..of(Kinds::GetVersion)
    }),
    look(Type::GetState, |agent| Answer {
        get_state: Some(response::GetState {
            get_tasks: Some(tasks(agent)),
            get_executors: Some(executors(agent)),
            get_frameworks: Some(frameworks(agent)),
        }),
        ..of(Kinds::GetState)
    }),
    Line {
        kind: Type::GetContainers,
        does: Does::Containers,
    },
    look(Type::GetFrameworks, |agent| Answer {
        get_frameworks: Some(frameworks(agent)),
        ..of(Kinds::GetFrameworks)
    }),
    look(Type::GetExecutors, |agent| Answer {
        get_executors: Some(executors(agent)),
        ..of(Kinds::GetExecutors)
    }),
    look(Type::GetTasks, |agent| Answer {
        get_tasks: Some(tasks(agent)),
        ..of(Kinds::GetTasks)
    }),
    look(Type::GetAgent, |agent| Answer {
        get_agent: Some(response::GetAgent {
            agent_info: Some(agent.info.clone()),
            ..response::GetAgent::default()
        }),
        ..of(Kinds::GetAgent)
    }),
    look(Type::GetResourceProviders, |_| Answer {
        get_resource_providers: Some(response::GetResourceProviders::default()),
        ..of(Kinds::GetResourceProviders)
    }),
    look(Type::GetOperations, |agent| Answer {
        get_operations: Some(response::GetOperations {
            operations: agent.operations.values().cloned().collect(),
        }),
        ..of(Kinds::GetOperations)
    }),
];

fn of(kind: Kinds) -> Answer {
    Answer {
        r#type: Some(kind as i32),
        ..Answer::default()
    }
}

/// `POST /api/v1` of the agent.
pub(in crate::handlers) async fn handle(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    only_post(&method)?;
    let call: Call = call(&headers, body, cluster.limits.request_bytes_max).await?;
    let kind = call.r#type.and_then(|kind| Type::try_from(kind).ok());
    let Some(kind) = kind.filter(|kind| *kind != Type::Unknown) else {
        let why = "Failed to validate agent::Call: Expecting 'type' to be present";
        return Err(refusal(StatusCode::BAD_REQUEST, why));
    };
    let encoding = accepted(&headers)?;
    let Some(line) = TABLE.iter().find(|line| line.kind == kind) else {
        let why = format!("{} is not supported here", kind.as_str_name());
        return Err(refusal(StatusCode::NOT_IMPLEMENTED, why));
    };
    let seen = match line.does {
        Does::Look(look) => cluster.agent.read(look).await,
        Does::Containers => {
            let nested = call.get_containers.is_some_and(|asked| asked.show_nested());
            let measured = containers::measured(&cluster, nested).await;
            measured.map(|all| running(&all))
        }
    };
    let seen = seen.map_err(|error| refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(message(encoding, &seen))
}

fn running(all: &[containers::Container]) -> Answer {
    let shown = all.iter().map(|one| get_containers::Container {
        framework_id: Some(one.framework.clone()),
        executor_id: Some(one.executor.clone()),
        executor_name: Some(containers::name(one).to_owned()),
        container_id: one.id.clone(),
        container_status: Some(containers::status(one)),
        resource_statistics: Some(containers::told(one)),
    });
    let containers: Vec<_> = shown.collect();
    Answer {
        // The original says nothing of none.
        get_containers: (!containers.is_empty()).then_some(response::GetContainers { containers }),
        ..of(Kinds::GetContainers)
    }
}

fn frameworks(agent: &Agent) -> GetFrameworks {
    let shown = |running: bool| {
        let own = agent.frameworks.iter().filter(move |(id, _)| {
            agent
                .executors
                .values()
                .any(|executor| executor.framework == **id)
                == running
        });
        own.map(|(_, one)| get_frameworks::Framework {
            framework_info: one.info.clone(),
        })
        .collect()
    };
    GetFrameworks {
        frameworks: shown(true),
        completed_frameworks: shown(false),
    }
}

fn executors(agent: &Agent) -> GetExecutors {
    let shown = |one: &Executor| get_executors::Executor {
        executor_info: one.info.clone(),
    };
    GetExecutors {
        executors: agent.executors.values().map(shown).collect(),
        completed_executors: agent.completed.iter().map(shown).collect(),
    }
}

fn tasks(agent: &Agent) -> GetTasks {
    let mut all = GetTasks::default();
    for executor in agent.executors.values().chain(&agent.completed) {
        for task in executor.tasks.values() {
            let shown = task.shown(executor);
            match (task.is_launched(), task.has_ended()) {
                (_, true) => all.terminated_tasks.push(shown),
                (true, false) => all.launched_tasks.push(shown),
                (false, false) => all.queued_tasks.push(shown),
            }
        }
        let finished = executor.finished.iter().map(|task| task.shown(executor));
        all.completed_tasks.extend(finished);
    }
    all
}
