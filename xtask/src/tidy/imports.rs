//! Which crate of the workspace may depend on which, from `cargo metadata`.

use super::Offence;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{path::Path, process::Command};

/// Crates and the crates of the workspace that they may name. A crate that is not listed may name none.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "benches",
        &[
            "cql-server",
            "kafka-server",
            "server-kit",
            "storage",
            "storage-local",
        ],
    ),
    (
        "chronos-api",
        &["mesos-client", "mesos-proto", "server-kit", "storage"],
    ),
    ("cql-server", &["server-kit", "storage"]),
    ("kafka-server", &["server-kit", "storage"]),
    ("libmesos", &["mesos-proto"]),
    (
        "marathon-api",
        &["mesos-client", "mesos-proto", "server-kit", "storage"],
    ),
    ("mesos-api", &["mesos-proto", "server-kit", "storage"]),
    ("mesos-client", &["mesos-proto", "server-kit"]),
    ("mesos-dns", &["mesos-client", "mesos-proto", "server-kit"]),
    (
        "smack",
        &[
            "chronos-api",
            "cql-server",
            "kafka-server",
            "marathon-api",
            "mesos-api",
            "mesos-dns",
            "server-kit",
            "storage",
            "storage-local",
        ],
    ),
    ("storage-local", &["storage"]),
    // The matrix comes from the table; a benchmark starts either side as the black-box tests do.
    ("xtask", &["compat-tests", "cql-server", "kafka-server"]),
];

pub(super) fn check(root: &Path) -> Result<Vec<Offence>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    if !told.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&told.stderr));
    }
    Ok(offences(&serde_json::from_slice(&told.stdout)?))
}

pub(super) fn offences(metadata: &Value) -> Vec<Offence> {
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut offences = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let allowed = ALLOWED
            .iter()
            .find(|(of, _)| *of == name)
            .map_or(&[][..], |(_, allowed)| *allowed);
        let dependencies = package["dependencies"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        for dependency in dependencies
            .iter()
            .filter_map(|dependency| dependency["name"].as_str())
        {
            if names.contains(&dependency) && !allowed.contains(&dependency) {
                offences.push(Offence::new(name, format!("may not import {dependency}")));
            }
        }
    }
    offences
}
