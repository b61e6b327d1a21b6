//! What is asked of the server itself.

use super::Asked;
use crate::{
    error::Fault,
    wire::{ok, text},
};
use axum::{body::Body, http::Response};
use serde_json::json;

/// The version whose API this is.
const VERSION: &str = "1.8.222";

pub(super) async fn ping(_: Asked) -> Result<Response<Body>, Fault> {
    Ok(text("pong"))
}

pub(super) async fn leader(asked: Asked) -> Result<Response<Body>, Fault> {
    Ok(ok(&json!({ "leader": asked.context.address.to_string() })))
}

pub(super) async fn plugins(_: Asked) -> Result<Response<Body>, Fault> {
    Ok(ok(&json!({ "plugins": [] })))
}

pub(super) async fn info(asked: Asked) -> Result<Response<Body>, Fault> {
    let framework_id = asked.look(|core, _| core.framework_id.clone()).await?;
    let (config, address) = (&asked.context.config, asked.context.address);
    Ok(ok(&json!({
        "name": "marathon",
        "version": VERSION,
        "buildref": env!("CARGO_PKG_VERSION"),
        "elected": true,
        "leader": address.to_string(),
        "frameworkId": framework_id,
        "marathon_config": {
            "master": config.master,
            "failover_timeout": config.failover_timeout,
            "framework_name": config.framework_name,
            "ha": false,
            "checkpoint": true,
            "local_port_min": config.local_ports.start(),
            "local_port_max": config.local_ports.end(),
            "executor": "//cmd",
            "hostname": address.ip().to_string(),
            "mesos_role": null,
            "mesos_user": config.mesos_user,
            "mesos_leader_ui_url": format!("http://{}/", config.master),
            "features": [],
        },
        // There is none: what is to be kept is in smack's own store.
        "zookeeper_config": {},
        "http_config": {
            "http_port": address.port(),
            "https_port": null,
        },
    })))
}
