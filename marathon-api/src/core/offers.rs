//! Where instances may be: offers are matched with what waits, and what was lacking is kept for who asks why.

use super::{
    Change, Core, Effect, REFUSE_SECONDS, REFUSE_SECONDS_WAITING, REVIVE_EVERY,
    app::{App, constraint::Place},
    instance::{Condition, Goal, Instance},
    launch,
    path::PathId,
    queue::Queued,
};
use mesos_proto::v1::{
    Attribute, Filters, Offer, OfferId, Resource, TaskInfo, offer,
    scheduler::{Call, call},
    value,
};
use server_kit::Random;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Tasks that are launched because of one message of offers at the most.
const LAUNCHES_MAX: usize = 1000;
/// What is in one unit of a resource, so that sums are exact.
const PARTS: f64 = 1000.0;

/// An offer, and what is left of it.
struct Pool {
    offer: Arc<Offer>,
    place: Place,
    left: Vec<Resource>,
    tasks: Vec<TaskInfo>,
    /// Apps that cannot be launched here, and why. What is left only becomes less.
    refused: BTreeMap<PathId, Vec<&'static str>>,
    used: BTreeSet<PathId>,
}

impl Pool {
    fn new(offer: Offer) -> Self {
        Pool {
            place: place(&offer),
            left: offer.resources.clone(),
            offer: Arc::new(offer),
            tasks: Vec::new(),
            refused: BTreeMap::new(),
            used: BTreeSet::new(),
        }
    }
}

impl Core {
    /// Launches what waits on what is offered; the rest is given back.
    pub(super) fn offered(&mut self, offers: Vec<Offer>, random: &Random) {
        let mut pools: Vec<Pool> = offers.into_iter().map(Pool::new).collect();
        let waiting = self.queue.values().filter(|queued| self.is_ready(&queued.app));
        let waiting: Vec<PathId> = waiting.map(|queued| queued.app.id.clone()).collect();
        let mut launches = 0;
        // One instance of each app at a time, so that they spread over agents and nobody takes all.
        loop {
            let before = launches;
            for pool in &mut pools {
                for app in &waiting {
                    if launches < LAUNCHES_MAX && self.launch_on(pool, app, random) {
                        launches += 1;
                    }
                }
            }
            if launches == before {
                break;
            }
        }
        for pool in &mut pools {
            for (app, reasons) in std::mem::take(&mut pool.refused) {
                if let Some(queued) = self.queue.get_mut(&app)
                    && !pool.used.contains(&app)
                {
                    queued.not_used(pool.offer.clone(), reasons, self.now.wall);
                }
            }
        }
        self.answer(pools);
    }

    /// Launches an instance of an app where it fits.
    fn launch_on(&mut self, pool: &mut Pool, id: &PathId, random: &Random) -> bool {
        let Some(queued) = self.queue.get(id).filter(|queued| queued.count > 0) else {
            return false;
        };
        if pool.refused.contains_key(id) {
            return false;
        }
        let app = queued.app.clone();
        let mut left = pool.left.clone();
        let taken = match self
            .fits(queued, &pool.place)
            .and_then(|()| take(&app, &mut left, random))
        {
            Ok(taken) => taken,
            Err(reasons) => {
                pool.refused.insert(id.clone(), reasons);
                return false;
            }
        };
        pool.left = left;
        pool.used.insert(id.clone());
        let instance = Instance {
            id: Instance::id_of(id, &random.uuid().to_string()),
            app: id.clone(),
            version: app.version,
            goal: Goal::Running,
            condition: Condition::Provisioned,
            agent_id: pool.offer.agent_id.value.clone(),
            place: pool.place.clone(),
            host_ports: taken.ports,
            ip_addresses: Vec::new(),
            staged_at: self.now.wall,
            started_at: None,
            unreachable_since: None,
            health: None,
            is_checked: !app.health_checks.is_empty(),
            heard: false,
            kill_sent: None,
        };
        pool.tasks.push(launch::task(&app, &instance, taken.resources));
        self.store(Change::Instance(Box::new(instance.clone())));
        let of_app = self.instances.entry(id.clone()).or_default();
        of_app.insert(instance.id.clone(), instance);
        if let Some(queued) = self.queue.get_mut(id) {
            queued.count -= 1;
            queued.used(&pool.offer.agent_id.value, self.now.wall);
        }
        self.dirty.insert(id.clone());
        true
    }

