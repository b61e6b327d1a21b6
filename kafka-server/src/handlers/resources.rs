//! The resources that configuration calls name, a type and a name each; and what both calls that alter them share.

use super::{Context, loggers};
use crate::{
    config::alter::{self, Change, Scope, Settings},
    error::ApiError,
    wire::{ResponseError, StrBytes, text},
};

pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const BROKER_LOGGER: i8 = 8;
pub(super) const CLIENT_METRICS: i8 = 16;
pub(super) const GROUP: i8 = 32;

/// What a request asks of one resource.
pub(super) struct Wanted<'a> {
    pub(super) kind: i8,
    pub(super) name: &'a str,
    pub(super) changes: Result<Vec<Change>, ApiError>,
    /// Whatever was set before is forgotten.
    pub(super) replaces: bool,
}

/// Alters every resource of a request, each on its own; answers in their order.
pub(super) async fn alter(
    cx: &Context,
    wanted: &[Wanted<'_>],
    validate_only: bool,
) -> Vec<Result<(), ApiError>> {
    let mut altered = Vec::with_capacity(wanted.len());
    for one in wanted {
        let same = |other: &&Wanted<'_>| (other.kind, other.name) == (one.kind, one.name);
        altered.push(match wanted.iter().filter(same).count() {
            1 => alter_one(cx, one, validate_only).await,
            _ => Err(ApiError::new(
                ResponseError::InvalidRequest,
                "Each resource must appear at most once.",
            )),
        });
    }
    altered
}

async fn alter_one(cx: &Context, wanted: &Wanted<'_>, validate_only: bool) -> Result<(), ApiError> {
    if wanted.kind == BROKER_LOGGER && !wanted.replaces {
        check_node_id(cx, wanted.name)?;
        return loggers::alter(wanted.changes.as_deref().map_err(Clone::clone)?, validate_only);
    }
    let scope = scope(cx, wanted.kind, wanted.name)?;
    let changes = wanted.changes.as_ref().map_err(Clone::clone)?;
    let (configs, topics) = (&cx.broker.configs, &cx.broker.topics);
    configs
        .alter(topics, scope, wanted.name, validate_only, |now, broker| {
            let nothing = Settings::new();
            alter::apply(
                scope,
                if wanted.replaces { &nothing } else { now },
                changes,
                broker,
            )
        })
        .await
}

/// What became of a resource, as both answers carry it.
pub(super) fn told(altered: Result<(), ApiError>) -> (i16, Option<StrBytes>) {
    match altered {
        Ok(()) => (0, None),
        Err(error) => (error.wire(), error.message.map(text)),
    }
}

/// What is to be changed of the resource, where there can be one of that type and name.
fn scope(cx: &Context, kind: i8, name: &str) -> Result<Scope, ApiError> {
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
fn check_node_id(cx: &Context, name: &str) -> Result<(), ApiError> {
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
