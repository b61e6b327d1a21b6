//! What the name server is started with, by the keys of the original's `config.json`.

use crate::core::{
    generator::{Naming, Source},
    labels::Rules,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// Where name servers listen.
const PORT: u16 = 53;

/// Why a key cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody knows it.
    #[error("no such key of Mesos-DNS: {0}")]
    Unknown(String),
    /// It has another kind of value.
    #[error("{key}: {why}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong with what it has.
        why: String,
    },
}

/// What the zone tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Soa {
    pub(crate) mname: String,
    pub(crate) rname: String,
    pub(crate) refresh: u32,
    pub(crate) retry: u32,
    pub(crate) expire: u32,
}

/// What the name server is started with. Named, shown and in the order as the original has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Config {
    /// How often the original asks its master. Here the master tells what changes; the number is shown.
    pub refresh_seconds: u32,
    /// Where it listens for questions; port 0 takes a free one.
    pub port: u16,
    /// Seconds that other name servers may take.
    pub timeout: u32,
    /// Seconds that the original gives its master; shown.
    pub state_timeout_seconds: u32,
    /// Seconds that the original gives ZooKeeper at first; shown.
    pub zk_detection_timeout: u32,
    /// Where it listens for HTTP.
    #[serde(rename = "HttpPort")]
    pub http_port: u16,
    /// Seconds for which records may be kept.
    #[serde(rename = "TTL")]
    pub ttl: u32,
    /// What the zone's own record says.
    #[serde(rename = "SOARefresh")]
    pub soa_refresh: u32,
    /// The same.
    #[serde(rename = "SOARetry")]
    pub soa_retry: u32,
    /// The same.
    #[serde(rename = "SOAExpire")]
    pub soa_expire: u32,
    /// The same; the original takes it, and answers with its time to live.
    #[serde(rename = "SOAMinttl")]
    pub soa_minttl: u32,
    /// The name server's own name.
    #[serde(rename = "SOAMname")]
    pub soa_mname: String,
    /// Whom to write to.
    #[serde(rename = "SOARname")]
    pub soa_rname: String,
    /// Masters as `host:port`: asked one after the other, and named `master0` and so on.
    pub masters: Vec<String>,
    /// Other name servers, as addresses with or without a port.
    pub resolvers: Vec<String>,
    /// Where tasks' addresses are taken from, first things first.
    #[serde(rename = "IPSources")]
    pub ip_sources: Vec<String>,
    /// Where ZooKeeper tells who leads.
    pub zk: String,
    /// Below which name all others are.
    pub domain: String,
    /// Where it listens for questions.
    pub listener: String,
    /// Where it listens for HTTP.
    #[serde(rename = "HTTPListener")]
    pub http_listener: String,
    /// Whether answers say that other names could be asked for.
    pub recurse_on: bool,
    /// Whether questions are answered.
    #[serde(rename = "DnsOn")]
    pub dns_on: bool,
    /// Whether HTTP is answered.
    #[serde(rename = "HttpOn")]
    pub http_on: bool,
    /// Whether questions for other names are asked of other name servers.
    pub external_on: bool,
    /// Whether names are made by the older and stricter rules.
    #[serde(rename = "EnforceRFC952")]
    pub enforce_rfc952: bool,
    /// Whether all records can be seen at once.
    pub enumeration_on: bool,
    /// Whether answers that were cut say so.
    pub set_truncate_bit: bool,
}

impl Default for Config {
    fn default() -> Self {
        let host = "127.0.0.1".to_owned();
        Config {
            refresh_seconds: 60,
            port: 8053,
            timeout: 5,
            state_timeout_seconds: 300,
            zk_detection_timeout: 30,
            http_port: 8123,
            ttl: 60,
            soa_refresh: 60,
            soa_retry: 600,
            soa_expire: 86400,
            soa_minttl: 60,
            soa_mname: "ns1.mesos.".to_owned(),
            soa_rname: "root.ns1.mesos.".to_owned(),
            masters: Vec::new(),
            resolvers: Vec::new(),
            ip_sources: ["netinfo", "mesos", "host"].map(str::to_owned).to_vec(),
            zk: String::new(),
            domain: "mesos".to_owned(),
            listener: host.clone(),
            http_listener: host,
            recurse_on: true,
            dns_on: true,
            http_on: true,
            external_on: false,
            enforce_rfc952: false,
            enumeration_on: true,
            set_truncate_bit: true,
        }
    }
}

