//! Calls for containers below others, and for containers by themselves.

use crate::{
    core::agent::{Asked, End, Unable},
    handlers::{
        Cluster,
        called::{self, missing},
    },
    shell::{ContainerError, Output},
    wire::{Encoding, Records, Refusal, Streamed, empty, message, process_io, refusal},
};
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use mesos_proto::v1::{
    CommandInfo, ContainerId, ContainerInfo,
    agent::{
        Call, ProcessIo, Response as Answer,
        call::{Type, attach_container_input},
        process_io::{self as io, data},
        response::{self, Type as Kinds},
    },
};
use std::fmt::Display;

/// Characters of one part of an id: the original's.
const ID_CHARS_MAX: usize = 255;
/// Characters of an id with all that is above it, which names files.
const PATH_CHARS_MAX: usize = 200;
/// What a container is killed with where nothing else is said.
const SIGKILL: i32 = 9;

/// The only place that gives refusals of these calls their status.
fn refused(error: ContainerError) -> Refusal {
    let status = match &error {
        ContainerError::Unable(Unable::NotRunning(_)) | ContainerError::Unknown(_) => StatusCode::NOT_FOUND,
        ContainerError::Unable(Unable::Running | Unable::UnknownRoot) => StatusCode::INTERNAL_SERVER_ERROR,
        ContainerError::Unable(_) | ContainerError::Failed(_) => StatusCode::BAD_REQUEST,
        ContainerError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    };
    refusal(status, error.to_string())
}

fn invalid(why: impl Display) -> Refusal {
    called::invalid("agent", why)
}

/// An id as a path, if every part of it can be one.
fn path(id: Option<&ContainerId>, field: &str, nested: bool) -> Result<String, Refusal> {
    let id = id.ok_or_else(|| invalid(missing(field)))?;
    let mut parts = Vec::new();
    let mut part = Some(id);
    while let Some(id) = part {
        if let Some(why) = wrong(&id.value) {
            let parent = "'ContainerID.parent' is invalid: ".repeat(parts.len());
            return Err(invalid(format!(
                "'{field}.container_id' is invalid: {parent}{why}"
            )));
        }
        parts.push(id.value.as_str());
        part = id.parent.as_deref();
    }
    if nested && parts.len() == 1 {
        return Err(invalid(missing(&format!("{field}.container_id.parent"))));
    }
    parts.reverse();
    let path = parts.join(".");
    match path.len() <= PATH_CHARS_MAX {
        true => Ok(path),
        false => Err(invalid(format!(
            "'{field}.container_id' is longer than {PATH_CHARS_MAX} characters"
        ))),
    }
}

fn wrong(id: &str) -> Option<String> {
    let bad = |one: char| one.is_control() || matches!(one, '/' | '\\' | '.' | ' ');
    match id {
        "" => Some("ID must not be empty".to_owned()),
        "." | ".." => Some(format!("'{id}' is disallowed")),
        _ if id.chars().count() > ID_CHARS_MAX => {
            Some(format!("ID must not be greater than {ID_CHARS_MAX} characters"))
        }
        _ if id.chars().any(bad) => Some(format!("'ContainerID.value' '{id}' contains invalid characters")),
        _ => None,
    }
}

fn asked(container: String, command: Option<CommandInfo>, info: Option<ContainerInfo>) -> Asked {
    Asked {
        container,
        command: command.unwrap_or_default(),
        info,
        ..Asked::default()
    }
}

/// `LAUNCH_CONTAINER` and `LAUNCH_NESTED_CONTAINER`: 200 for a new one, 202 for one that is there.
pub(super) async fn launch(cluster: &Cluster, call: Call) -> Result<Response, Refusal> {
    let wanted = match (call.launch_container, call.launch_nested_container) {
        (Some(one), _) => Asked {
            resources: one.resources,
            ..asked(
                path(Some(&one.container_id), "launch_container", false)?,
                one.command,
                one.container,
            )
        },
        (_, one) => {
            let id = one.as_ref().map(|one| &one.container_id);
            let container = path(id, "launch_nested_container", true)?;
            let one = one.unwrap_or_default();
            asked(container, one.command, one.container)
        }
    };
    let new = cluster.agent.launch_container(wanted).await.map_err(refused)?;
    Ok(empty(match new {
        Some(_) => StatusCode::OK,
        None => StatusCode::ACCEPTED,
    }))
}

/// `WAIT_CONTAINER` and `WAIT_NESTED_CONTAINER`.
pub(super) async fn wait(
    cluster: &Cluster,
    call: Call,
    kind: Type,
    encoding: Encoding,
) -> Result<Response, Refusal> {
    let nested = kind == Type::WaitNestedContainer;
    let container = match nested {
        true => path(
            call.wait_nested_container.as_ref().map(|one| &one.container_id),
            "wait_nested_container",
            true,
        )?,
        false => path(
            call.wait_container.as_ref().map(|one| &one.container_id),
            "wait_container",
            false,
        )?,
    };
    let End {
        status: exit_status,
        state,
        reason,
        message: why,
    } = cluster
        .agent
        .wait_for_container(container)
        .await
        .map_err(refused)?;
    let answer = match nested {
        true => Answer {
            r#type: Some(Kinds::WaitNestedContainer as i32),
            wait_nested_container: Some(response::WaitNestedContainer {
                exit_status,
                state,
                reason,
                message: why,
                limitation: None,
            }),
            ..Answer::default()
        },
        false => Answer {
            r#type: Some(Kinds::WaitContainer as i32),
            wait_container: Some(response::WaitContainer {
                exit_status,
                state,
                reason,
                message: why,
                limitation: None,
            }),
            ..Answer::default()
        },
    };
    Ok(message(encoding, &answer))
}

