//! The listeners that Kafka's keys ask for, at the start and while the broker runs; what is wrong is said in Kafka's words.

use super::{
    Listener,
    alter::AlterFault,
    broker::BrokerConfig,
    definition::items,
    listener_keys::of,
    properties::{Given, PropertiesError},
};
use server_kit::TlsOptions;
use std::{collections::BTreeMap, net::IpAddr};

pub(crate) const LISTENERS: &str = "listeners";
pub(crate) const PROTOCOLS: &str = "listener.security.protocol.map";
const ADVERTISED: &str = "advertised.listeners";
const CONTROLLERS: &str = "controller.listener.names";

/// The protocols that listeners of these names have by themselves.
const BY_NAME: [&str; 4] = ["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL", "SSL"];

/// One of `NAME://host:port,...`.
struct Endpoint<'a> {
    name: String,
    host: &'a str,
    port: &'a str,
}

impl<'a> Endpoint<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (name, address) = text.split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        Some(Endpoint {
            name: name.to_uppercase(),
            host,
            port,
        })
    }

    /// Where it binds: every address of this machine where it says none.
    fn bind(&self) -> String {
        match self.host {
            "" => format!("0.0.0.0:{}", self.port),
            host => format!("{host}:{}", self.port),
        }
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }
}

impl<'a> Given<'a> {
    /// The listeners for clients. Those that `now` has already stay as they are but for where they bind.
    pub(super) fn listeners(&self, now: &[Listener]) -> Result<Vec<Listener>, PropertiesError> {
        let protocols = self.protocols()?;
        let controllers = self.controllers();
        let asked = distinct(self.text(LISTENERS).unwrap_or_default());
        if asked.is_empty() {
            let why = format!(
                "Configuration '{LISTENERS}' must not be empty. Valid values include: any non-empty value"
            );
            return Err(PropertiesError::Invalid(why));
        }
        let all = format!("[{}]", asked.join(", "));
        let wrong = |why: String| {
            PropertiesError::Invalid(format!("Error creating broker listeners from '{all}': {why}"))
        };
        let mut endpoints = Vec::new();
        for item in asked {
            let endpoint = Endpoint::parse(item)
                .ok_or_else(|| wrong(format!("Unable to parse {item} to a broker endpoint")))?;
            if !protocols.contains_key(&endpoint.name) {
                let why = format!("No security protocol defined for listener {}", endpoint.name);
                return Err(wrong(why));
            }
            endpoints.push(endpoint);
        }
        check_distinct(&endpoints, &all).map_err(wrong)?;
        let listeners = endpoints
            .iter()
            .filter(|endpoint| !controllers.contains(&endpoint.name))
            .map(|endpoint| self.listener(endpoint, &protocols, now));
        let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
        match listeners.is_empty() {
            true => Err(PropertiesError::new(LISTENERS, &all, "no listener for clients")),
            false => Ok(listeners),
        }
    }

    fn listener(
        &self,
        endpoint: &Endpoint<'_>,
        protocols: &BTreeMap<String, &str>,
        now: &[Listener],
    ) -> Result<Listener, PropertiesError> {
        let name = &endpoint.name;
        let bind = endpoint.bind();
        if let Some(known) = now.iter().find(|listener| listener.name == *name) {
            let known = known.clone();
            return Ok(Listener { bind, ..known });
        }
        let tls = match protocols.get(name).copied().unwrap_or_default() {
            "PLAINTEXT" => None,
            "SSL" => Some(self.tls_options(name)?),
            other => {
                let why = format!("security protocol {other} is not served");
                return Err(PropertiesError::new(LISTENERS, name, why));
            }
        };
        Ok(Listener {
            name: name.clone(),
            bind,
            tls,
            ..Listener::default()
        })
    }

    /// Tells each listener of `listeners` the address that its clients are told, where it is another one.
    pub(super) fn advertise(&self, listeners: &mut [Listener]) -> Result<(), PropertiesError> {
        let text = self.text(ADVERTISED).unwrap_or_default();
        let controllers = self.controllers();
        for item in items(text) {
            let told = Endpoint::parse(item).ok_or_else(|| {
                PropertiesError::Invalid(format!(
                    "Error creating broker listeners from '{text}': Unable to parse {item} to a broker endpoint"
                ))
            })?;
            let listener = listeners.iter_mut().find(|listener| listener.name == told.name);
            match listener {
                Some(listener) => listener.advertised = Some(format!("{}:{}", told.host, told.port)),
                None if controllers.contains(&told.name) => {}
                None => return Err(PropertiesError::new(ADVERTISED, &told.name, "no such listener")),
            }
        }
        Ok(())
    }

    /// Names of listeners for controllers: they are known and not opened.
    fn controllers(&self) -> Vec<String> {
        items(self.text(CONTROLLERS).unwrap_or_default())
            .map(str::to_uppercase)
            .collect()
    }

