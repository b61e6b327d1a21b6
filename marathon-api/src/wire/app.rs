//! What requests say of apps.

use super::{Errors, Fields, Read};
use crate::core::{
    app::{
        AppUpdate, Artifact, CheckCommand, Container, Disabled, HealthCheck, KillSelection, Labels, Network,
        PortDefinition, Protocol, UnreachableStrategy, UpgradeStrategy, Volume,
    },
    time::Timestamp,
};
use serde_json::Value;

/// Processors that a task takes at the least.
const CPUS_MIN: f64 = 0.001;
/// Far more of anything than there is.
const AMOUNT_MAX: f64 = 1e12;
const PORT_MAX: u32 = 65_535;
const PROTOCOLS: [(&str, &str); 3] = [("tcp", "tcp"), ("udp", "udp"), ("udp,tcp", "udp,tcp")];

impl Read for AppUpdate {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let update = AppUpdate {
            id: fields.maybe("id"),
            cmd: fields.maybe("cmd"),
            args: fields.maybe("args"),
            user: fields.maybe("user"),
            env: env(&mut fields),
            instances: fields.maybe("instances"),
            cpus: fields.within("cpus", CPUS_MIN, AMOUNT_MAX),
            mem: fields.within("mem", 0.0, AMOUNT_MAX),
            disk: fields.within("disk", 0.0, AMOUNT_MAX),
            gpus: fields.maybe("gpus"),
            executor: fields.maybe("executor"),
            constraints: fields.maybe("constraints"),
            fetch: fields.maybe("fetch"),
            uris: fields.maybe("uris"),
            store_urls: fields.maybe("storeUrls"),
            ports: ports(&mut fields),
            port_definitions: fields.maybe("portDefinitions"),
            require_ports: fields.maybe("requirePorts"),
            backoff_seconds: fields.maybe("backoffSeconds"),
            backoff_factor: fields.within("backoffFactor", 1.0, AMOUNT_MAX),
            max_launch_delay_seconds: fields.maybe("maxLaunchDelaySeconds"),
            container: fields.maybe("container"),
            health_checks: fields.maybe("healthChecks"),
            task_kill_grace_period_seconds: fields.maybe("taskKillGracePeriodSeconds"),
            dependencies: fields.maybe("dependencies"),
            upgrade_strategy: fields.maybe("upgradeStrategy"),
            labels: fields.maybe("labels"),
            accepted_resource_roles: fields.maybe("acceptedResourceRoles"),
            networks: fields.maybe("networks"),
            unreachable_strategy: fields.maybe("unreachableStrategy"),
            kill_selection: fields.one_of(
                "killSelection",
                &[
                    ("YOUNGEST_FIRST", KillSelection::YoungestFirst),
                    ("OLDEST_FIRST", KillSelection::OldestFirst),
                ],
            ),
            version: version(&mut fields),
            secrets: secrets(&fields),
        };
        unsupported(&mut fields);
        fields.done(update)
    }
}

/// Values that stand for a secret name none that this server has.
fn env(fields: &mut Fields<'_>) -> Option<Labels> {
    fields.maybe("env")
}

fn ports(fields: &mut Fields<'_>) -> Option<Vec<u32>> {
    let ports: Vec<u32> = fields.maybe("ports")?;
    if ports.iter().any(|port| *port > PORT_MAX) {
        fields.fault("ports", "error.max");
    }
    Some(ports)
}

fn version(fields: &mut Fields<'_>) -> Option<Timestamp> {
    let text: String = fields.maybe("version")?;
    let version = Timestamp::parse(&text);
    if version.is_none() {
        fields.fault("version", "error.expected.date.isoformat");
    }
    version
}

fn secrets(fields: &Fields<'_>) -> Vec<String> {
    let named = fields.raw("secrets").and_then(Value::as_object);
    named
        .map(|named| named.keys().cloned().collect())
        .unwrap_or_default()
}

/// What the original has and this server has not is refused, not forgotten.
fn unsupported(fields: &mut Fields<'_>) {
    for name in ["ipAddress", "residency", "readinessChecks"] {
        let said = fields
            .raw(name)
            .is_some_and(|value| value.as_array().is_none_or(|all| !all.is_empty()));
        if said {
            fields.fault(name, "is not supported");
        }
    }
}

impl Read for Artifact {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let artifact = Artifact {
            uri: fields.needed("uri"),
            extract: fields.maybe("extract").unwrap_or(true),
            executable: fields.maybe("executable").unwrap_or(false),
            cache: fields.maybe("cache").unwrap_or(false),
            dest_path: fields.maybe("destPath"),
        };
        fields.done(artifact)
    }
}