    fn fits(&self, queued: &Queued, place: &Place) -> Result<(), Vec<&'static str>> {
        if queued.constraints.is_empty() {
            return Ok(());
        }
        let others = self.instances_of(&queued.app.id).filter(|one| one.is_active());
        // While an app is replaced, those that go are not in the way.
        let others: Vec<&Place> = others
            .filter(|one| queued.app.is_current(one.version))
            .map(|one| &one.place)
            .collect();
        match queued.constraints.iter().all(|one| one.is_met(place, &others)) {
            true => Ok(()),
            false => Err(vec!["UnfulfilledConstraint"]),
        }
    }

    /// Accepts offers that are used, and declines the others.
    fn answer(&mut self, pools: Vec<Pool>) {
        let refuse = match self.queue.values().any(|queued| queued.count > 0) {
            true => REFUSE_SECONDS_WAITING,
            false => REFUSE_SECONDS,
        };
        let filters = Some(Filters {
            refuse_seconds: Some(refuse),
        });
        let mut declined: Vec<OfferId> = Vec::new();
        for pool in pools {
            let id = pool.offer.id.clone();
            if pool.tasks.is_empty() {
                declined.push(id);
                continue;
            }
            let operation = offer::Operation {
                r#type: Some(offer::operation::Type::Launch as i32),
                launch: Some(offer::operation::Launch {
                    task_infos: pool.tasks,
                }),
                ..offer::Operation::default()
            };
            self.call(Call {
                r#type: Some(call::Type::Accept as i32),
                accept: Some(call::Accept {
                    offer_ids: vec![id],
                    operations: vec![operation],
                    filters: Some(Filters {
                        refuse_seconds: Some(0.0),
                    }),
                }),
                ..Call::default()
            });
        }
        if !declined.is_empty() {
            self.call(Call {
                r#type: Some(call::Type::Decline as i32),
                decline: Some(call::Decline {
                    offer_ids: declined,
                    filters,
                }),
                ..Call::default()
            });
        }
    }

    /// Asks for offers when something waits for them, and for none when nothing does.
    pub(super) fn want_offers(&mut self) {
        if !self.connected {
            return;
        }
        let ready = self
            .queue
            .values()
            .filter(|queued| self.is_ready(&queued.app))
            .count();
        // An app whose delay is over was not matched with what was offered meanwhile.
        self.revive |= ready > self.ready;
        self.ready = ready;
        let of_type = |kind: call::Type| Call {
            r#type: Some(kind as i32),
            ..Call::default()
        };
        if ready > 0 && (self.revive || self.suppressed) {
            let now = self.now.elapsed;
            if self
                .revived
                .is_none_or(|then| now.saturating_sub(then) >= REVIVE_EVERY)
            {
                (self.revived, self.revive, self.suppressed) = (Some(now), false, false);
                self.effects
                    .push(Effect::Call(Box::new(of_type(call::Type::Revive))));
            }
        } else if self.queue.is_empty() && !self.suppressed {
            self.suppressed = true;
            self.effects
                .push(Effect::Call(Box::new(of_type(call::Type::Suppress))));
        }
    }
}

/// What an instance is given of an offer.
struct Taken {
    resources: Vec<Resource>,
    ports: Vec<u32>,
}

/// Takes what an app needs out of what is left, or says what is lacking.
fn take(app: &App, left: &mut [Resource], random: &Random) -> Result<Taken, Vec<&'static str>> {
    let accepted = |resource: &Resource| {
        let role = role(resource);
        match &app.accepted_resource_roles {
            Some(roles) => roles.iter().any(|one| one == role),
            None => true,
        }
    };
    let usable =
        |resource: &Resource| accepted(resource) && resource.revocable.is_none() && resource.shared.is_none();
    if !left.iter().any(usable) {
        return Err(vec!["UnfulfilledRole"]);
    }
    let (mut resources, mut lacking) = (Vec::new(), Vec::new());
    for (name, amount, reason) in [
        ("cpus", app.cpus, "InsufficientCpus"),
        ("mem", app.mem, "InsufficientMemory"),
        ("disk", app.disk, "InsufficientDisk"),
        ("gpus", f64::from(app.gpus), "InsufficientGpus"),
    ] {
        // A disk of its own, and a volume, are no space for sandboxes.
        let of_name = |one: &Resource| one.name == name && usable(one) && one.disk.is_none();
        match take_scalar(left, of_name, amount) {
            Some(taken) => resources.extend(taken),
            None => lacking.push(reason),
        }
    }
    let of_ports = |one: &Resource| one.name == "ports" && usable(one);
    let ports = match take_ports(app, left, of_ports, random) {
        Some((taken, ports)) => {
            resources.extend(taken);
            ports
        }
        None => {
            lacking.push("InsufficientPorts");
            Vec::new()
        }
    };
    match lacking.is_empty() {
        true => Ok(Taken { resources, ports }),
        false => Err(lacking),
    }
}

/// Whom a resource is kept for.
fn role(resource: &Resource) -> &str {
    match resource.reservations.last() {
        Some(reservation) => reservation.role(),
        None => resource.role(),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "amounts are far below what is cut off"
)]
fn parts(amount: f64) -> i64 {
    (amount * PARTS).round() as i64
}

