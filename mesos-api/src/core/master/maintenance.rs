use super::{Agent, Change, Master, Refused, event_of, model::InverseOffer, registry::is_too_much};
use crate::core::Now;
use mesos_proto::v1::{
    self, AgentId, FrameworkId, MachineId, OfferId, TaskState, Unavailability,
    allocator::{InverseOfferStatus, inverse_offer_status},
    maintenance::Schedule,
    scheduler::event,
    task_status::Reason,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What frameworks answered to being asked to leave, by agent and framework.
pub(crate) type Statuses = BTreeMap<(String, String), InverseOfferStatus>;

/// How long a framework is not asked again where it does not say.
const REFUSE_S_DEFAULT: f64 = 5.0;
const REFUSE_S_MAX: f64 = 365.0 * 86_400.0;

fn shown(machine: &MachineId) -> String {
    format!("{} ({})", machine.hostname(), machine.ip())
}

fn check_size(schedule: &Schedule, down: &[MachineId]) -> Result<(), Refused> {
    match is_too_much(&(schedule, down)) {
        true => Err(Refused::Invalid(
            "The maintenance schedule is too large for the registry".to_owned(),
        )),
        false => Ok(()),
    }
}

impl Master {
    /// When an agent's machine is to be unavailable.
    pub(crate) fn unavailability(&self, agent: &Agent) -> Option<Unavailability> {
        let mut windows = self.schedule.windows.iter();
        let window = windows.find(|window| window.machine_ids.iter().any(|machine| agent.is_on(machine)))?;
        Some(window.unavailability)
    }

    pub(super) fn set_schedule(&mut self, schedule: Schedule) -> Result<(), Refused> {
        let mut seen = BTreeSet::new();
        for window in &schedule.windows {
            if window.machine_ids.is_empty() {
                return Err(Refused::Invalid(
                    "List of machines in the maintenance window is empty".to_owned(),
                ));
            }
            if window
                .unavailability
                .duration
                .is_some_and(|duration| duration.nanoseconds < 0)
            {
                return Err(Refused::Invalid(
                    "Unavailability 'duration' is negative".to_owned(),
                ));
            }
            for machine in &window.machine_ids {
                if machine.hostname().is_empty() && machine.ip().is_empty() {
                    return Err(Refused::Invalid(
                        "Both 'hostname' and 'ip' for a machine are empty".to_owned(),
                    ));
                }
                if !seen.insert(shown(machine)) {
                    return Err(Refused::Invalid(format!(
                        "Machine '{}' appears more than once in the schedule",
                        shown(machine)
                    )));
                }
            }
        }
        if let Some(machine) = self.down.iter().find(|machine| !seen.contains(&shown(machine))) {
            return Err(Refused::Invalid(format!(
                "Machine '{}' is deactivated and cannot be removed from the schedule",
                shown(machine)
            )));
        }
        check_size(&schedule, &self.down)?;
        self.schedule = schedule;
        self.store_maintenance();
        self.forget_inverse();
        // Offers of what becomes unavailable must say so.
        let touched: Vec<String> = self
            .agents
            .values()
            .filter(|agent| self.unavailability(agent).is_some())
            .map(|agent| agent.id().to_owned())
            .collect();
        touched.iter().for_each(|agent| self.rescind_offers_on(agent));
        Ok(())
    }

    pub(super) fn machines_down(&mut self, now: Now, machines: Vec<MachineId>) -> Result<(), Refused> {
        self.check_machines(&machines)?;
        for machine in &machines {
            if !self
                .schedule
                .windows
                .iter()
                .any(|window| window.machine_ids.contains(machine))
            {
                return Err(Refused::Invalid(format!(
                    "Machine '{}' is not part of a maintenance schedule",
                    shown(machine)
                )));
            }
            if self.down.contains(machine) {
                return Err(Refused::Invalid(format!(
                    "Machine '{}' is not in DRAINING mode and cannot be brought down",
                    shown(machine)
                )));
            }
        }
        let down: Vec<MachineId> = self.down.iter().cloned().chain(machines).collect();
        check_size(&self.schedule, &down)?;
        self.down = down;
        self.store_maintenance();
        let on = |agent: &&Agent| self.down.iter().any(|machine| agent.is_on(machine));
        let agents: Vec<String> = self
            .agents
            .values()
            .filter(on)
            .map(|agent| agent.id().to_owned())
            .collect();
        for agent in agents {
            let why = "Operator initiated 'Machine DOWN'";
            self.tell_agent(
                &agent,
                crate::core::link::ToAgent::Refused { why: why.to_owned() },
            );
            self.store(Change::Forgotten { agent: agent.clone() });
            self.remove_agent(now, &agent, TaskState::TaskGone, Reason::AgentRemoved, why);
        }
        Ok(())
    }

    pub(super) fn machines_up(&mut self, machines: &[MachineId]) -> Result<(), Refused> {
        self.check_machines(machines)?;
        if let Some(machine) = machines.iter().find(|machine| !self.down.contains(machine)) {
            return Err(Refused::Invalid(format!(
                "Machine '{}' is not in DOWN mode and cannot be brought up",
                shown(machine)
            )));
        }
        self.down.retain(|machine| !machines.contains(machine));
        for window in &mut self.schedule.windows {
            window.machine_ids.retain(|machine| !machines.contains(machine));
        }
        self.schedule
            .windows
            .retain(|window| !window.machine_ids.is_empty());
        self.store_maintenance();
        Ok(())
    }

    fn check_machines(&self, machines: &[MachineId]) -> Result<(), Refused> {
        match machines.is_empty() {
            true => Err(Refused::Invalid("List of machines is empty".to_owned())),
            false => Ok(()),
        }
    }

    fn store_maintenance(&mut self) {
        let (schedule, down) = (self.schedule.clone(), self.down.clone());
        self.store(Change::Maintenance { schedule, down });
    }

    /// Nobody is asked any more for what is no longer scheduled; what is, is asked for anew.
    fn forget_inverse(&mut self) {
        let all: Vec<String> = self.inverse_offers.keys().cloned().collect();
        all.iter().for_each(|id| self.rescind_inverse(id));
        self.inverse_statuses.clear();
        self.frameworks
            .values_mut()
            .for_each(|one| one.inverse_filters.clear());
    }

    fn rescind_inverse(&mut self, id: &str) {
        let Some(offer) = self.inverse_offers.shift_remove(id) else {
            return;
        };
        let mut event = event_of(event::Type::RescindInverseOffer);
        event.rescind_inverse_offer = Some(event::RescindInverseOffer {
            inverse_offer_id: offer.shown.id,
        });
        self.send(&offer.framework, event);
    }

    pub(super) fn rescind_inverse_on(&mut self, agent: &str) {
        let here = self
            .inverse_offers
            .iter()
            .filter(|(_, offer)| offer.agent == agent);
        let here: Vec<String> = here.map(|(id, _)| id.clone()).collect();
        here.iter().for_each(|id| self.rescind_inverse(id));
        self.inverse_statuses.retain(|(of, _), _| of != agent);
    }

    pub(super) fn rescind_inverse_of(&mut self, framework: &str) {
        self.inverse_offers
            .retain(|_, offer| offer.framework != framework);
        self.inverse_statuses.retain(|(_, of), _| of != framework);
    }

    /// Asks frameworks to leave agents whose machines become unavailable.
    pub(super) fn invert(&mut self, now: Now) {
        if self.schedule.windows.is_empty() {
            return;
        }
        let mut wanted: Vec<(String, String, Unavailability)> = Vec::new();
        for agent in self.agents.values() {
            let Some(unavailability) = self.unavailability(agent) else {
                continue;
            };
            let asked = |framework: &str| {
                let mut all = self.inverse_offers.values();
                all.any(|offer| offer.framework == framework && offer.agent == agent.id())
            };
            for (id, framework) in self.frameworks.iter().filter(|(_, one)| one.stream.is_some()) {
                let uses = framework
                    .tasks
                    .values()
                    .any(|task| task.agent_id.value == agent.id());
                if uses && !framework.inverse_filters.contains_key(agent.id()) && !asked(id) {
                    wanted.push((id.clone(), agent.id().to_owned(), unavailability));
                }
            }
        }
        for (framework, agent, unavailability) in wanted {
            self.ask_to_leave(now, framework, agent, unavailability);
        }
    }

    fn ask_to_leave(&mut self, now: Now, framework: String, agent: String, unavailability: Unavailability) {
        let id = self.next_offer_id();
        let shown = v1::InverseOffer {
            id: OfferId { value: id.clone() },
            url: self.agents.get(&agent).map(super::allocation::url),
            framework_id: FrameworkId {
                value: framework.clone(),
            },
            agent_id: Some(AgentId { value: agent.clone() }),
            unavailability,
            resources: Vec::new(),
        };
        let mut event = event_of(event::Type::InverseOffers);
        event.inverse_offers = Some(event::InverseOffers {
            inverse_offers: vec![shown.clone()],
        });
        self.send(&framework, event);
        self.note_inverse(now, &agent, &framework, inverse_offer_status::Status::Unknown);
        let offer = InverseOffer {
            framework,
            agent,
            shown,
        };
        self.inverse_offers.insert(id, offer);
    }

    fn note_inverse(&mut self, now: Now, agent: &str, framework: &str, status: inverse_offer_status::Status) {
        let status = InverseOfferStatus {
            status: status as i32,
            framework_id: FrameworkId {
                value: framework.to_owned(),
            },
            timestamp: super::time_info(now.wall),
        };
        self.inverse_statuses
            .insert((agent.to_owned(), framework.to_owned()), status);
    }

    pub(super) fn answer_inverse(
        &mut self,
        now: Now,
        framework: &str,
        ids: &[OfferId],
        filters: Option<v1::Filters>,
        accepts: bool,
    ) {
        use inverse_offer_status::Status;
        let seconds = filters
            .as_ref()
            .map_or(REFUSE_S_DEFAULT, v1::Filters::refuse_seconds);
        let seconds = match seconds.is_finite() {
            true => seconds.clamp(0.0, REFUSE_S_MAX),
            false => REFUSE_S_DEFAULT,
        };
        for id in ids {
            let own = self.inverse_offers.get(&id.value);
            if own.is_none_or(|offer| offer.framework != framework) {
                continue;
            }
            let Some(offer) = self.inverse_offers.shift_remove(&id.value) else {
                continue;
            };
            let status = if accepts { Status::Accept } else { Status::Decline };
            self.note_inverse(now, &offer.agent, framework, status);
            if let Some(one) = self.frameworks.get_mut(framework) {
                let until = now.elapsed + Duration::from_secs_f64(seconds);
                one.inverse_filters.insert(offer.agent, until);
            }
        }
    }
}
