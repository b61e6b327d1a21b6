use super::{Change, Master, Refused, registry::is_too_much, roles};
use crate::core::{Now, resources::decimal};
use mesos_proto::v1::{
    MachineId, Resource, WeightInfo,
    maintenance::Schedule,
    master::call,
    offer,
    quota::QuotaConfig,
    value::{self, Scalar},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an operator wants done.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Teardown {
        framework: String,
    },
    MarkGone {
        agent: String,
    },
    Drain(call::DrainAgent),
    Deactivate {
        agent: String,
    },
    Reactivate {
        agent: String,
    },
    Weights(Vec<WeightInfo>),
    Quotas {
        configs: Vec<QuotaConfig>,
        force: bool,
    },
    /// The older way: a guarantee that is the limit, too, for a role that has none.
    SetQuota {
        role: String,
        guarantee: Vec<Resource>,
        force: bool,
    },
    RemoveQuota {
        role: String,
    },
    Schedule(Schedule),
    Down(Vec<MachineId>),
    Up(Vec<MachineId>),
    Operate {
        agent: String,
        operation: Box<offer::Operation>,
    },
}

/// What a role is promised, and what it may have at the most: thousandths by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quota {
    pub(crate) guarantees: BTreeMap<String, i64>,
    pub(crate) limits: BTreeMap<String, i64>,
}

impl Quota {
    /// As the API has it.
    pub(crate) fn config(&self, role: &str) -> QuotaConfig {
        let shown = |all: &BTreeMap<String, i64>| {
            all.iter()
                .map(|(name, amount)| {
                    (
                        name.clone(),
                        Scalar {
                            value: decimal(*amount),
                        },
                    )
                })
                .collect()
        };
        QuotaConfig {
            role: role.to_owned(),
            guarantees: shown(&self.guarantees),
            limits: shown(&self.limits),
        }
    }

    fn of(config: &QuotaConfig) -> Result<Self, String> {
        let taken = |all: &BTreeMap<String, Scalar>| {
            all.iter()
                .map(|(name, amount)| Ok((name.clone(), thousandths(name, *amount)?)))
                .collect::<Result<BTreeMap<_, _>, String>>()
        };
        let quota = Quota {
            guarantees: taken(&config.guarantees)?,
            limits: taken(&config.limits)?,
        };
        let beyond = quota
            .guarantees
            .iter()
            .find(|(name, amount)| quota.limits.get(*name).is_some_and(|limit| limit < amount));
        match beyond {
            Some((name, _)) => Err(format!(
                "Invalid QuotaConfig: guarantee of '{name}' exceeds its limit for role '{}'",
                config.role
            )),
            None => Ok(quota),
        }
    }
}

fn thousandths(name: &str, amount: Scalar) -> Result<i64, String> {
    let list = [Resource {
        name: name.to_owned(),
        r#type: value::Type::Scalar as i32,
        scalar: Some(amount),
        ..Resource::default()
    }];
    let taken = crate::core::resources::Resources::of(&list).map_err(|why| why.to_string())?;
    Ok(taken.scalar(name))
}

impl Master {
    pub(super) fn command(&mut self, now: Now, command: Command) -> Result<(), Refused> {
        match command {
            Command::Teardown { framework } => {
                if !self.frameworks.contains_key(&framework) {
                    return Err(Refused::Invalid(
                        "No framework found with specified ID".to_owned(),
                    ));
                }
                self.teardown(now, &framework);
                Ok(())
            }
            Command::MarkGone { agent } => self.mark_known_gone(now, &agent),
            Command::Drain(call) => self.drain(now, &call),
            Command::Deactivate { agent } => self.deactivate(&agent),
            Command::Reactivate { agent } => self.reactivate(now, &agent),
            Command::Weights(infos) => self.set_weights(&infos),
            Command::Quotas { configs, force } => self.set_quotas(&configs, force),
            Command::SetQuota {
                role,
                guarantee,
                force,
            } => self.set_quota(role, &guarantee, force),
            Command::RemoveQuota { role } => self.remove_quota(&role),
            Command::Schedule(schedule) => self.set_schedule(schedule),
            Command::Down(machines) => self.machines_down(now, machines),
            Command::Up(machines) => self.machines_up(&machines),
            Command::Operate { agent, operation } => {
                self.operate_on(&agent, *operation)?;
                self.allocate(now);
                Ok(())
            }
        }
    }

    fn mark_known_gone(&mut self, now: Now, agent: &str) -> Result<(), Refused> {
        if self.gone.contains_key(agent) {
            return Ok(());
        }
        let known = self.agents.contains_key(agent)
            || self.recovered.contains_key(agent)
            || self.unreachable.contains_key(agent);
        if !known {
            return Err(Refused::NotFound("Agent not found".to_owned()));
        }
        self.mark_gone(now, agent);
        Ok(())
    }