fn take_scalar(left: &mut [Resource], of: impl Fn(&Resource) -> bool, amount: f64) -> Option<Vec<Resource>> {
    let (mut needed, mut taken) = (parts(amount), Vec::new());
    for resource in left.iter_mut().filter(|one| of(one)) {
        let has = resource.scalar.as_ref().map_or(0, |scalar| parts(scalar.value));
        let part = has.min(needed);
        if part > 0 {
            let value = |parts: i64| {
                Some(value::Scalar {
                    value: parts as f64 / PARTS,
                })
            };
            taken.push(Resource {
                scalar: value(part),
                ..resource.clone()
            });
            resource.scalar = value(has - part);
            needed -= part;
        }
    }
    (needed <= 0).then_some(taken)
}

/// Host ports: those that the app requires, or any that are free.
fn take_ports(
    app: &App,
    left: &mut [Resource],
    of: impl Fn(&Resource) -> bool,
    random: &Random,
) -> Option<(Vec<Resource>, Vec<u32>)> {
    let (mut taken, mut ports): (Vec<Resource>, Vec<u32>) = (Vec::new(), Vec::new());
    for definition in &app.port_definitions {
        let fixed = (app.require_ports && definition.port != 0).then_some(u64::from(definition.port));
        let (at, port) = find_port(left, &of, fixed, random)?;
        let resource = left.get_mut(at)?;
        let own = Resource {
            ranges: Some(value::Ranges {
                range: vec![value::Range {
                    begin: port,
                    end: port,
                }],
            }),
            ..resource.clone()
        };
        if let Some(ranges) = &mut resource.ranges {
            ranges.range = without(&ranges.range, port);
        }
        match taken.iter_mut().find(|one| role(one) == role(&own)) {
            Some(Resource {
                ranges: Some(ranges), ..
            }) => ranges.range.push(value::Range {
                begin: port,
                end: port,
            }),
            _ => taken.push(own),
        }
        ports.push(u32::try_from(port).ok()?);
    }
    Some((taken, ports))
}

/// A free port, any if none is asked for: who was given one a moment ago may still be using it.
fn find_port(
    left: &[Resource],
    of: &impl Fn(&Resource) -> bool,
    fixed: Option<u64>,
    random: &Random,
) -> Option<(usize, u64)> {
    let ranges = || {
        let of_ports = left.iter().enumerate().filter(move |(_, one)| of(one));
        of_ports.flat_map(|(at, one)| {
            one.ranges
                .iter()
                .flat_map(|all| &all.range)
                .map(move |range| (at, range))
        })
    };
    let length = |range: &value::Range| (range.end + 1).saturating_sub(range.begin);
    if let Some(port) = fixed {
        let holds = |range: &value::Range| (range.begin..=range.end).contains(&port);
        return ranges().find(|(_, range)| holds(range)).map(|(at, _)| (at, port));
    }
    let mut place = random.below(ranges().map(|(_, range)| length(range)).sum());
    for (at, range) in ranges() {
        if place < length(range) {
            return Some((at, range.begin + place));
        }
        place -= length(range);
    }
    None
}

fn without(ranges: &[value::Range], port: u64) -> Vec<value::Range> {
    let split = |range: &value::Range| {
        let (begin, end) = (range.begin, range.end);
        match (begin..=end).contains(&port) {
            false => vec![value::Range { begin, end }],
            true => {
                let mut rest = Vec::new();
                if begin < port {
                    rest.push(value::Range { begin, end: port - 1 });
                }
                if port < end {
                    rest.push(value::Range { begin: port + 1, end });
                }
                rest
            }
        }
    };
    ranges.iter().flat_map(split).collect()
}

fn place(offer: &Offer) -> Place {
    let domain = offer
        .domain
        .as_ref()
        .and_then(|domain| domain.fault_domain.as_ref());
    Place {
        host: offer.hostname.clone(),
        region: domain.map(|domain| domain.region.name.clone()),
        zone: domain.map(|domain| domain.zone.name.clone()),
        attributes: offer.attributes.iter().map(attribute).collect(),
    }
}

/// An attribute as constraints compare it.
fn attribute(attribute: &Attribute) -> (String, String) {
    let value = if let Some(text) = &attribute.text {
        text.value.clone()
    } else if let Some(scalar) = &attribute.scalar {
        scalar.value.to_string()
    } else if let Some(ranges) = &attribute.ranges {
        let shown = ranges
            .range
            .iter()
            .map(|range| format!("{}-{}", range.begin, range.end));
        format!("[{}]", shown.collect::<Vec<_>>().join(","))
    } else {
        let items = attribute.set.iter().flat_map(|set| &set.item);
        format!("{{{}}}", items.cloned().collect::<Vec<_>>().join(","))
    };
    (attribute.name.clone(), value)
}
