use super::{Around, flags, metrics, shown};
use crate::core::master::{Master, VERSION};
use mesos_proto::v1::{
    Metric, VersionInfo, WeightInfo,
    maintenance::Schedule,
    master::{
        Response as Answer,
        response::{self, Type as Kind},
    },
    quota::{QuotaInfo, QuotaStatus},
};

fn of(kind: Kind) -> Answer {
    Answer {
        r#type: Some(kind as i32),
        ..Answer::default()
    }
}

pub(super) fn health(_: &Master, _: &Around) -> Answer {
    Answer {
        get_health: Some(response::GetHealth { healthy: true }),
        ..of(Kind::GetHealth)
    }
}

pub(super) fn flags(_: &Master, around: &Around) -> Answer {
    Answer {
        get_flags: Some(response::GetFlags {
            flags: flags::flags(around),
        }),
        ..of(Kind::GetFlags)
    }
}

pub(super) fn version(_: &Master, _: &Around) -> Answer {
    Answer {
        get_version: Some(response::GetVersion {
            version_info: VersionInfo {
                version: VERSION.to_owned(),
                ..VersionInfo::default()
            },
        }),
        ..of(Kind::GetVersion)
    }
}

pub(super) fn metrics(master: &Master, around: &Around) -> Answer {
    let metrics = metrics::metrics(master, around).into_iter();
    Answer {
        get_metrics: Some(response::GetMetrics {
            metrics: metrics
                .map(|(name, value)| Metric {
                    name,
                    value: Some(value),
                })
                .collect(),
        }),
        ..of(Kind::GetMetrics)
    }
}

pub(super) fn logging_level(_: &Master, around: &Around) -> Answer {
    Answer {
        get_logging_level: Some(response::GetLoggingLevel {
            level: around.logging_level,
        }),
        ..of(Kind::GetLoggingLevel)
    }
}

pub(super) fn state(master: &Master, _: &Around) -> Answer {
    Answer {
        get_state: Some(shown::state(master)),
        ..of(Kind::GetState)
    }
}

pub(super) fn agents(master: &Master, _: &Around) -> Answer {
    Answer {
        get_agents: Some(shown::agents(master)),
        ..of(Kind::GetAgents)
    }
}

pub(super) fn frameworks(master: &Master, _: &Around) -> Answer {
    Answer {
        get_frameworks: Some(shown::frameworks(master)),
        ..of(Kind::GetFrameworks)
    }
}

pub(super) fn executors(master: &Master, _: &Around) -> Answer {
    Answer {
        get_executors: Some(shown::executors(master)),
        ..of(Kind::GetExecutors)
    }
}

pub(super) fn tasks(master: &Master, _: &Around) -> Answer {
    Answer {
        get_tasks: Some(shown::tasks(master)),
        ..of(Kind::GetTasks)
    }
}

pub(super) fn roles(master: &Master, _: &Around) -> Answer {
    Answer {
        get_roles: Some(shown::roles(master)),
        ..of(Kind::GetRoles)
    }
}

pub(super) fn weights(master: &Master, _: &Around) -> Answer {
    let infos = master.weights.iter().map(|(role, weight)| WeightInfo {
        role: Some(role.clone()),
        weight: *weight,
    });
    let infos: Vec<WeightInfo> = infos.collect();
    Answer {
        get_weights: (!infos.is_empty()).then_some(response::GetWeights { weight_infos: infos }),
        ..of(Kind::GetWeights)
    }
}

pub(super) fn master(master: &Master, around: &Around) -> Answer {
    Answer {
        get_master: Some(response::GetMaster {
            master_info: Some(master.info.clone()),
            start_time: Some(around.started.as_secs_f64()),
            elected_time: Some(master.elected.as_secs_f64()),
        }),
        ..of(Kind::GetMaster)
    }
}

pub(super) fn operations(master: &Master, _: &Around) -> Answer {
    Answer {
        get_operations: Some(response::GetOperations {
            operations: master.operations.values().cloned().collect(),
        }),
        ..of(Kind::GetOperations)
    }
}

pub(super) fn maintenance_status(master: &Master, _: &Around) -> Answer {
    Answer {
        get_maintenance_status: Some(response::GetMaintenanceStatus {
            status: shown::maintenance_status(master),
        }),
        ..of(Kind::GetMaintenanceStatus)
    }
}

pub(super) fn maintenance_schedule(master: &Master, _: &Around) -> Answer {
    let schedule: Schedule = master.schedule.clone();
    Answer {
        get_maintenance_schedule: Some(response::GetMaintenanceSchedule { schedule }),
        ..of(Kind::GetMaintenanceSchedule)
    }
}

pub(super) fn quota(master: &Master, _: &Around) -> Answer {
    Answer {
        get_quota: Some(response::GetQuota {
            status: quota_status(master),
        }),
        ..of(Kind::GetQuota)
    }
}

/// Every quota, in the newer form and in the older one.
pub(in crate::handlers) fn quota_status(master: &Master) -> QuotaStatus {
    let infos = master.quotas.iter().map(|(role, quota)| QuotaInfo {
        role: Some(role.clone()),
        guarantee: quota
            .guarantees
            .iter()
            .map(|(name, amount)| {
                let mut one = crate::core::resources::scalar(name, crate::core::resources::decimal(*amount));
                one.role = Some("*".to_owned());
                one
            })
            .collect(),
        ..QuotaInfo::default()
    });
    QuotaStatus {
        infos: infos.collect(),
        configs: master
            .quotas
            .iter()
            .map(|(role, quota)| quota.config(role))
            .collect(),
    }
}
