//! The REST API: what the name server knows, as JSON.
//!
//! Knows: the original's routes and shapes. Never: how a zone is made.

#[cfg(test)]
mod tests;

use crate::{
    config::Config,
    core::{
        labels::looked_up,
        zone::{Records, Service},
    },
    serve::Responder,
};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// The version of the original that this one answers as.
const VERSION: &str = "v0.8.0";
/// Where that one comes from.
const URL: &str = "https://github.com/mesosphere/mesos-dns";

#[derive(Clone)]
struct Answers {
    config: Arc<Config>,
    responder: Arc<Responder>,
}

/// The routes.
pub(crate) fn routes(config: Arc<Config>, responder: Arc<Responder>) -> Router {
    let routes = Router::new()
        .route("/v1/version", get(version))
        .route("/v1/config", get(shown))
        .route("/v1/hosts/{host}", get(host))
        .route("/v1/hosts/{host}/ports", get(ports))
        .route("/v1/services/{service}", get(service));
    let routes = match config.enumeration_on {
        true => routes
            .route("/v1/enumerate", get(enumerate))
            .route("/v1/axfr", get(axfr)),
        false => routes,
    };
    routes.with_state(Answers { config, responder })
}

fn as_json(shown: &impl Serialize) -> Response {
    match serde_json::to_vec(shown) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn version() -> Response {
    as_json(&json!({ "Service": "Mesos-DNS", "URL": URL, "Version": VERSION }))
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    config: &'a Config,
    #[serde(rename = "SOASerial")]
    serial: u32,
}

async fn shown(State(answers): State<Answers>) -> Response {
    as_json(&Shown {
        config: &answers.config,
        serial: answers.responder.zone().serial,
    })
}

#[derive(Serialize, Default)]
struct Host {
    host: String,
    ip: String,
}

async fn host(State(answers): State<Answers>, Path(host): Path<String>) -> Response {
    let name = looked_up(&host);
    let zone = answers.responder.zone();
    let mut found = Vec::new();
    if let Some(records) = zone.get(&name) {
        let v4 = records.a.iter().map(ToString::to_string);
        let v6 = records.aaaa.iter().map(ToString::to_string);
        found.extend(v4.chain(v6).map(|ip| Host {
            host: name.clone(),
            ip,
        }));
    }
    // The original answers one record with nothing in it where there is none.
    if found.is_empty() {
        found.push(Host::default());
    }
    as_json(&found)
}

/// As in the original, where it never was more.
async fn ports() -> Response {
    (StatusCode::NOT_IMPLEMENTED, "To be implemented...").into_response()
}

#[derive(Serialize, Default)]
struct Served {
    service: String,
    host: String,
    ip: String,
    port: String,
}

async fn service(State(answers): State<Answers>, Path(service): Path<String>) -> Response {
    let zone = answers.responder.zone();
    let mut found = Vec::new();
    for one in zone
        .get(&looked_up(&service))
        .iter()
        .flat_map(|records| &records.srv)
    {
        let Some(target) = zone.get(&one.target) else {
            continue;
        };
        let v4 = target.a.first().map(ToString::to_string);
        let v6 = target.aaaa.first().map(ToString::to_string);
        found.extend(v4.into_iter().chain(v6).map(|ip| Served {
            service: service.clone(),
            host: one.target.clone(),
            ip,
            port: one.port.to_string(),
        }));
    }
    if found.is_empty() {
        found.push(Served::default());
    }
    as_json(&found)
}

async fn enumerate(State(answers): State<Answers>) -> Response {
    as_json(&answers.responder.zone().listed)
}

async fn axfr(State(answers): State<Answers>) -> Response {
    let zone = answers.responder.zone();
    let config = &answers.config;
    let services = |records: &Records| records.srv.iter().map(Service::text).collect::<Vec<_>>();
    as_json(&json!({
        "TTL": config.ttl,
        "Serial": zone.serial,
        "RefreshSeconds": config.refresh_seconds,
        "Mname": config.soa_mname,
        "Rname": config.soa_rname,
        "Domain": config.domain,
        "Records": {
            "As": zone.listed_by(|records| records.a.iter().copied().collect()),
            "AAAAs": zone.listed_by(|records| records.aaaa.iter().copied().collect()),
            "SRVs": zone.listed_by(services),
        },
    }))
}