impl Read for PortDefinition {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let port = fields.maybe("port").unwrap_or(0);
        if port > PORT_MAX {
            fields.fault("port", "error.max");
        }
        let definition = PortDefinition {
            port,
            protocol: fields.one_of("protocol", &PROTOCOLS).unwrap_or("tcp").to_owned(),
            name: fields.maybe("name"),
            labels: fields.maybe("labels").unwrap_or_default(),
        };
        fields.done(definition)
    }
}

impl Read for Container {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let kinds = [("MESOS", "MESOS"), ("DOCKER", "DOCKER")];
        let container = Container {
            kind: fields.one_of("type", &kinds).unwrap_or("DOCKER").to_owned(),
            volumes: fields.maybe("volumes").unwrap_or_default(),
        };
        for name in ["docker", "appc", "portMappings"] {
            if fields
                .raw(name)
                .is_some_and(|value| value.as_array().is_none_or(|all| !all.is_empty()))
            {
                fields.fault(name, "is not supported");
            }
        }
        fields.done(container)
    }
}

impl Read for Volume {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        for name in ["persistent", "external", "secret"] {
            if fields.raw(name).is_some() {
                fields.fault(name, "is not supported");
            }
        }
        let volume = Volume {
            container_path: fields.needed("containerPath"),
            host_path: fields.needed("hostPath"),
            mode: fields
                .one_of("mode", &[("RO", "RO"), ("RW", "RW")])
                .unwrap_or("RO")
                .to_owned(),
        };
        fields.done(volume)
    }
}

impl Read for Network {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let modes = [
            ("host", "host"),
            ("container", "container"),
            ("container/bridge", "container/bridge"),
        ];
        let network = Network {
            mode: fields.one_of("mode", &modes).unwrap_or("container").to_owned(),
        };
        fields.done(network)
    }
}

impl Read for UpgradeStrategy {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let strategy = UpgradeStrategy {
            maximum_over_capacity: fields.within("maximumOverCapacity", 0.0, 1.0).unwrap_or(1.0),
            minimum_health_capacity: fields.within("minimumHealthCapacity", 0.0, 1.0).unwrap_or(1.0),
        };
        fields.done(strategy)
    }
}

impl Read for UnreachableStrategy {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        if value.as_str() == Some("disabled") {
            return Some(UnreachableStrategy::Disabled(Disabled::Disabled));
        }
        let mut fields = Fields::of(value, at, errors)?;
        let (inactive, expunge) = (
            fields.maybe("inactiveAfterSeconds").unwrap_or(0),
            fields.maybe("expungeAfterSeconds").unwrap_or(0),
        );
        if inactive > expunge {
            fields.fault(
                "inactiveAfterSeconds",
                "inactiveAfterSeconds must be less or equal to expungeAfterSeconds",
            );
        }
        fields.done(UnreachableStrategy::After {
            inactive_after_seconds: inactive,
            expunge_after_seconds: expunge,
        })
    }
}

impl Read for CheckCommand {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let value = fields.needed("value");
        fields.done(CheckCommand { value })
    }
}

impl Read for HealthCheck {
    fn read(value: &Value, at: &str, errors: &mut Errors) -> Option<Self> {
        let mut fields = Fields::of(value, at, errors)?;
        let protocol = fields
            .one_of("protocol", &Protocol::ALL)
            .unwrap_or(Protocol::Http);
        let http = matches!(
            protocol,
            Protocol::Http | Protocol::Https | Protocol::MesosHttp | Protocol::MesosHttps
        );
        let check = HealthCheck {
            protocol,
            command: fields.maybe("command"),
            path: fields.maybe("path").or_else(|| http.then(|| "/".to_owned())),
            port: fields.maybe("port"),
            port_index: fields.maybe("portIndex"),
            grace_period_seconds: fields.maybe("gracePeriodSeconds").unwrap_or(300),
            interval_seconds: fields.maybe("intervalSeconds").unwrap_or(60),
            timeout_seconds: fields.maybe("timeoutSeconds").unwrap_or(20),
            delay_seconds: fields.maybe("delaySeconds").unwrap_or(15),
            max_consecutive_failures: fields.maybe("maxConsecutiveFailures").unwrap_or(3),
            ignore_http1xx: fields.maybe("ignoreHttp1xx"),
            ip_protocol: fields
                .one_of("ipProtocol", &[("IPv4", "IPv4"), ("IPv6", "IPv6")])
                .unwrap_or("IPv4")
                .to_owned(),
        };
        fields.done(check)
    }
}
