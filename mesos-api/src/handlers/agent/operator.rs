use super::{asked, containers, tells};
use crate::{
    core::agent::{Agent, Executor},
    handlers::{
        Cluster,
        called::{invalid, missing},
        files, logging,
    },
    server::VERSION,
    wire::{Refusal, Streamed, call, empty, message, only_post, refusal, sends_records, streamed},
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
    /// By what it is told of the server, beside the agent.
    Tell(fn(&Cluster, &Agent) -> Answer),
    /// By something that it does.
    Act(Act),
}

/// What is done for a call.
#[derive(Debug, Clone, Copy)]
enum Act {
    SetLevel,
    Files,
    Launch,
    Session,
    Wait,
    Kill,
    Remove,
    AttachInput,
    AttachOutput,
    PruneImages,
    ResourceProviders,
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

const fn act(kind: Type, act: Act) -> Line {
    Line {
        kind,
        does: Does::Act(act),
    }
}

/// THE TABLE, in the order of the calls' numbers. What is not in it is refused.
pub(crate) const TABLE: &[Line] = &[
    look(Type::GetHealth, |_| Answer {
        get_health: Some(response::GetHealth { healthy: true }),
        ..of(Kinds::GetHealth)
    }),
    Line {
        kind: Type::GetFlags,
        does: Does::Tell(tells::flags),
    },
    look(Type::GetVersion, |_| Answer {
        get_version: Some(response::GetVersion {
            version_info: VersionInfo {
                version: VERSION.to_owned(),
                ..VersionInfo::default()
            },
        }),
        ..of(Kinds::GetVersion)
    }),
    Line {
        kind: Type::GetMetrics,
        does: Does::Tell(tells::metrics),
    },
    Line {
        kind: Type::GetLoggingLevel,
        does: Does::Tell(tells::logging_level),
    },
    act(Type::SetLoggingLevel, Act::SetLevel),
    act(Type::ListFiles, Act::Files),
    act(Type::ReadFile, Act::Files),
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
    act(Type::LaunchNestedContainer, Act::Launch),
    act(Type::WaitNestedContainer, Act::Wait),
    act(Type::KillNestedContainer, Act::Kill),
    act(Type::LaunchNestedContainerSession, Act::Session),
    act(Type::AttachContainerInput, Act::AttachInput),
    act(Type::AttachContainerOutput, Act::AttachOutput),
    look(Type::GetAgent, |agent| Answer {
        get_agent: Some(response::GetAgent {
            agent_info: Some(agent.info.clone()),
            ..response::GetAgent::default()
        }),
        ..of(Kinds::GetAgent)
    }),
    act(Type::RemoveNestedContainer, Act::Remove),
    act(Type::LaunchContainer, Act::Launch),
    act(Type::WaitContainer, Act::Wait),
    act(Type::KillContainer, Act::Kill),
    act(Type::RemoveContainer, Act::Remove),
    look(Type::GetResourceProviders, |_| Answer {
        get_resource_providers: Some(response::GetResourceProviders::default()),
        ..of(Kinds::GetResourceProviders)
    }),
    act(Type::AddResourceProviderConfig, Act::ResourceProviders),
    act(Type::UpdateResourceProviderConfig, Act::ResourceProviders),
    act(Type::RemoveResourceProviderConfig, Act::ResourceProviders),
    act(Type::PruneImages, Act::PruneImages),
    look(Type::GetOperations, |agent| Answer {
        get_operations: Some(response::GetOperations {
            operations: agent.operations.values().cloned().collect(),
        }),
        ..of(Kinds::GetOperations)
    }),
    act(Type::MarkResourceProviderGone, Act::ResourceProviders),
];

pub(super) fn of(kind: Kinds) -> Answer {
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
    if sends_records(&headers) {
        return asked::input(&cluster, &headers, body).await;
    }
    let call: Call = call(&headers, body, cluster.limits.request_bytes_max).await?;
    let kind = call.r#type.and_then(|kind| Type::try_from(kind).ok());
    let Some(kind) = kind.filter(|kind| *kind != Type::Unknown) else {
        return Err(invalid("agent", missing("type")));
    };
    let Some(line) = TABLE.iter().find(|line| line.kind == kind) else {
        let why = format!("{} is not supported here", kind.as_str_name());
        return Err(refusal(StatusCode::NOT_IMPLEMENTED, why));
    };
    let streamed = streamed(&headers)?;
    let lasts = matches!(line.does, Does::Act(Act::Session | Act::AttachOutput));
    if streamed.records && !lasts {
        let why = format!(
            "Streaming response is not supported for {} call",
            kind.as_str_name()
        );
        return Err(refusal(StatusCode::NOT_ACCEPTABLE, why));
    }
    let encoding = streamed.encoding;
    let seen = match line.does {
        Does::Act(act) => return do_for(act, &cluster, call, kind, streamed).await,
        Does::Tell(tell) => {
            let around = cluster.clone();
            cluster.agent.read(move |agent| tell(&around, agent)).await
        }
        Does::Look(look) => cluster.agent.read(look).await,
        Does::Containers => {
            let asked = call.get_containers.unwrap_or_default();
            let measured = containers::measured(&cluster, asked.show_nested(), asked.show_standalone()).await;
            measured.map(|all| running(&all))
        }
    };
    let seen = seen.map_err(|error| refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(message(encoding, &seen))
}

async fn do_for(
    act: Act,
    cluster: &Arc<Cluster>,
    call: Call,
    kind: Type,
    streamed: Streamed,
) -> Result<Response, Refusal> {
    match act {
        Act::SetLevel => {
            let wanted = call.set_logging_level;
            let wanted = wanted.ok_or_else(|| invalid("agent", missing("set_logging_level")))?;
            logging::set(cluster, wanted.level, wanted.duration.nanoseconds)
        }
        Act::Files => files::for_operator(cluster, call, streamed.encoding).await,
        Act::Launch => asked::launch(cluster, call).await,
        Act::Session => asked::session(cluster, call, streamed).await,
        Act::Wait => asked::wait(cluster, call, kind, streamed.encoding).await,
        Act::Kill => asked::kill(cluster, call).await,
        Act::Remove => asked::remove(cluster, call).await,
        Act::AttachOutput => asked::output(cluster, call, streamed).await,
        Act::AttachInput => {
            let why = "Expecting 'Content-Type' to be application/recordio for ATTACH_CONTAINER_INPUT call";
            Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why))
        }
        // There are none to be removed.
        Act::PruneImages => Ok(empty(StatusCode::OK)),
        Act::ResourceProviders => Err(tells::no_resource_providers(call)),
    }
}

fn running(all: &[containers::Container]) -> Answer {
    let shown = all.iter().map(|one| get_containers::Container {
        framework_id: one.framework.clone(),
        executor_id: one.executor.clone(),
        executor_name: containers::name(one),
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
