//! Where the master is: one address, or whoever leads according to ZooKeeper.
//!
//! Knows: how a master is named, and what masters leave in ZooKeeper. Never: sockets, or what is asked of a master.

#[cfg(test)]
mod tests;

use crate::v1::MasterInfo;
use prost::Message;
use serde_json::Value;
use std::{fmt, fs};

/// Where the original listens, for those who leave the port out of a list of ZooKeepers.
const ZOOKEEPER_PORT: u16 = 2181;
/// Files that name files that name the master.
const FILES_MAX: usize = 4;

/// What a master's node is called, before the number that ZooKeeper gives it. It holds the master's `MasterInfo` in JSON.
pub const NODE: &str = "json.info_";
/// The same as masters before 0.24 left it: in protobuf.
const OLD_NODE: &str = "info_";

/// Why a name is none of a master.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Neither `host:port` nor `zk://` nor `file://`.
    #[error("Failed to parse '{0}'")]
    Unparsable(String),
    /// A list of ZooKeepers without the path below which masters stand.
    #[error("Expecting a (chroot) path for ZooKeeper ('/' is not supported)")]
    NoPath,
    /// The file that names the master cannot be read.
    #[error("Failed to read from file at '{0}'")]
    File(String),
}

/// A server: its host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Address {
    /// Reads `host:port`, where an IPv6 address stands in brackets. A libprocess name may come before an `@`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let unparsable = || NameError::Unparsable(text.to_owned());
        let place = text.rsplit('@').next().unwrap_or(text);
        let (host, port) = place.rsplit_once(':').ok_or_else(unparsable)?;
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let port = port.parse().map_err(|_| unparsable())?;
        let sound =
            !host.is_empty() && !host.contains(|at: char| at.is_whitespace() || at.is_control() || at == '/');
        match sound {
            true => Ok(Address {
                host: host.to_owned(),
                port,
            }),
            false => Err(unparsable()),
        }
    }

    /// Reads what a master tells of itself in a node of this name in ZooKeeper.
    pub fn of_node(name: &str, content: &[u8]) -> Option<Self> {
        match name.starts_with(OLD_NODE) {
            true => Self::of_master_info(&MasterInfo::decode(content).ok()?),
            false => Self::of_json(content),
        }
    }

    /// Where a master says that it is.
    pub fn of_master_info(info: &MasterInfo) -> Option<Self> {
        let address = info.address.as_ref();
        let hosts = [
            address.and_then(|address| address.hostname.as_deref()),
            address.and_then(|address| address.ip.as_deref()),
            info.hostname.as_deref(),
        ];
        let host = hosts.into_iter().flatten().find(|host| !host.is_empty())?;
        Some(Address {
            host: host.to_owned(),
            port: u16::try_from(info.port).ok()?,
        })
    }

    fn of_json(json: &[u8]) -> Option<Self> {
        let info: Value = serde_json::from_slice(json).ok()?;
        let address = &info["address"];
        let host = [&address["hostname"], &address["ip"], &info["hostname"]]
            .iter()
            .find_map(|host| host.as_str().filter(|host| !host.is_empty()))?
            .to_owned();
        let port = address["port"].as_u64().or(info["port"].as_u64())?;
        Some(Address {
            host,
            port: u16::try_from(port).ok()?,
        })
    }

    /// Reads where a standby master sends its clients: `//host:port/path`.
    pub fn of_location(location: &str) -> Option<Self> {
        let place = location
            .strip_prefix("http:")
            .unwrap_or(location)
            .strip_prefix("//")?;
        Address::parse(place.split('/').next()?).ok()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(to, "[{}]:{}", self.host, self.port),
            false => write!(to, "{}:{}", self.host, self.port),
        }
    }
}

/// How a master is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The one master, or one that tells who leads.
    At(Address),
    /// Whoever leads according to ZooKeeper.
    ZooKeeper(Ensemble),
}

/// The ZooKeepers that know who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensemble {
    /// Its servers.
    pub servers: Vec<Address>,
    /// `user:password`, where the masters' nodes are not for everybody.
    pub credentials: Option<String>,
    /// Where the masters stand.
    pub path: String,
}

impl Location {
    /// Reads a name as frameworks give it.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let mut name = name.trim().to_owned();
        for _ in 0..FILES_MAX {
            let Some(path) = name.strip_prefix("file://") else {
                break;
            };
            let read = fs::read_to_string(path).map_err(|_| NameError::File(path.to_owned()))?;
            name = read.trim().to_owned();
        }
        match name.strip_prefix("zk://") {
            Some(ensemble) => Ensemble::parse(ensemble).map(Location::ZooKeeper),
            None => Address::parse(&name).map(Location::At),
        }
    }
}

impl Ensemble {
    /// Reads `[user:password@]host[:port],...` and a path.
    fn parse(text: &str) -> Result<Self, NameError> {
        let (servers, path) = text.split_once('/').ok_or(NameError::NoPath)?;
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Err(NameError::NoPath);
        }
        let (credentials, servers) = match servers.rsplit_once('@') {
            Some((credentials, servers)) => (Some(credentials.to_owned()), servers),
            None => (None, servers),
        };
        let server = |server: &str| match server.contains(':') {
            true => Address::parse(server),
            false => Address::parse(&format!("{server}:{ZOOKEEPER_PORT}")),
        };
        Ok(Ensemble {
            servers: servers.split(',').map(server).collect::<Result<_, _>>()?,
            credentials,
            path: format!("/{path}"),
        })
    }
}

/// As it is named, but for the credentials.
impl fmt::Display for Ensemble {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(ToString::to_string);
        write!(to, "zk://{}{}", servers.collect::<Vec<_>>().join(","), self.path)
    }
}

/// The node of the leading master among the names below the masters' node: the one that stands there longest.
pub fn leading(names: &[String]) -> Option<&str> {
    let number = |name: &str| {
        let number = name.strip_prefix(NODE).or_else(|| name.strip_prefix(OLD_NODE))?;
        number.parse::<u64>().ok()
    };
    let numbered = names.iter().filter_map(|name| Some((number(name)?, name)));
    numbered.min().map(|(_, name)| name.as_str())
}