    fn set_weights(&mut self, infos: &[WeightInfo]) -> Result<(), Refused> {
        let invalid =
            |why: String| Refused::Invalid(format!("Failed to validate update weights request JSON: {why}"));
        let mut weights = self.weights.clone();
        for info in infos {
            let role = info.role().trim();
            if let Some(why) = roles::bad_role(role) {
                return Err(invalid(format!("Invalid role '{role}': {why}")));
            }
            if !(info.weight > 0.0 && info.weight.is_finite()) {
                let shown = info.weight;
                return Err(invalid(format!(
                    "Invalid weight '{shown}' for role '{role}': Weights must be positive"
                )));
            }
            weights.insert(role.to_owned(), info.weight);
        }
        if is_too_much(&weights) {
            return Err(invalid("Too many roles have weights".to_owned()));
        }
        self.weights = weights;
        self.store(Change::Weights(self.weights.clone()));
        Ok(())
    }

    fn set_quotas(&mut self, configs: &[QuotaConfig], force: bool) -> Result<(), Refused> {
        let mut quotas = self.quotas.clone();
        for config in configs {
            if let Some(why) = roles::bad_role(&config.role) {
                return Err(Refused::Invalid(format!("Invalid QuotaConfig: {why}")));
            }
            if config.role == "*" {
                let why = "Invalid QuotaConfig: setting quota for the default '*' role is not supported";
                return Err(Refused::Invalid(why.to_owned()));
            }
            let quota = Quota::of(config).map_err(Refused::Invalid)?;
            if !force {
                self.check_consumption(&config.role, &quota)?;
            }
            match quota == Quota::default() {
                true => quotas.remove(&config.role),
                false => quotas.insert(config.role.clone(), quota),
            };
        }
        if !force {
            self.check_capacity(&quotas)?;
        }
        if is_too_much(&quotas) {
            let why = "Invalid QuotaConfig: too many roles have quotas";
            return Err(Refused::Invalid(why.to_owned()));
        }
        self.quotas = quotas;
        self.store(Change::Quotas(self.quotas.clone()));
        Ok(())
    }

    /// A limit below what is used already would be none.
    fn check_consumption(&self, role: &str, quota: &Quota) -> Result<(), Refused> {
        let consumed = self.consumed().get(role).cloned().unwrap_or_default();
        let beyond = quota
            .limits
            .iter()
            .find(|(name, limit)| consumed.get(name) > **limit);
        match beyond {
            Some((name, _)) => Err(Refused::Invalid(format!(
                "Invalid QuotaConfig: role '{role}' is already consuming more than the requested limit of '{name}'; use 'force' flag to bypass this check"
            ))),
            None => Ok(()),
        }
    }

    /// What is promised must be there.
    fn check_capacity(&self, quotas: &BTreeMap<String, Quota>) -> Result<(), Refused> {
        let mut promised: BTreeMap<&str, i64> = BTreeMap::new();
        // A role's promise is part of what the role above it is promised.
        let upper =
            |role: &str| !roles::line_of(role).any(|above| above != role && quotas.contains_key(above));
        for (_, quota) in quotas.iter().filter(|(role, _)| upper(role)) {
            for (name, amount) in &quota.guarantees {
                *promised.entry(name).or_default() += amount;
            }
        }
        let total = self.cluster_total();
        match promised.iter().any(|(name, amount)| *amount > total.get(name)) {
            true => Err(Refused::Conflict(
                "Not enough available cluster capacity to reasonably satisfy quota request; the force flag can be used to override this check".to_owned(),
            )),
            false => Ok(()),
        }
    }

    fn set_quota(&mut self, role: String, guarantee: &[Resource], force: bool) -> Result<(), Refused> {
        if self.quotas.contains_key(&role) {
            return Err(Refused::Invalid(format!(
                "Failed to validate set quota request: Cannot set quota for role '{role}' which already has quota"
            )));
        }
        let amounts: BTreeMap<String, Scalar> = guarantee
            .iter()
            .map(|one| (one.name.clone(), one.scalar.unwrap_or_default()))
            .collect();
        let config = QuotaConfig {
            role,
            guarantees: amounts.clone(),
            limits: amounts,
        };
        self.set_quotas(&[config], force)
    }

    fn remove_quota(&mut self, role: &str) -> Result<(), Refused> {
        if self.quotas.remove(role).is_none() {
            return Err(Refused::Invalid(format!(
                "Failed to validate remove quota request: Role '{role}' has no quota set"
            )));
        }
        self.store(Change::Quotas(self.quotas.clone()));
        Ok(())
    }
}