    /// The security protocol of each listener by its name.
    fn protocols(&self) -> Result<BTreeMap<String, &'a str>, PropertiesError> {
        let Some(map) = self.0.get(PROTOCOLS) else {
            return Ok(BY_NAME.iter().map(|name| ((*name).to_owned(), *name)).collect());
        };
        let pair = |item| {
            let (name, protocol) = str::rsplit_once(item, ':').ok_or_else(|| {
                let length = item.encode_utf16().count();
                format!(
                    "Error parsing configuration property '{PROTOCOLS}': begin 0, end -1, length {length}"
                )
            })?;
            match BY_NAME.contains(&protocol.trim()) {
                true => Ok((name.trim().to_uppercase(), protocol.trim())),
                false => Err(format!(
                    "Invalid security protocol `{protocol}` defined in {PROTOCOLS}"
                )),
            }
        };
        items(map)
            .map(pair)
            .collect::<Result<_, _>>()
            .map_err(PropertiesError::Invalid)
    }

    /// Certificates of the listener `name`: its own keys go before those of all listeners.
    pub(super) fn tls_options(&self, name: &str) -> Result<TlsOptions, PropertiesError> {
        let own = |key: &str| {
            let own = self.text(&of(name, key)).or_else(|| self.text(key));
            own.map(str::to_owned)
        };
        let list = |key: &str| items(&own(key).unwrap_or_default()).map(str::to_owned).collect();
        for key in ["ssl.keystore.type", "ssl.truststore.type"] {
            if let Some(kind) = own(key).filter(|kind| kind != "PEM") {
                return Err(PropertiesError::new(key, &kind, "only PEM is served"));
            }
        }
        let (location, trust) = (own("ssl.keystore.location"), own("ssl.truststore.location"));
        let absent =
            || PropertiesError::new("ssl.keystore.location", "", "an SSL listener needs a certificate");
        Ok(TlsOptions {
            certificates: own("ssl.keystore.certificate.chain")
                .or_else(|| location.clone())
                .ok_or_else(absent)?,
            key: own("ssl.keystore.key").or(location).ok_or_else(absent)?,
            client_ca: own("ssl.truststore.certificates").or(trust),
            client_required: own("ssl.client.auth").as_deref() == Some("required"),
            protocols: list("ssl.enabled.protocols"),
            cipher_suites: list("ssl.cipher.suites"),
        })
    }
}

