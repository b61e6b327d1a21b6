use super::{Master, Offer, event_of, launch::Launching};
use crate::core::{Now, resources::Resources};
use mesos_proto::v1::{
    self, TaskInfo, TaskState,
    offer::operation::Type,
    scheduler::{call, event},
    task_status::Reason,
};

impl Master {
    /// Takes offers, and does with them what the operations say, in order. What stays unused is refused for a while.
    pub(super) fn accept(&mut self, now: Now, framework: &str, accept: call::Accept) {
        let taken = match self.take_offers(framework, &accept.offer_ids) {
            Ok(taken) => taken,
            Err(why) => {
                for operation in &accept.operations {
                    let why = format!("Operation attempted with invalid resources: {why}");
                    self.drop_operation(framework, operation, why);
                }
                for task in launched(accept.operations) {
                    let why = format!("Task launched with invalid offers: {why}");
                    self.refuse_task(
                        now,
                        framework,
                        &task,
                        TaskState::TaskLost,
                        Reason::InvalidOffers,
                        why,
                    );
                }
                return;
            }
        };
        let Some(first) = taken.first() else {
            return;
        };
        let mut left = Resources::default();
        taken.iter().for_each(|offer| left.add(&offer.resources));
        let agent = first.agent.clone();
        for operation in accept.operations {
            let mut launching = Launching {
                framework,
                agent: &agent,
                role: &first.role,
                left: &mut left,
            };
            let kind = operation.r#type.and_then(|kind| Type::try_from(kind).ok());
            match kind.unwrap_or(Type::Unknown) {
                Type::Launch => {
                    for task in operation.launch.unwrap_or_default().task_infos {
                        self.launch(now, &mut launching, task);
                    }
                }
                Type::LaunchGroup => {
                    let group = operation.launch_group.unwrap_or_default();
                    self.launch_group(now, &mut launching, group);
                }
                _ => self.operate(&mut launching, operation),
            }
        }
        self.release(framework, &agent, &left);
        self.refuse(now, framework, first, &left, accept.filters.as_ref());
    }

    pub(super) fn decline(&mut self, now: Now, framework: &str, decline: &call::Decline) {
        for id in &decline.offer_ids {
            let own = self
                .offers
                .get(&id.value)
                .is_some_and(|offer| offer.framework == framework);
            if let Some(offer) = own.then(|| self.offers.swap_remove(&id.value)).flatten() {
                self.release(framework, &offer.agent, &offer.resources);
                self.refuse(now, framework, &offer, &offer.resources, decline.filters.as_ref());
                self.note_declined(now, &offer);
            }
        }
    }

    /// Takes offers away, all or, where one of them is not the framework's, none: as the original does, those that are
    /// there are given up in that case.
    fn take_offers(&mut self, framework: &str, ids: &[v1::OfferId]) -> Result<Vec<Offer>, String> {
        let mut taken: Vec<Offer> = Vec::new();
        let mut wrong = ids.is_empty().then(|| "No offers specified".to_owned());
        for id in ids {
            match self.offers.get(&id.value) {
                Some(offer) if offer.framework == framework => {
                    taken.extend(self.offers.swap_remove(&id.value));
                }
                _ => {
                    wrong.get_or_insert_with(|| format!("Offer {} is no longer valid", id.value));
                }
            }
        }
        if let Some(first) = taken.first() {
            let other = taken.iter().find(|offer| offer.agent != first.agent);
            if let Some(other) = other {
                wrong.get_or_insert_with(|| {
                    format!(
                        "Aggregated offers must belong to one single agent. Offer {} uses agent {} and agent {}",
                        other.shown.id.value, other.agent, first.agent
                    )
                });
            }
            if taken.iter().any(|offer| offer.role != first.role) {
                wrong
                    .get_or_insert_with(|| "Aggregated offers must be allocated to the same role".to_owned());
            }
        }
        let Some(why) = wrong else {
            return Ok(taken);
        };
        for offer in &taken {
            self.release(&offer.framework, &offer.agent, &offer.resources);
        }
        Err(why)
    }

    /// Takes an offer back from its framework.
    pub(super) fn rescind(&mut self, id: &str) {
        let Some(offer) = self.offers.swap_remove(id) else {
            return;
        };
        self.release(&offer.framework, &offer.agent, &offer.resources);
        let mut event = event_of(event::Type::Rescind);
        event.rescind = Some(event::Rescind {
            offer_id: offer.shown.id,
        });
        self.send(&offer.framework, event);
    }

    /// Takes back whatever is offered of an agent.
    pub(super) fn rescind_offers_on(&mut self, agent: &str) {
        let of = self.offers.iter().filter(|(_, offer)| offer.agent == agent);
        let of: Vec<String> = of.map(|(id, _)| id.clone()).collect();
        of.iter().for_each(|id| self.rescind(id));
    }
}

fn launched(operations: Vec<v1::offer::Operation>) -> impl Iterator<Item = TaskInfo> {
    operations.into_iter().flat_map(|operation| {
        let single = operation.launch.unwrap_or_default().task_infos;
        let group = operation.launch_group.unwrap_or_default().task_group.tasks;
        single.into_iter().chain(group)
    })
}