/// `KILL_CONTAINER` and `KILL_NESTED_CONTAINER`.
pub(super) async fn kill(cluster: &Cluster, call: Call) -> Result<Response, Refusal> {
    let (container, signal) = match (call.kill_container, call.kill_nested_container) {
        (Some(one), _) => (
            path(Some(&one.container_id), "kill_container", false)?,
            one.signal,
        ),
        (_, one) => {
            let id = one.as_ref().map(|one| &one.container_id);
            let container = path(id, "kill_nested_container", true)?;
            (container, one.and_then(|one| one.signal))
        }
    };
    let killed = cluster
        .agent
        .signal_container(container, signal.unwrap_or(SIGKILL))
        .await;
    killed.map(|()| empty(StatusCode::OK)).map_err(refused)
}

/// `REMOVE_CONTAINER` and `REMOVE_NESTED_CONTAINER`.
pub(super) async fn remove(cluster: &Cluster, call: Call) -> Result<Response, Refusal> {
    let container = match (call.remove_container, call.remove_nested_container) {
        (Some(one), _) => path(Some(&one.container_id), "remove_container", false)?,
        (_, one) => path(
            one.as_ref().map(|one| &one.container_id),
            "remove_nested_container",
            true,
        )?,
    };
    let removed = cluster.agent.remove_container(container).await;
    removed.map(|()| empty(StatusCode::OK)).map_err(refused)
}

/// `LAUNCH_NESTED_CONTAINER_SESSION`: the container lasts as long as the answer, which is what it writes.
pub(super) async fn session(cluster: &Cluster, call: Call, streamed: Streamed) -> Result<Response, Refusal> {
    let one = call.launch_nested_container_session;
    let id = one.as_ref().map(|one| &one.container_id);
    let container = path(id, "launch_nested_container_session", true)?;
    let one = one.unwrap_or_default();
    let wanted = Asked {
        session: true,
        ..asked(container.clone(), one.command, one.container)
    };
    if wanted.info.as_ref().is_some_and(|info| info.tty_info.is_some()) {
        return Err(refused(Unable::Unsupported.into()));
    }
    let new = cluster.agent.launch_container(wanted).await.map_err(refused)?;
    let Some(begun) = new else {
        return Ok(empty(StatusCode::ACCEPTED));
    };
    let unknown = || refused(ContainerError::Unknown(container));
    let session = begun.session.ok_or_else(unknown)?;
    Ok(process_io(session.attach(), shown, session, streamed))
}

/// `ATTACH_CONTAINER_OUTPUT`
pub(super) async fn output(cluster: &Cluster, call: Call, streamed: Streamed) -> Result<Response, Refusal> {
    let id = call.attach_container_output.as_ref().map(|one| &one.container_id);
    let container = path(id, "attach_container_output", false)?;
    let session = cluster.agent.session(container).await.map_err(refused)?;
    let session = session.ok_or_else(no_switchboard)?;
    Ok(process_io(session.attach(), shown, (), streamed))
}

fn no_switchboard() -> Refusal {
    let why = "I/O switchboard server was disabled for this container";
    refusal(StatusCode::INTERNAL_SERVER_ERROR, why)
}

fn shown(output: Output) -> ProcessIo {
    let (kind, data) = match output {
        Output::Stdout(data) => (data::Type::Stdout, data),
        Output::Stderr(data) => (data::Type::Stderr, data),
    };
    ProcessIo {
        r#type: Some(io::Type::Data as i32),
        data: Some(io::Data {
            r#type: Some(kind as i32),
            data: Some(data),
        }),
        control: None,
    }
}

/// `ATTACH_CONTAINER_INPUT`: a stream of calls, of which the first names the container.
pub(super) async fn input(cluster: &Cluster, headers: &HeaderMap, body: Body) -> Result<Response, Refusal> {
    let mut calls: Records<Call> = Records::of(headers, body, cluster.limits.request_bytes_max)?;
    let eof = || refusal(StatusCode::BAD_REQUEST, "Received EOF while reading request body");
    let first = calls.next().await?.ok_or_else(eof)?;
    let kind = first
        .r#type
        .and_then(|kind| Type::try_from(kind).ok())
        .unwrap_or(Type::Unknown);
    if kind != Type::AttachContainerInput {
        let why = format!(
            "Streaming 'Content-Type' application/recordio is not supported for {} call",
            kind.as_str_name()
        );
        return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let one = first.attach_container_input;
    let one = one.ok_or_else(|| invalid(missing("attach_container_input")))?;
    if one.r#type() != attach_container_input::Type::ContainerId {
        let why = "Expecting 'attach_container_input.type' to be CONTAINER_ID";
        return Err(refusal(StatusCode::BAD_REQUEST, why));
    }
    let container = path(one.container_id.as_ref(), "attach_container_input", false)?;
    let session = cluster.agent.session(container).await.map_err(refused)?;
    let session = session.ok_or_else(no_switchboard)?;
    let taken = || refusal(StatusCode::CONFLICT, "Multiple input connections are not allowed");
    let mut input = session.input().ok_or_else(taken)?;
    while let Some(call) = calls.next().await? {
        let said = call.attach_container_input.and_then(|one| one.process_io);
        let said = said.ok_or_else(|| {
            let why = missing("attach_container_input.process_io");
            refusal(StatusCode::BAD_REQUEST, why)
        })?;
        let data = said.data.filter(|one| one.r#type() == data::Type::Stdin);
        // Heartbeats, and sizes of windows that are not there.
        let Some(data) = data else {
            continue;
        };
        match data.data() {
            [] => input.end(),
            bytes => {
                // A process that reads no more has ended, or is about to.
                if input.write(bytes).await.is_err() {
                    break;
                }
            }
        }
    }
    Ok(empty(StatusCode::OK))
}