/// The items of a list, each once.
fn distinct(list: &str) -> Vec<&str> {
    let mut once = Vec::new();
    for item in items(list) {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}

/// Whether no two endpoints have the same name, or the same port but for one of each version of IP.
fn check_distinct(endpoints: &[Endpoint<'_>], all: &str) -> Result<(), String> {
    for (at, one) in endpoints.iter().enumerate() {
        if endpoints[..at].iter().any(|other| other.name == one.name) {
            return Err(format!(
                "Each listener must have a different name, listeners: {all}"
            ));
        }
    }
    for one in endpoints.iter().filter(|one| one.port != "0") {
        let same: Vec<_> = endpoints.iter().filter(|other| other.port == one.port).collect();
        let versions: Vec<_> = same.iter().map(|one| one.ip().map(|ip| ip.is_ipv4())).collect();
        if versions.len() > 1 && !matches!(versions[..], [Some(one), Some(other)] if one != other) {
            return Err(format!(
                "If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: \
                 {all}, port: {}",
                one.port
            ));
        }
    }
    Ok(())
}

/// The listeners that there are to be by `config`, where those of `started` were before anything was set.
pub(crate) fn wanted(
    started: &[Listener],
    now: &[Listener],
    config: &BrokerConfig,
) -> Result<Vec<Listener>, AlterFault> {
    let is_set = |key: &str| config.own.contains_key(key);
    if !is_set(LISTENERS) && !is_set(PROTOCOLS) {
        return Ok(started.to_vec());
    }
    let all = config.flat();
    let asked = Given(&all).listeners(now);
    let asked = asked.map_err(|why| AlterFault::Request(why.to_string()))?;
    Ok(if is_set(LISTENERS) {
        asked
    } else {
        started.to_vec()
    })
}

/// Whether `next` may take the place of `now`, by what the keys about listeners say in `config`.
pub(crate) fn check(
    now: &[Listener],
    next: &[Listener],
    inter_broker: &str,
    (before, config): (&BrokerConfig, &BrokerConfig),
) -> Result<(), AlterFault> {
    let (before, all) = (before.flat(), config.flat());
    check_names(now, next, inter_broker, &Given(&all))?;
    check_protocols(now, next, &Given(&before), &Given(&all))
}

/// Whether the names that `given` has in several keys go together.
fn check_names(
    now: &[Listener],
    next: &[Listener],
    inter_broker: &str,
    given: &Given<'_>,
) -> Result<(), AlterFault> {
    let refused = |why: String| Err(AlterFault::Request(format!("requirement failed: {why}")));
    let names = |key: &str| -> Vec<String> {
        items(given.text(key).unwrap_or_default())
            .filter_map(|item| Some(Endpoint::parse(item)?.name))
            .collect()
    };
    let asked = names(LISTENERS);
    let controllers = given.controllers();
    if !controllers.is_empty() && !asked.iter().any(|name| controllers.contains(name)) {
        return refused(format!(
            "{CONTROLLERS} must contain at least one value appearing in the '{LISTENERS}' configuration when running \
             the KRaft controller role"
        ));
    }
    let mut advertised = names(ADVERTISED);
    if advertised.iter().any(|name| !asked.contains(name)) {
        return refused(format!(
            "{ADVERTISED} listener names must be equal to or a subset of the ones defined in {LISTENERS}. Found {}. The \
             valid options based on the current configuration are {}",
            advertised.join(","),
            asked.join(",")
        ));
    }
    if has(now, inter_broker) && !has(next, inter_broker) {
        let left: Vec<_> = next.iter().map(|listener| listener.name.as_str()).collect();
        return refused(format!(
            "inter.broker.listener.name must be a listener name defined in {ADVERTISED}. The valid options based on \
             currently configured listeners are {}",
            left.join(",")
        ));
    }
    // Without `advertised.listeners` every listener is advertised, and what is advertised stays.
    if advertised.is_empty() {
        advertised = now.iter().map(|listener| listener.name.clone()).collect();
    }
    if advertised.iter().any(|name| !asked.contains(name)) {
        return Err(AlterFault::of_class(&format!(
            "Advertised listeners '{}' must be a subset of listeners '{}'",
            set_of(&advertised),
            set_of(&asked)
        )));
    }
    Ok(())
}

/// Whether the listeners that stay keep their protocols.
fn check_protocols(
    now: &[Listener],
    next: &[Listener],
    before: &Given<'_>,
    given: &Given<'_>,
) -> Result<(), AlterFault> {
    let faulty = |why: PropertiesError| AlterFault::Request(why.to_string());
    let before = before.protocols().map_err(faulty)?;
    let after = given.protocols().map_err(faulty)?;
    let mut staying = now.iter().filter(|listener| has(next, &listener.name));
    match staying.find(|listener| before.get(&listener.name) != after.get(&listener.name)) {
        Some(Listener { name, .. }) => Err(AlterFault::of_class(&format!(
            "Security protocol cannot be updated for existing listener ListenerName({name})"
        ))),
        None => Ok(()),
    }
}

fn has(listeners: &[Listener], name: &str) -> bool {
    listeners.iter().any(|listener| listener.name == name)
}

/// The listeners that there are from the start, as `properties` write them but where something else said otherwise; those
/// of controllers behind.
pub(crate) fn listeners_of(properties: &BTreeMap<String, String>, listeners: &[Listener]) -> String {
    let given = Given(properties);
    let written = distinct(given.text(LISTENERS).unwrap_or_default());
    let is = |item: &&str, listener: &Listener| {
        let endpoint = Endpoint::parse(item);
        endpoint.is_some_and(|one| one.name == listener.name.to_uppercase() && one.bind() == listener.bind)
    };
    let own = listeners.iter().map(|listener| {
        let item = written.iter().copied().find(|item| is(item, listener));
        item.map_or_else(|| format!("{}://{}", listener.name, listener.bind), str::to_owned)
    });
    let controllers = given.controllers();
    let of_controller =
        |item: &&&str| Endpoint::parse(item).is_some_and(|one| controllers.contains(&one.name));
    let others = written
        .iter()
        .filter(of_controller)
        .map(|item| (*item).to_owned());
    own.chain(others).collect::<Vec<_>>().join(",")
}

/// The map of security protocols, where `map` and the listeners that there are from the start say it together.
pub(crate) fn protocols_of(map: Option<&String>, listeners: &[Listener]) -> Option<String> {
    let given: BTreeMap<String, String> = map
        .map(|map| (PROTOCOLS.to_owned(), map.clone()))
        .into_iter()
        .collect();
    let mut protocols = Given(&given).protocols().ok()?;
    let own = |listener: &Listener| {
        if listener.tls.is_some() {
            "SSL"
        } else {
            "PLAINTEXT"
        }
    };
    let other: Vec<_> = listeners
        .iter()
        .filter(|listener| protocols.get(&listener.name.to_uppercase()) != Some(&own(listener)))
        .collect();
    if other.is_empty() {
        return map.cloned();
    }
    protocols.extend(
        other
            .iter()
            .map(|listener| (listener.name.to_uppercase(), own(listener))),
    );
    let pairs: Vec<_> = protocols
        .iter()
        .map(|(name, protocol)| format!("{name}:{protocol}"))
        .collect();
    Some(pairs.join(","))
}

/// As Scala shows a set of listeners.
fn set_of(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("ListenerName({name})")).collect();
    format!("Set({})", names.join(", "))
}
