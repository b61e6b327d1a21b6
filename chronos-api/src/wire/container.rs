//! What a job is kept in.

use super::{
    job::{Refusal, pairs},
    lenient::{field, items, text, text_or, truth_or, whole},
};
use crate::core::{Container, ContainerKind, ExternalVolume, Network, Volume};
use serde_json::{Value, json};

pub(super) fn parse(of: &Value) -> Result<Container, Refusal> {
    let kind = match text_or(of, "type", "DOCKER").to_uppercase().as_str() {
        "DOCKER" => ContainerKind::Docker,
        "MESOS" => ContainerKind::Mesos,
        other => return Err(no_value(other)),
    };
    let network = match text_or(of, "network", "HOST").to_uppercase().as_str() {
        "HOST" => Network::Host,
        "BRIDGE" => Network::Bridge,
        "USER" => Network::User,
        other => return Err(no_value(other)),
    };
    let volumes: Result<Vec<Volume>, Refusal> = items(of, "volumes").iter().map(volume).collect();
    Ok(Container {
        kind,
        image: text_or(of, "image", ""),
        network,
        network_name: field(of, "networkName").map(text),
        volumes: volumes?,
        parameters: pairs(of, "parameters", "key"),
        force_pull_image: truth_or(of, "forcePullImage", false),
    })
}

fn no_value(text: &str) -> Refusal {
    Refusal(format!("No value found for '{text}'"))
}

fn volume(of: &Value) -> Result<Volume, Refusal> {
    let writable = match field(of, "mode").map(text) {
        None => None,
        Some(mode) => Some(match mode.to_uppercase().as_str() {
            "RW" => true,
            "RO" => false,
            other => return Err(no_value(other)),
        }),
    };
    Ok(Volume {
        container_path: text_or(of, "containerPath", ""),
        host_path: field(of, "hostPath").map(text),
        writable,
        persistent: field(of, "persistent").map(|one| field(one, "size").map_or(0, whole)),
        external: field(of, "external").map(|one| ExternalVolume {
            name: text_or(one, "name", ""),
            provider: text_or(one, "provider", ""),
            options: pairs(one, "options", "key"),
        }),
    })
}

pub(super) fn shown(container: &Container) -> Value {
    let mut shown = json!({
        "type": match container.kind {
            ContainerKind::Docker => "DOCKER",
            ContainerKind::Mesos => "MESOS",
        },
        "image": container.image,
        "network": match container.network {
            Network::Host => "HOST",
            Network::Bridge => "BRIDGE",
            Network::User => "USER",
        },
        "volumes": container.volumes.iter().map(shown_volume).collect::<Vec<_>>(),
        "forcePullImage": container.force_pull_image,
        "parameters": container.parameters.iter()
            .map(|pair| json!({ "key": pair.name, "value": pair.value }))
            .collect::<Vec<_>>(),
    });
    if let Some(name) = &container.network_name {
        shown["networkName"] = json!(name);
    }
    shown
}

fn shown_volume(volume: &Volume) -> Value {
    let mut shown = json!({ "containerPath": volume.container_path });
    if let Some(path) = &volume.host_path {
        shown["hostPath"] = json!(path);
    }
    if let Some(writable) = volume.writable {
        shown["mode"] = json!(if writable { "RW" } else { "RO" });
    }
    if let Some(size) = volume.persistent {
        shown["persistent"] = json!({ "size": size });
    }
    if let Some(external) = &volume.external {
        let options = external.options.iter();
        let options = options.map(|pair| json!({ "key": pair.name, "value": pair.value }));
        shown["external"] = json!({
            "name": external.name,
            "provider": external.provider,
            "options": options.collect::<Vec<_>>(),
        });
    }
    shown
}
