//! The resources that configuration calls name: a type and a name.

use super::Context;
use crate::{config::alter::Scope, error::ApiError, wire::ResponseError};

pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const BROKER_LOGGER: i8 = 8;
pub(super) const CLIENT_METRICS: i8 = 16;
pub(super) const GROUP: i8 = 32;

/// The only logger there is.
pub(super) const ROOT_LOGGER: &str = "root";

/// What is to be changed of the resource, where there can be one of that type and name.
pub(super) fn scope(cx: &Context, kind: i8, name: &str) -> Result<Scope, ApiError> {
    let refuse = |why: &str| Err(ApiError::new(ResponseError::InvalidRequest, why));
    match (kind, name.is_empty()) {
        (TOPIC, true) => refuse("Default topic resources are not allowed."),
        (GROUP, true) => refuse("Default group resources are not allowed."),
        (CLIENT_METRICS, true) => refuse("Subscription name can't be empty"),
        (BROKER, true) => Ok(Scope::Cluster),
        (TOPIC, false) => Ok(Scope::Topic),
        (GROUP, false) => Ok(Scope::Group),
        (CLIENT_METRICS, false) => Ok(Scope::ClientMetrics),
        (BROKER, false) => check_node_id(cx, name).map(|()| Scope::Broker),
        _ => refuse(&format!("Unexpected resource type {}.", type_name(kind))),
    }
}

/// Whether `name` is the id of this broker.
pub(super) fn check_node_id(cx: &Context, name: &str) -> Result<(), ApiError> {
    let me = cx.broker.config.node_id;
    let why = match name.parse::<i32>() {
        Ok(id) if id == me => return Ok(()),
        Ok(id) => format!("Unexpected broker id, expected {me}, but received {id}"),
        Err(_) => format!("Node id must be an integer, but it is: {name}"),
    };
    Err(ApiError::new(ResponseError::InvalidRequest, why))
}

/// Kafka's name of a type of resource.
pub(super) fn type_name(kind: i8) -> &'static str {
    match kind {
        TOPIC => "TOPIC",
        BROKER => "BROKER",
        BROKER_LOGGER => "BROKER_LOGGER",
        CLIENT_METRICS => "CLIENT_METRICS",
        GROUP => "GROUP",
        _ => "UNKNOWN",
    }
}
