//! Settings: flags, then environment (both come by clap), then `smack.toml`, then defaults.

mod period;

use crate::cli::{CqlOptions, Durability, LogFormat, Options, Storage};
use anyhow::{Context, Result, bail};
use kafka_server::Listener;
use period::{Period, Size};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The commented file with every default.
pub(crate) const DEFAULT_FILE: &str = include_str!("default.toml");
const FILE_NAME: &str = "smack.toml";

/// `smack.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    data_dir: Option<PathBuf>,
    host: Option<String>,
    storage: Option<Storage>,
    durability: Option<Durability>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    admin: AdminFile,
    kafka: KafkaFile,
    cql: CqlFile,
    mesos: MesosFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AdminFile {
    port: Option<u16>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct KafkaFile {
    port: Option<u16>,
    config_file: Option<PathBuf>,
    config: BTreeMap<String, toml::Value>,
    listeners: Vec<Listener>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CqlFile {
    port: Option<u16>,
    broadcast_rpc_address: Option<std::net::IpAddr>,
    cluster_name: Option<String>,
    data_center: Option<String>,
    rack: Option<String>,
    commitlog_sync: Option<CommitlogSync>,
    authenticator: Option<cql_server::Authenticator>,
    authorizer: Option<cql_server::Authorizer>,
    role_manager: Option<RoleManager>,
    default_keyspace_rf: Option<u32>,
    materialized_views_enabled: Option<bool>,
    read_request_timeout: Option<Period>,
    range_request_timeout: Option<Period>,
    write_request_timeout: Option<Period>,
    prepared_statements_cache_size: Option<Size>,
    listeners: Vec<cql_server::Listener>,
    /// By their names in `cassandra.yaml`. What is none of them either is refused.
    #[serde(flatten)]
    guardrails: BTreeMap<String, toml::Value>,
}

/// When a write is answered, by the original's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CommitlogSync {
    /// Once the operating system has it.
    Periodic,
    /// Once it is on stable storage. Those that come meanwhile share the next `fdatasync`.
    Batch,
    Group,
}

impl CommitlogSync {
    fn durability(self) -> storage::Durability {
        match self {
            CommitlogSync::Periodic => storage::Durability::Written,
            CommitlogSync::Batch | CommitlogSync::Group => storage::Durability::Synced,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MesosFile {
    port: Option<u16>,
    agent_port: Option<u16>,
    resources: Option<String>,
    work_dir: Option<PathBuf>,
    gc_delay: Option<String>,
    gc_disk_headroom: Option<f64>,
    disk_watch_interval: Option<String>,
    max_stdout_size: Option<String>,
    max_stderr_size: Option<String>,
    isolation: Option<String>,
    zk: Option<String>,
    quorum: Option<u32>,
}

/// The original has this one, too; the key is there so that a configuration can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum RoleManager {
    CassandraRoleManager,
}

/// Which servers are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Servers {
    pub(crate) kafka: bool,
    pub(crate) cql: bool,
    pub(crate) mesos: bool,
    /// Whether a Mesos master has an agent beside it.
    pub(crate) agent: bool,
}

impl Servers {
    pub(crate) const ALL: Servers = Servers {
        kafka: true,
        cql: true,
        mesos: true,
        agent: true,
    };
    const NONE: Servers = Servers {
        kafka: false,
        cql: false,
        mesos: false,
        agent: false,
    };
    pub(crate) const KAFKA: Servers = Servers {
        kafka: true,
        ..Servers::NONE
    };
    pub(crate) const CQL: Servers = Servers {
        cql: true,
        ..Servers::NONE
    };
    pub(crate) const MESOS: Servers = Servers {
        agent: true,
        ..Servers::MESOS_MASTER
    };
    pub(crate) const MESOS_MASTER: Servers = Servers {
        mesos: true,
        ..Servers::NONE
    };
}

/// Everything that was decided before the first server starts.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) storage: Storage,
    pub(crate) admin_bind: String,
    pub(crate) servers: Servers,
    pub(crate) kafka: kafka_server::Config,
    pub(crate) cql: cql_server::Config,
    pub(crate) mesos: mesos_api::Config,
    /// Kafka keys that were set and have no effect.
    pub(crate) not_honoured: Vec<String>,
    pub(crate) log: String,
    pub(crate) log_format: server_kit::LogFormat,
}

impl Settings {
    pub(crate) fn from_options(servers: Servers, options: Options) -> Result<Self> {
        let file = read_file(options.config.as_deref())?;
        let host = options
            .host
            .or(file.host)
            .unwrap_or_else(|| "127.0.0.1".to_owned());
        let mut kafka = kafka_server::Config::default();
        kafka.listeners[0].bind = address(&host, 9092);
        let properties_file = options.kafka_config.or(file.kafka.config_file);
        let mut not_honoured = kafka_properties(&mut kafka, properties_file.as_deref(), &file.kafka.config)?;
        if !file.kafka.listeners.is_empty() {
            kafka.listeners = file.kafka.listeners;
        }
        if let Some(port) = options.kafka_port.or(file.kafka.port) {
            move_to(&mut kafka.listeners[0], port);
        }
        let of_kafka = kafka.properties.contains_key("log.dirs") || kafka.properties.contains_key("log.dir");
        let of_kafka =
            of_kafka.then(|| PathBuf::from(kafka.log_dir.split(',').next().unwrap_or_default().trim()));
        if kafka.log_dir.contains(',') {
            not_honoured.push("log.dirs (but the first)".to_owned());
        }
        let data_dir = options
            .data_dir
            .or(file.data_dir)
            .or(of_kafka)
            .unwrap_or_else(|| PathBuf::from("./smack-data"));
        kafka.log_dir = std::path::absolute(&data_dir)?.display().to_string();
        kafka.durability = match options.durability.or(file.durability) {
            Some(Durability::Synced) => storage::Durability::Synced,
            Some(Durability::Written) | None => storage::Durability::Written,
        };
        let admin_port = options.admin_port.or(file.admin.port).unwrap_or(9644);
        let cql = cql_config(file.cql, &host, options.cql_port, options.cql, kafka.durability)?;
        let mesos = MesosFile {
            port: options.mesos_port.or(file.mesos.port),
            agent_port: options.agent_port.or(file.mesos.agent_port),
            zk: options.zk.or(file.mesos.zk),
            quorum: options.quorum.or(file.mesos.quorum),
            ..file.mesos
        };
        let mut mesos = mesos_config(mesos, &host, &data_dir, kafka.durability)?;
        if !servers.agent {
            mesos.agent = None;
        }
        Ok(Settings {
            data_dir,
            servers,
            storage: options.storage.or(file.storage).unwrap_or(Storage::Local),
            admin_bind: address(&host, admin_port),
            kafka,
            cql,
            mesos,
            not_honoured,
            log: options.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: match options.log_format.or(file.log_format) {
                Some(LogFormat::Json) => server_kit::LogFormat::Json,
                Some(LogFormat::Text) | None => server_kit::LogFormat::Text,
            },
        })
    }
}

impl Settings {
    /// Where the first server listens, by which others who want the same data are told who has it.
    pub(crate) fn address(&self) -> &str {
        match self.servers {
            Servers { kafka: true, .. } => &self.kafka.listeners[0].bind,
            Servers { cql: true, .. } => &self.cql.listeners[0].bind,
            _ => &self.mesos.master.bind,
        }
    }
}

/// Another port for `listener`; where clients are sent to the one it had, they are sent after it.
fn move_to(listener: &mut Listener, port: u16) {
    let (own, before) = listener.bind.rsplit_once(':').unwrap_or((&listener.bind, ""));
    let told = listener
        .advertised
        .as_deref()
        .and_then(|told| told.rsplit_once(':'));
    let told = told
        .filter(|(_, told)| *told == before)
        .map(|(host, _)| format!("{host}:{port}"));
    let bind = format!("{own}:{port}");
    listener.advertised = told.or(listener.advertised.take());
    listener.bind = bind;
}

fn cql_config(
    file: CqlFile,
    host: &str,
    port: Option<u16>,
    options: CqlOptions,
    durability: storage::Durability,
) -> Result<cql_server::Config> {
    let mut cql = cql_server::Config {
        guardrails: guardrails(file.guardrails)?,
        durability: file.commitlog_sync.map_or(durability, CommitlogSync::durability),
        broadcast_rpc_address: file.broadcast_rpc_address,
        ..cql_server::Config::default()
    };
    cql.listeners[0].bind = address(host, 9042);
    if !file.listeners.is_empty() {
        cql.listeners = file.listeners;
    }
    if let Some(port) = port.or(file.port) {
        let first = &mut cql.listeners[0];
        let (own, _) = first.bind.rsplit_once(':').unwrap_or((&first.bind, ""));
        first.bind = format!("{own}:{port}");
    }
    cql.cluster_name = options
        .cql_cluster_name
        .or(file.cluster_name)
        .unwrap_or(cql.cluster_name);
    cql.data_center = options
        .cql_data_center
        .or(file.data_center)
        .unwrap_or(cql.data_center);
    cql.rack = options.cql_rack.or(file.rack).unwrap_or(cql.rack);
    cql.authenticator = options
        .cql_authenticator
        .or(file.authenticator)
        .unwrap_or_default();
    cql.authorizer = options.cql_authorizer.or(file.authorizer).unwrap_or_default();
    cql.default_keyspace_rf = file.default_keyspace_rf.unwrap_or(1);
    cql.materialized_views_enabled = file.materialized_views_enabled.unwrap_or(false);
    let timeouts = cql.timeouts;
    cql.timeouts = cql_server::Timeouts {
        read: file.read_request_timeout.map_or(timeouts.read, Period::get),
        range: file.range_request_timeout.map_or(timeouts.range, Period::get),
        write: file.write_request_timeout.map_or(timeouts.write, Period::get),
    };
    if let Some(size) = file.prepared_statements_cache_size {
        cql.limits.prepared_statements_cache_size = size.get();
    }
    Ok(cql)
}

fn mesos_config(
    file: MesosFile,
    host: &str,
    data_dir: &Path,
    durability: storage::Durability,
) -> Result<mesos_api::Config> {
    let agent = mesos_api::AgentConfig::default();
    let mut upkeep = mesos_api::Upkeep::default();
    for (name, value) in [
        ("gc_delay", file.gc_delay),
        (
            "gc_disk_headroom",
            file.gc_disk_headroom.map(|share| share.to_string()),
        ),
        ("disk_watch_interval", file.disk_watch_interval),
        ("max_stdout_size", file.max_stdout_size),
        ("max_stderr_size", file.max_stderr_size),
    ] {
        if let Some(value) = value {
            let set = upkeep.set(name, &value).map_err(anyhow::Error::msg);
            set.context("[mesos]")?;
        }
    }
    Ok(mesos_api::Config {
        master: mesos_api::MasterConfig {
            bind: address(host, file.port.unwrap_or(5050)),
            zk: file.zk,
            quorum: file.quorum,
            durability,
        },
        agent: Some(mesos_api::AgentConfig {
            bind: address(host, file.agent_port.unwrap_or(5051)),
            work_dir: file.work_dir.unwrap_or_else(|| data_dir.join("mesos")),
            resources: file.resources.unwrap_or_default(),
            upkeep,
            isolation: file.isolation,
            ..agent
        }),
        limits: mesos_api::Limits::default(),
    })
}

fn guardrails(given: BTreeMap<String, toml::Value>) -> Result<cql_server::Guardrails> {
    let text = |value: toml::Value| match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    let mut guardrails = cql_server::Guardrails::default();
    for (key, value) in given {
        let setting = match value {
            toml::Value::Array(list) => cql_server::Setting::List(list.into_iter().map(text).collect()),
            other => cql_server::Setting::Text(text(other)),
        };
        guardrails.set(&key, setting).context("[cql]")?;
    }
    Ok(guardrails)
}

fn read_file(named: Option<&Path>) -> Result<File> {
    let path = named.unwrap_or(Path::new(FILE_NAME));
    if named.is_none() && !path.exists() {
        return Ok(File::default());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not a configuration", path.display()))
}

/// Takes the properties file, then the keys of `smack.toml`.
fn kafka_properties(
    kafka: &mut kafka_server::Config,
    file: Option<&Path>,
    keys: &BTreeMap<String, toml::Value>,
) -> Result<Vec<String>> {
    let mut properties = BTreeMap::new();
    if let Some(path) = file {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        properties = kafka_server::parse_properties(&text);
    }
    for (key, value) in keys {
        let value = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            _ => bail!("kafka.config.\"{key}\" is neither text, number nor truth value"),
        };
        properties.insert(key.clone(), value);
    }
    kafka
        .apply(properties)
        .context("the Kafka configuration cannot be taken")
}

fn address(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests;
