use super::{Agent, Master, Quota, drain::Drain};
use mesos_proto::v1::{AgentInfo, MachineId, maintenance::Schedule};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Bytes of what is kept under one key at the most: ZooKeeper takes one MiB at a time, and whoever could not keep
/// something would lead no longer, as would all that are asked for it after that.
const KEPT_BYTES_MAX: usize = 900 << 10;

/// Whether there is too much of something to keep it.
pub(super) fn is_too_much(kept: &impl Serialize) -> bool {
    serde_json::to_vec(kept).is_ok_and(|json| json.len() > KEPT_BYTES_MAX)
}

/// What an operator decided of an agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) deactivated: bool,
    pub(crate) drain: Option<Drain>,
}

impl Kept {
    pub(super) fn of(agent: &Agent) -> Self {
        Kept {
            deactivated: agent.deactivated,
            drain: agent.drain.clone(),
        }
    }
}

/// A change of what outlives a master. Frameworks are not among it, as in the original: agents bring them back.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// An agent is registered, or what was decided of it changed.
    Admitted { info: Box<AgentInfo>, kept: Kept },
    /// It is out of reach, or what was decided of it then changed.
    Unreachable {
        agent: String,
        since: Duration,
        kept: Kept,
    },
    /// It never comes back.
    Gone { agent: String, since: Duration },
    /// Nothing is known of it any more.
    Forgotten { agent: String },
    /// The weights of all roles that have one.
    Weights(BTreeMap<String, f64>),
    /// The quotas of all roles that have one.
    Quotas(BTreeMap<String, Quota>),
    /// The schedule of maintenance, and the machines that are down.
    Maintenance {
        schedule: Schedule,
        down: Vec<MachineId>,
    },
}

/// What an earlier master left.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registered {
    pub(crate) admitted: Vec<(AgentInfo, Kept)>,
    pub(crate) unreachable: Vec<(String, Duration, Kept)>,
    pub(crate) gone: Vec<(String, Duration)>,
    pub(crate) weights: BTreeMap<String, f64>,
    pub(crate) quotas: BTreeMap<String, Quota>,
    pub(crate) schedule: Schedule,
    pub(crate) down: Vec<MachineId>,
}

impl Master {
    pub(super) fn recover(&mut self, registered: Registered) {
        for (info, kept) in registered.admitted {
            let id = info.id.as_ref().map_or("", |id| &id.value).to_owned();
            self.recover_kept(&id, kept);
            self.recovered.insert(id, info);
        }
        for (id, since, kept) in registered.unreachable {
            self.recover_kept(&id, kept);
            self.unreachable.insert(id, since);
        }
        self.gone = registered.gone.into_iter().collect();
        self.weights = registered.weights;
        self.quotas = registered.quotas;
        self.schedule = registered.schedule;
        self.down = registered.down;
    }

    fn recover_kept(&mut self, id: &str, kept: Kept) {
        if kept != Kept::default() {
            self.kept.insert(id.to_owned(), kept);
        }
    }
}
