//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Kafka, Cassandra and Mesos for people who want to keep their clients and lose the clusters.
#[derive(Debug, Parser)]
#[command(name = "smack", version, about, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start every server on this machine, and print how to reach each
    #[command(after_help = PRECEDENCE)]
    Up(Options),
    /// Start the Kafka broker alone
    #[command(after_help = PRECEDENCE)]
    Kafka(Options),
    /// Start the CQL server alone
    #[command(after_help = PRECEDENCE)]
    Cql(Options),
    /// Start the Mesos master and agent alone
    #[command(after_help = PRECEDENCE)]
    Mesos(Options),
    /// Start a Mesos master without an agent beside it
    #[command(after_help = PRECEDENCE)]
    MesosMaster(Options),
    /// Start a Mesos agent whose master is another process
    MesosAgent(AgentOptions),
    /// Show configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the commented smack.toml with every default
    Default,
}

const PRECEDENCE: &str = "\
A setting is taken from its flag, else its environment variable, else smack.toml, else its default.
Any port may be 0: a free one is taken, printed, and written to DATA_DIR/ports.json once all servers answer.
`smack config default` prints a commented smack.toml.";

/// What can be said when starting servers.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Configuration file [default: ./smack.toml, where there is one]
    #[arg(long, env = "SMACK_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where everything is kept [default: ./smack-data]
    #[arg(long, env = "SMACK_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address that servers listen on [default: 127.0.0.1]
    #[arg(long, env = "SMACK_HOST", value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Port of the Kafka broker [default: 9092]
    #[arg(long, env = "SMACK_KAFKA_PORT", value_name = "PORT")]
    pub(crate) kafka_port: Option<u16>,
    /// Port of the CQL server [default: 9042]
    #[arg(long, env = "SMACK_CQL_PORT", value_name = "PORT")]
    pub(crate) cql_port: Option<u16>,
    #[command(flatten)]
    pub(crate) cql: CqlOptions,
    /// Port of the Mesos master [default: 5050]
    #[arg(long, env = "SMACK_MESOS_PORT", value_name = "PORT")]
    pub(crate) mesos_port: Option<u16>,
    /// Port of the Mesos agent [default: 5051]
    #[arg(long, env = "SMACK_AGENT_PORT", value_name = "PORT")]
    pub(crate) agent_port: Option<u16>,
    /// Where Mesos masters elect the one that leads, as in zk://host1:2181,host2:2181/mesos
    #[arg(long, env = "SMACK_ZK", value_name = "URL")]
    pub(crate) zk: Option<String>,
    /// Taken as the original's; the registry is in ZooKeeper, whose own quorum counts
    #[arg(long, env = "SMACK_QUORUM", value_name = "MASTERS")]
    pub(crate) quorum: Option<u32>,
    /// Port of the console, /healthz, /readyz and /metrics [default: 9644]
    #[arg(long, env = "SMACK_ADMIN_PORT", value_name = "PORT")]
    pub(crate) admin_port: Option<u16>,
    /// An existing Kafka server.properties; each key in it without effect here is named
    #[arg(long, env = "SMACK_KAFKA_CONFIG", value_name = "FILE")]
    pub(crate) kafka_config: Option<PathBuf>,
    /// What an acknowledgement promises [default: written]
    #[arg(long, env = "SMACK_DURABILITY", value_enum)]
    pub(crate) durability: Option<Durability>,
    /// Where data lives [default: local]
    #[arg(long, env = "SMACK_STORAGE", value_enum)]
    pub(crate) storage: Option<Storage>,
    /// What is logged: a level, or directives such as info,kafka_server=debug [default: info]
    #[arg(long, env = "SMACK_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How log lines look [default: text]
    #[arg(long, env = "SMACK_LOG_FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
}

