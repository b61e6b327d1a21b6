use super::look;
use crate::{
    core::master::Command,
    handlers::{Cluster, operator},
    wire::{Refusal, empty, query_value as form_value, refusal},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use mesos_proto::v1::{
    MachineId, Resource, WeightInfo,
    maintenance::Schedule,
    offer::{Operation, operation, operation::Type},
    quota::{QuotaConfig, QuotaRequest},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use std::sync::Arc;

fn bad(why: impl Into<String>) -> Refusal {
    refusal(StatusCode::BAD_REQUEST, why)
}

fn not_allowed(allowed: &str, method: &Method) -> Response {
    let why = format!("405 Method Not Allowed. Expecting one of {{ {allowed} }}, but received '{method}'.");
    refusal(StatusCode::METHOD_NOT_ALLOWED, why).into_response()
}

async fn text(cluster: &Cluster, body: Body) -> Result<String, Refusal> {
    let bytes = to_bytes(body, cluster.limits.request_bytes_max).await;
    let bytes = bytes.map_err(|_| refusal(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn read<T: DeserializeOwned>(cluster: &Cluster, body: Body) -> Result<T, Refusal> {
    let text = text(cluster, body).await?;
    parse(&text)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| bad(format!("Failed to parse request JSON: {error}")))
}

async fn run(cluster: &Cluster, command: Command, done: StatusCode) -> Response {
    match cluster.master.operate(command).await {
        Ok(()) => empty(done),
        Err(error) => operator::refused(error).into_response(),
    }
}

fn answer(done: Result<Response, Refusal>) -> Response {
    done.unwrap_or_else(IntoResponse::into_response)
}

/// `/weights`
pub(in crate::handlers) async fn weights(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    match method {
        Method::GET => {
            look(&cluster, |master, _| {
                let all = master.weights.iter();
                json!(
                    all.map(|(role, weight)| json!({ "role": role, "weight": weight }))
                        .collect::<Vec<_>>()
                )
            })
            .await
        }
        Method::PUT => answer(
            async {
                let infos: Vec<WeightInfo> = read(&cluster, body).await?;
                Ok(run(&cluster, Command::Weights(infos), StatusCode::OK).await)
            }
            .await,
        ),
        other => not_allowed("'GET', 'PUT'", &other),
    }
}

/// `/quota`
pub(in crate::handlers) async fn quota(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    match method {
        Method::GET => look(&cluster, |master, _| json!(operator::quota_status(master))).await,
        Method::POST => answer(
            async {
                let request: QuotaRequest = read(&cluster, body).await?;
                let command = Command::SetQuota {
                    force: request.force(),
                    role: request.role.unwrap_or_default(),
                    guarantee: request.guarantee,
                };
                Ok(run(&cluster, command, StatusCode::OK).await)
            }
            .await,
        ),
        Method::PUT => answer(
            async {
                let configs: Vec<QuotaConfig> = read(&cluster, body).await?;
                Ok(run(
                    &cluster,
                    Command::Quotas {
                        configs,
                        force: false,
                    },
                    StatusCode::OK,
                )
                .await)
            }
            .await,
        ),
        other => not_allowed("'GET', 'POST', 'PUT', 'DELETE'", &other),
    }
}

/// `DELETE /quota/ROLE`
pub(in crate::handlers) async fn remove_quota(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    Path(role): Path<String>,
) -> Response {
    match method {
        Method::DELETE => run(&cluster, Command::RemoveQuota { role }, StatusCode::OK).await,
        other => not_allowed("'DELETE'", &other),
    }
}

/// `/maintenance/schedule`
pub(in crate::handlers) async fn maintenance_schedule(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    match method {
        Method::GET => look(&cluster, |master, _| json!(master.schedule)).await,
        Method::POST => answer(
            async {
                let schedule: Schedule = read(&cluster, body).await?;
                Ok(run(&cluster, Command::Schedule(schedule), StatusCode::OK).await)
            }
            .await,
        ),
        other => not_allowed("'GET', 'POST'", &other),
    }
}

/// `POST /machine/down`
pub(in crate::handlers) async fn machine_down(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    machines(&cluster, &method, body, Command::Down).await
}

/// `POST /machine/up`
pub(in crate::handlers) async fn machine_up(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    machines(&cluster, &method, body, Command::Up).await
}

async fn machines(
    cluster: &Cluster,
    method: &Method,
    body: Body,
    command: fn(Vec<MachineId>) -> Command,
) -> Response {
    if method != Method::POST {
        return not_allowed("'POST'", method);
    }
    answer(
        async {
            let machines: Vec<MachineId> = read(cluster, body).await?;
            Ok(run(cluster, command(machines), StatusCode::OK).await)
        }
        .await,
    )
}

/// `POST /teardown`: `frameworkId=...`
pub(in crate::handlers) async fn teardown(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    if method != Method::POST {
        return not_allowed("'POST'", &method);
    }
    answer(
        async {
            let text = text(&cluster, body).await?;
            let framework = form_value(&text, "frameworkId")
                .ok_or_else(|| bad("Missing 'frameworkId' query parameter in the request body"))?;
            Ok(run(&cluster, Command::Teardown { framework }, StatusCode::OK).await)
        }
        .await,
    )
}

/// What the older routes call an agent's resources, or a volume's.
#[derive(Deserialize)]
struct Listed(Vec<Resource>);

async fn operate(
    cluster: &Cluster,
    method: &Method,
    body: Body,
    field: &str,
    fill: fn(&mut Operation, Vec<Resource>),
) -> Response {
    if method != Method::POST {
        return not_allowed("'POST'", method);
    }
    answer(
        async {
            let text = text(cluster, body).await?;
            let missing = |name: &str| bad(format!("Missing '{name}' query parameter in the request body"));
            let agent = form_value(&text, "slaveId").ok_or_else(|| missing("slaveId"))?;
            let list = form_value(&text, field).ok_or_else(|| missing(field))?;
            let Listed(resources) = parse(&list)?;
            let mut operation = Operation::default();
            fill(&mut operation, resources);
            let operation = Box::new(operation);
            Ok(run(
                cluster,
                Command::Operate { agent, operation },
                StatusCode::ACCEPTED,
            )
            .await)
        }
        .await,
    )
}

/// `POST /reserve`: `slaveId=...&resources=[...]`
pub(in crate::handlers) async fn reserve(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    operate(&cluster, &method, body, "resources", |operation, resources| {
        operation.r#type = Some(Type::Reserve as i32);
        operation.reserve = Some(operation::Reserve {
            resources,
            ..operation::Reserve::default()
        });
    })
    .await
}

/// `POST /unreserve`
pub(in crate::handlers) async fn unreserve(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    operate(&cluster, &method, body, "resources", |operation, resources| {
        operation.r#type = Some(Type::Unreserve as i32);
        operation.unreserve = Some(operation::Unreserve { resources });
    })
    .await
}

/// `POST /create-volumes`: `slaveId=...&volumes=[...]`
pub(in crate::handlers) async fn create_volumes(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    operate(&cluster, &method, body, "volumes", |operation, volumes| {
        operation.r#type = Some(Type::Create as i32);
        operation.create = Some(operation::Create { volumes });
    })
    .await
}

/// `POST /destroy-volumes`
pub(in crate::handlers) async fn destroy_volumes(
    State(cluster): State<Arc<Cluster>>,
    method: Method,
    body: Body,
) -> Response {
    operate(&cluster, &method, body, "volumes", |operation, volumes| {
        operation.r#type = Some(Type::Destroy as i32);
        operation.destroy = Some(operation::Destroy { volumes });
    })
    .await
}
