//! The records of a cluster, by the original's rules.

use super::{
    cluster::{Addresses, Agent, Cluster, Discovery, Framework, Task},
    labels::{Rules, agent_tail, hashed},
    zone::{Listed, ListedFramework, ListedRecord, ListedTask, Service, Value, Zone},
};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

/// Where a task's address is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Its agent's.
    Host,
    /// What its container's network told.
    NetInfo,
    /// What a containerizer told by a label.
    Docker,
    Mesos,
    /// As the labels of its first port say: its agent's, or its container's.
    AutoIp,
}

impl Source {
    pub(crate) const NAMES: [(&'static str, Source); 5] = [
        ("host", Source::Host),
        ("mesos", Source::Mesos),
        ("docker", Source::Docker),
        ("netinfo", Source::NetInfo),
        ("autoip", Source::AutoIp),
    ];
}

/// How names are made.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    pub(crate) domain: String,
    pub(crate) rules: Rules,
    pub(crate) sources: Vec<Source>,
    /// The name server's own name, and where it is.
    pub(crate) server: String,
    pub(crate) listens: Vec<IpAddr>,
    /// Masters that are configured, as `host:port`.
    pub(crate) masters: Vec<String>,
}

/// Where hosts are that were looked up.
pub(crate) type Hosts = HashMap<String, Vec<IpAddr>>;

/// The leading master: its host and port.
pub(crate) type Leader = (String, u16);

/// Makes every record of a cluster.
pub(crate) fn generate(naming: &Naming, cluster: &Cluster, leader: Option<&Leader>, hosts: &Hosts) -> Zone {
    let mut zone = Zone::empty(&naming.domain);
    let mut generator = Generator {
        naming,
        hosts,
        zone: &mut zone,
    };
    for framework in cluster.frameworks.values() {
        generator.framework(framework);
    }
    for agent in cluster.agents.values() {
        generator.agent(agent);
    }
    for address in &naming.listens {
        generator.zone.add(&naming.server, Value::Address(*address));
    }
    if let Some(leader) = leader {
        generator.masters(leader);
    }
    let frameworks = cluster.frameworks.values();
    let frameworks: Vec<_> = frameworks
        .map(|framework| generator.tasks(framework, &cluster.agents))
        .collect();
    zone.listed = Listed {
        frameworks: (!frameworks.is_empty()).then_some(frameworks),
    };
    zone
}

/// At most one address of each kind: the first ones.
fn one_of_each(addresses: impl IntoIterator<Item = IpAddr>) -> Vec<IpAddr> {
    let (mut v4, mut v6) = (None, None);
    for address in addresses {
        match address {
            IpAddr::V4(_) => v4.get_or_insert(address),
            IpAddr::V6(_) => v6.get_or_insert(address),
        };
    }
    v4.into_iter().chain(v6).collect()
}

struct Generator<'a> {
    naming: &'a Naming,
    hosts: &'a Hosts,
    zone: &'a mut Zone,
}