/// What can be said when starting a Mesos agent alone.
#[derive(Debug, Args)]
pub(crate) struct AgentOptions {
    /// Where the master is: host:port of its HTTP API, or zk://host1:2181,host2:2181/mesos
    #[arg(long, env = "SMACK_MESOS_MASTER", value_name = "MASTER")]
    pub(crate) master: String,
    /// Address that the agent listens on
    #[arg(long, env = "SMACK_HOST", value_name = "HOST", default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// Port of the agent; 0 takes a free one
    #[arg(long, env = "SMACK_AGENT_PORT", value_name = "PORT", default_value_t = 5051)]
    pub(crate) port: u16,
    /// Where tasks' sandboxes are made
    #[arg(long, value_name = "DIR", default_value = "./smack-data/mesos-agent")]
    pub(crate) work_dir: PathBuf,
    /// What it offers, as in "cpus:4;mem:8192"; the rest is taken from the machine
    #[arg(long, value_name = "LIST")]
    pub(crate) resources: Option<String>,
    /// What keeps tasks to themselves, as in "cgroups/cpu,cgroups/mem" or "posix/cpu,posix/mem" [default: shares of the processors, by control groups of version 2 that were handed to it]
    #[arg(long, env = "SMACK_AGENT_ISOLATION", value_name = "LIST")]
    pub(crate) isolation: Option<String>,
    /// How old what ended tasks wrote may become, as in 1weeks; less where the disk is full
    #[arg(long, value_name = "TIME")]
    pub(crate) gc_delay: Option<String>,
    /// Which share of the disk is to stay free [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    pub(crate) gc_disk_headroom: Option<String>,
    /// How often the disk is looked at, as in 1mins
    #[arg(long, value_name = "TIME")]
    pub(crate) disk_watch_interval: Option<String>,
    /// Bytes of a task's standard output before it is put aside, as in 10MB
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_stdout_size: Option<String>,
    /// The same of its standard error
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_stderr_size: Option<String>,
    /// What frameworks may choose it by, as in "rack:r1;zone:z"
    #[arg(long, value_name = "LIST")]
    pub(crate) attributes: Option<String>,
    /// What is logged: a level, or directives [default: info]
    #[arg(long, env = "SMACK_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How log lines look [default: text]
    #[arg(long, env = "SMACK_LOG_FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
}

/// What can be said of the CQL server.
#[derive(Debug, Default, Args)]
pub(crate) struct CqlOptions {
    /// What the CQL cluster calls itself, from its first start on [default: Test Cluster]
    #[arg(long, env = "SMACK_CQL_CLUSTER_NAME", value_name = "NAME")]
    pub(crate) cql_cluster_name: Option<String>,
    /// The data center of the CQL node, from its first start on [default: datacenter1]
    #[arg(long, env = "SMACK_CQL_DATA_CENTER", value_name = "NAME")]
    pub(crate) cql_data_center: Option<String>,
    /// The rack of the CQL node [default: rack1]
    #[arg(long, env = "SMACK_CQL_RACK", value_name = "NAME")]
    pub(crate) cql_rack: Option<String>,
    /// AllowAllAuthenticator or PasswordAuthenticator [default: AllowAllAuthenticator]
    #[arg(long, env = "SMACK_CQL_AUTHENTICATOR", value_name = "CLASS")]
    pub(crate) cql_authenticator: Option<cql_server::Authenticator>,
    /// AllowAllAuthorizer or CassandraAuthorizer [default: AllowAllAuthorizer]
    #[arg(long, env = "SMACK_CQL_AUTHORIZER", value_name = "CLASS")]
    pub(crate) cql_authorizer: Option<cql_server::Authorizer>,
}

/// What an acknowledgement promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    /// Handed to the operating system: survives kill -9, not a power cut
    Written,
    /// On stable storage: fdatasync before each acknowledgement, many at once
    Synced,
}

/// Where data lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Storage {
    /// In files of the data directory
    Local,
    /// In memory: gone with the process
    Memory,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}
