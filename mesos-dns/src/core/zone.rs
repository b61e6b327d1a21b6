//! Records by their names.

use foldhash::fast::RandomState;
use indexmap::IndexSet;
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A record's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Address(IpAddr),
    Service(Service),
}

/// Where a service is: a name, and a port at its addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    pub(crate) target: String,
    pub(crate) port: u16,
}

impl Service {
    /// As the original writes it.
    pub(crate) fn text(&self) -> String {
        format!("{}:{}", self.target, self.port)
    }
}

/// What one name has. Nothing twice.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) a: IndexSet<Ipv4Addr>,
    pub(crate) aaaa: IndexSet<Ipv6Addr>,
    pub(crate) srv: IndexSet<Service>,
}

/// Which records tell of a task, for who wants to see all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Listed {
    /// Absent where there is none, as in the original.
    pub(crate) frameworks: Option<Vec<ListedFramework>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ListedFramework {
    pub(crate) tasks: Vec<ListedTask>,
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ListedTask {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) records: Option<Vec<ListedRecord>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ListedRecord {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) rtype: &'static str,
}

/// Every record, as of one moment.
#[derive(Debug)]
pub(crate) struct Zone {
    /// The name below which all of them are, with the dot of the root.
    pub(crate) apex: String,
    /// Grows with every change.
    pub(crate) serial: u32,
    pub(crate) listed: Listed,
    names: HashMap<String, Records, RandomState>,
}

impl Zone {
    pub(crate) fn empty(domain: &str) -> Self {
        Zone {
            apex: format!("{domain}."),
            serial: 0,
            listed: Listed { frameworks: None },
            names: HashMap::default(),
        }
    }

    /// What a name has, which is in lower case and ends with a dot.
    pub(crate) fn get(&self, name: &str) -> Option<&Records> {
        self.names.get(name)
    }

    /// Whether a name of that form is this zone's to know.
    pub(crate) fn owns(&self, name: &str) -> bool {
        name.strip_suffix(self.apex.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    pub(crate) fn names(&self) -> usize {
        self.names.len()
    }

    /// Adds a record, unless it is there.
    pub(crate) fn add(&mut self, name: &str, value: Value) -> bool {
        if !self.names.contains_key(name) {
            self.names.insert(name.to_owned(), Records::default());
        }
        let Some(records) = self.names.get_mut(name) else {
            return false;
        };
        match value {
            Value::Address(IpAddr::V4(address)) => records.a.insert(address),
            Value::Address(IpAddr::V6(address)) => records.aaaa.insert(address),
            Value::Service(service) => records.srv.insert(service),
        }
    }

    /// All values of a kind by their names.
    pub(crate) fn listed_by<T: ToString>(
        &self,
        values: impl Fn(&Records) -> Vec<T>,
    ) -> BTreeMap<&str, Vec<String>> {
        let named = self.names.iter().map(|(name, records)| (name, values(records)));
        named
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name.as_str(), values.iter().map(ToString::to_string).collect()))
            .collect()
    }
}
