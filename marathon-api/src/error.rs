//! What goes wrong, as HTTP says it: the one place where refusals become statuses. Texts are the original's.

use crate::{
    core::{Refused, app::Wrong},
    wire::{Malformed, answer, details, message},
};
use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use serde_json::{Value, json};

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(crate) enum Fault {
    Malformed(Malformed),
    Refused(Refused),
    /// Something that a path names is not there.
    NotFound(String),
    BadRequest(String),
    TooLarge,
    /// The server stops.
    Stopping,
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Fault::Refused(refused)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Fault::Malformed(malformed)
    }
}

impl Fault {
    pub(crate) fn into_response(self) -> Response<Body> {
        match self {
            Fault::Malformed(Malformed::Syntax(why)) => {
                let said = json!({ "message": "Invalid JSON", "details": why });
                answer(StatusCode::BAD_REQUEST, &said)
            }
            Fault::Malformed(Malformed::Fields(errors)) => {
                let said = json!({ "message": "Invalid JSON", "details": details(errors.into_faults()) });
                answer(StatusCode::UNPROCESSABLE_ENTITY, &said)
            }
            Fault::Refused(refused) => of_refused(refused),
            Fault::NotFound(why) => message(StatusCode::NOT_FOUND, why),
            Fault::BadRequest(why) => message(StatusCode::BAD_REQUEST, why),
            Fault::TooLarge => message(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"),
            Fault::Stopping => message(StatusCode::SERVICE_UNAVAILABLE, "The server is stopping"),
        }
    }
}

fn of_refused(refused: Refused) -> Response<Body> {
    let why = refused.to_string();
    match refused {
        Refused::NoApp(..)
        | Refused::NoGroup(_)
        | Refused::NoTask(_)
        | Refused::NoDeployment(_)
        | Refused::NotQueued(_) => message(StatusCode::NOT_FOUND, why),
        Refused::Exists(_) | Refused::GroupExists(_) => message(StatusCode::CONFLICT, why),
        Refused::Locked(deployments) => {
            let ids: Vec<Value> = deployments.iter().map(|id| json!({ "id": id })).collect();
            let said = json!({ "message": why, "deployments": ids });
            answer(StatusCode::CONFLICT, &said)
        }
        Refused::Invalid(wrong) => {
            let faults = wrong.into_iter().map(|Wrong { path, error }| (path, error));
            let said = json!({ "message": why, "details": details(faults) });
            answer(StatusCode::UNPROCESSABLE_ENTITY, &said)
        }
        Refused::PortsExhausted(..) => message(StatusCode::INTERNAL_SERVER_ERROR, why),
        Refused::ScaleAndWipe => message(StatusCode::BAD_REQUEST, why),
    }
}