impl Generator<'_> {
    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        match host.parse() {
            Ok(address) => vec![address],
            Err(_) => one_of_each(self.hosts.get(host).into_iter().flatten().copied()),
        }
    }

    fn name(&self, rest: &str) -> String {
        format!("{rest}.{}.", self.naming.domain)
    }

    fn service(&mut self, name: &str, target: &str, port: u16) {
        let target = target.to_owned();
        self.zone.add(name, Value::Service(Service { target, port }));
    }

    /// `FRAMEWORK.mesos`. A framework that speaks HTTP has no port of its own.
    fn framework(&mut self, framework: &Framework) {
        let name = self.naming.rules.labels(&framework.name);
        let name = self.name(&name);
        for address in self.addresses(&framework.host) {
            self.zone.add(&name, Value::Address(address));
        }
    }

    /// `slave.mesos` and `_slave._tcp.mesos`.
    fn agent(&mut self, agent: &Agent) {
        let name = self.name("slave");
        let addresses = self.addresses(&agent.host);
        for address in &addresses {
            self.zone.add(&name, Value::Address(*address));
        }
        if let (false, Ok(port)) = (addresses.is_empty(), agent.port.parse()) {
            self.service(&self.name("_slave._tcp"), &name, port);
        }
    }

    /// `leader.mesos`, `master.mesos`, `master0.mesos` and so on, `_leader._tcp.mesos` and `_leader._udp.mesos`.
    fn masters(&mut self, (host, port): &Leader) {
        let leads = self.addresses(host);
        let (leader, all) = (self.name("leader"), self.name("master"));
        for address in &leads {
            self.zone.add(&leader, Value::Address(*address));
            self.zone.add(&all, Value::Address(*address));
        }
        for service in ["_leader._tcp", "_leader._udp"] {
            self.service(&self.name(service), &leader, *port);
        }
        let mut count = 0;
        let mut leader_counted = false;
        for master in &self.naming.masters {
            let Some((at, its_port)) = master.rsplit_once(':') else {
                continue;
            };
            let addresses = self.addresses(at.trim_matches(['[', ']']));
            let is_leader = its_port.parse() == Ok(*port) && addresses == leads;
            let news = addresses
                .iter()
                .filter(|address| self.zone.add(&all, Value::Address(**address)))
                .count();
            // Who is there already under another number has no second one.
            if is_leader && leader_counted || !is_leader && news == 0 {
                continue;
            }
            leader_counted |= is_leader;
            self.master(count, &addresses);
            count += 1;
        }
        if !leader_counted {
            self.master(count, &leads);
        }
    }

    fn master(&mut self, number: usize, addresses: &[IpAddr]) {
        let name = self.name(&format!("master{number}"));
        for address in addresses {
            self.zone.add(&name, Value::Address(*address));
        }
    }

    fn tasks(&mut self, framework: &Framework, agents: &BTreeMap<String, Agent>) -> ListedFramework {
        let named = self.naming.rules.labels(&framework.name);
        let mut tasks = Vec::new();
        for (id, task) in &framework.tasks {
            // A task whose agent is not known is not known to run, either.
            if let (true, Some(agent)) = (task.runs, agents.get(&task.agent)) {
                tasks.push(self.task(&named, id, task, agent));
            }
        }
        ListedFramework {
            tasks,
            name: framework.name.clone(),
        }
    }

    fn task(&mut self, framework: &str, id: &str, task: &Task, agent: &Agent) -> ListedTask {
        let at_agent = self.addresses(&agent.host);
        let sources = self.naming.sources.iter();
        let sources = sources.flat_map(|source| of_source(*source, task, &at_agent));
        let mut named = Named {
            framework,
            id: format!("{}-{}", hashed(id), agent_tail(&task.agent)),
            addresses: one_of_each(sources),
            at_agent,
            records: Vec::new(),
        };
        let rules = self.naming.rules;
        match &task.discovery {
            None => self.task_named(&rules.label(&task.name), task, &mut named),
            Some(discovery) => {
                // The original's own legacy: the name as it is told, where that is a name.
                self.task_named(&discovery.name, task, &mut named);
                self.task_named(&rules.label(&discovery.name), task, &mut named);
            }
        }
        ListedTask {
            name: task.name.clone(),
            id: id.to_owned(),
            records: (!named.records.is_empty()).then_some(named.records),
        }
    }

    /// The records of a task by one of its names.
    fn task_named(&mut self, name: &str, task: &Task, of: &mut Named<'_>) {
        let canonical = format!("{name}-{}.{}", of.id, of.framework);
        let plain = format!("{name}.{}", of.framework);
        for address in of.addresses.clone() {
            self.add(self.name(&plain), Value::Address(address), of);
            self.add(self.name(&canonical), Value::Address(address), of);
        }
        for address in of.at_agent.clone() {
            self.add(self.name(&format!("{plain}.slave")), Value::Address(address), of);
            self.add(
                self.name(&format!("{canonical}.slave")),
                Value::Address(address),
                of,
            );
        }
        let target = self.name(&format!("{canonical}.slave"));
        let subdomains = match task.discovery {
            Some(_) => &[".slave"][..],
            None => &[".slave", ""][..],
        };
        for port in &task.ports {
            let service = Service {
                target: target.clone(),
                port: *port,
            };
            for subdomain in subdomains {
                for protocol in ["tcp", "udp"] {
                    let name = format!("_{name}._{protocol}.{}{subdomain}", of.framework);
                    self.add(self.name(&name), Value::Service(service.clone()), of);
                }
            }
        }
        if let Some(discovery) = &task.discovery {
            self.discovered(name, &self.name(&canonical), discovery, of);
        }
    }

    /// The ports that a task tells of, at its own address.
    fn discovered(&mut self, name: &str, target: &str, discovery: &Discovery, of: &mut Named<'_>) {
        let rules = self.naming.rules;
        for port in &discovery.ports {
            let Ok(number) = u16::try_from(port.number) else {
                continue;
            };
            let service = Value::Service(Service {
                target: target.to_owned(),
                port: number,
            });
            let protocol = rules.label(&port.protocol);
            let protocols = match protocol.as_str() {
                "" => &["tcp", "udp"][..],
                one => &[one][..],
            };
            let label = rules.label(&port.name);
            for protocol in protocols {
                let name = format!("_{name}._{protocol}.{}", of.framework);
                self.add(self.name(&name), service.clone(), of);
                if !label.is_empty() {
                    self.add(self.name(&format!("_{label}.{name}")), service.clone(), of);
                }
            }
        }
    }

    /// Adds a record of a task, and lists it where it is a new one.
    fn add(&mut self, name: String, value: Value, of: &mut Named<'_>) {
        if !self.zone.add(&name, value.clone()) {
            return;
        }
        let (host, rtype) = match value {
            Value::Address(address @ IpAddr::V4(_)) => (address.to_string(), "A"),
            Value::Address(address @ IpAddr::V6(_)) => (address.to_string(), "AAAA"),
            Value::Service(service) => (service.text(), "SRV"),
        };
        of.records.push(ListedRecord { name, host, rtype });
    }
}

/// A task while its records are made.
struct Named<'a> {
    framework: &'a str,
    /// What tells it from others of its name.
    id: String,
    addresses: Vec<IpAddr>,
    at_agent: Vec<IpAddr>,
    records: Vec<ListedRecord>,
}

/// The addresses of a task by one source.
fn of_source(source: Source, task: &Task, at_agent: &[IpAddr]) -> Vec<IpAddr> {
    let Addresses {
        networks,
        docker,
        mesos,
        ..
    } = &task.addresses;
    let of_network = |name: &str| {
        let wanted = networks
            .iter()
            .filter(|(network, _)| name.is_empty() || network == name);
        wanted.map(|(_, address)| *address).collect()
    };
    match source {
        Source::Host => at_agent.to_vec(),
        Source::Docker => docker.clone(),
        Source::Mesos => mesos.clone(),
        Source::NetInfo => of_network(""),
        Source::AutoIp => {
            let first = task.discovery.iter().flat_map(|told| &told.ports).next();
            match first.map(|port| (port.scope.as_str(), port.network.as_str())) {
                Some(("" | "host", _)) => at_agent.to_vec(),
                Some(("container", network)) => of_network(network),
                _ => Vec::new(),
            }
        }
    }
}