impl Config {
    /// Sets a key of the original's `config.json`, whose case means nothing.
    pub fn set(&mut self, key: &str, value: Value) -> Result<(), ConfigError> {
        match key.to_lowercase().as_str() {
            "refreshseconds" => self.refresh_seconds = read(key, value)?,
            "port" => self.port = read(key, value)?,
            "timeout" => self.timeout = read(key, value)?,
            "statetimeoutseconds" => self.state_timeout_seconds = read(key, value)?,
            "zkdetectiontimeout" => self.zk_detection_timeout = read(key, value)?,
            "httpport" => self.http_port = read(key, value)?,
            "ttl" => self.ttl = read(key, value)?,
            "soarefresh" => self.soa_refresh = read(key, value)?,
            "soaretry" => self.soa_retry = read(key, value)?,
            "soaexpire" => self.soa_expire = read(key, value)?,
            "soaminttl" => self.soa_minttl = read(key, value)?,
            "soamname" => self.soa_mname = rooted(&read::<String>(key, value)?),
            "soarname" => self.soa_rname = rooted(&read::<String>(key, value)?.replace('@', ".")),
            "masters" => self.masters = read(key, value)?,
            "resolvers" => {
                self.resolvers = read(key, value)?;
                self.resolvers().map_err(|why| wrong(key, why))?;
            }
            "ipsources" => {
                self.ip_sources = read(key, value)?;
                self.sources().map_err(|why| wrong(key, why))?;
            }
            "zk" => self.zk = read(key, value)?,
            "domain" => self.domain = domain(&read::<String>(key, value)?).map_err(|why| wrong(key, why))?,
            "listener" => {
                self.listener = address(&read::<String>(key, value)?).map_err(|why| wrong(key, why))?
            }
            "httplistener" => {
                self.http_listener = address(&read::<String>(key, value)?).map_err(|why| wrong(key, why))?;
            }
            "recurseon" => self.recurse_on = read(key, value)?,
            "dnson" => self.dns_on = read(key, value)?,
            "httpon" => self.http_on = read(key, value)?,
            "externalon" => self.external_on = read(key, value)?,
            "enforcerfc952" => self.enforce_rfc952 = read(key, value)?,
            "enumerationon" => self.enumeration_on = read(key, value)?,
            "settruncatebit" => self.set_truncate_bit = read(key, value)?,
            _ => return Err(ConfigError::Unknown(key.to_owned())),
        }
        Ok(())
    }

    /// Where other names are asked for.
    pub(crate) fn resolvers(&self) -> Result<Vec<SocketAddr>, String> {
        let address = |text: &String| {
            let with_port = text.parse().ok();
            let alone = || Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, PORT));
            with_port
                .or_else(alone)
                .ok_or_else(|| format!("{text} is no address of a name server"))
        };
        self.resolvers.iter().map(address).collect()
    }

    pub(crate) fn sources(&self) -> Result<Vec<Source>, String> {
        let source = |name: &String| {
            let known = Source::NAMES.into_iter().find(|(known, _)| known == name);
            known
                .map(|(_, source)| source)
                .ok_or_else(|| format!("{name} is no source of addresses"))
        };
        self.ip_sources.iter().map(source).collect()
    }

    pub(crate) fn soa(&self) -> Soa {
        Soa {
            mname: self.soa_mname.clone(),
            rname: self.soa_rname.clone(),
            refresh: self.soa_refresh,
            retry: self.soa_retry,
            expire: self.soa_expire,
        }
    }

    /// How names are made; `listens` is where the name server is found.
    pub(crate) fn naming(&self, listens: Vec<IpAddr>) -> Result<Naming, String> {
        Ok(Naming {
            domain: self.domain.clone(),
            rules: match self.enforce_rfc952 {
                true => Rules::Rfc952,
                false => Rules::Rfc1123,
            },
            sources: self.sources()?,
            server: self.soa_mname.clone(),
            listens,
            masters: self.masters.clone(),
        })
    }
}

fn wrong(key: &str, why: String) -> ConfigError {
    ConfigError::Value {
        key: key.to_owned(),
        why,
    }
}

fn read<T: DeserializeOwned>(key: &str, value: Value) -> Result<T, ConfigError> {
    serde_json::from_value(value).map_err(|error| wrong(key, error.to_string()))
}

/// A name with the dot of the root.
fn rooted(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn domain(name: &str) -> Result<String, String> {
    let name = name.trim_end_matches('.').to_lowercase();
    let sound = |label: &str| {
        let inside = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        inside && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    match name.len() <= 200 && name.split('.').all(sound) {
        true => Ok(name),
        false => Err(format!("{name} is no name of a domain")),
    }
}

fn address(text: &str) -> Result<String, String> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(format!("{text} is no address")),
    }
}

#[cfg(test)]
mod tests;
