//! The exported functions, each a line or two: Java's arguments to one call.

use super::start;
use crate::{
    core::scheduler::acknowledgement,
    jni::{
        marshal::{message, messages, optional, strings},
        native::{answer, run},
    },
};
use jni::{
    Env, EnvUnowned,
    errors::Result,
    jni_mangle, jni_str,
    objects::{JByteArray, JObject},
    sys::jboolean,
};
use mesos_proto::v1::{
    OfferId, TaskInfo, TaskStatus,
    offer::{Operation, operation},
    scheduler::{
        Call, OfferConstraints,
        call::{self, Type},
    },
};

/// Runs a native that sends a call.
fn ask<'local>(
    env: EnvUnowned<'local>,
    this: &JObject<'local>,
    kind: Type,
    fill: impl FnOnce(&mut Env<'local>, &mut Call) -> Result<()>,
) -> JObject<'local> {
    answer(env, this, |env| {
        let mut call = Call {
            r#type: Some(kind as i32),
            ..Call::default()
        };
        fill(env, &mut call)?;
        Ok(start::driver(env, this)?.ask(call))
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "initialize")]
pub fn initialize<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| start::initialize(env, &this));
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "finalize")]
pub fn finalize<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| start::finalize(env, &this));
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "start")]
pub fn start<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    answer(env, &this, |env| {
        let master = start::master(env, &this)?;
        Ok(start::driver(env, &this)?.start(&master))
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "stop")]
pub fn stop<'local>(env: EnvUnowned<'local>, this: JObject<'local>, failover: jboolean) -> JObject<'local> {
    answer(env, &this, |env| Ok(start::driver(env, &this)?.stop(failover)))
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "abort")]
pub fn abort<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    answer(env, &this, |env| Ok(start::driver(env, &this)?.abort()))
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "join")]
pub fn join<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    answer(env, &this, |env| Ok(start::driver(env, &this)?.join()))
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "requestResources")]
pub fn request_resources<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    requests: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Request, |env, call| {
        call.request = Some(call::Request {
            requests: messages(env, &requests)?,
        });
        Ok(())
    })
}

#[jni_mangle(
    "org.apache.mesos.MesosSchedulerDriver",
    "launchTasks",
    "(Lorg/apache/mesos/Protos$OfferID;Ljava/util/Collection;Lorg/apache/mesos/Protos$Filters;)Lorg/apache/mesos/Protos$Status;"
)]
pub fn launch_tasks_on_one<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    offer: JObject<'local>,
    tasks: JObject<'local>,
    filters: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Accept, |env, call| {
        let offers = vec![message(env, &offer)?];
        launch(env, call, offers, &tasks, &filters)
    })
}

#[jni_mangle(
    "org.apache.mesos.MesosSchedulerDriver",
    "launchTasks",
    "(Ljava/util/Collection;Ljava/util/Collection;Lorg/apache/mesos/Protos$Filters;)Lorg/apache/mesos/Protos$Status;"
)]
pub fn launch_tasks<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    offers: JObject<'local>,
    tasks: JObject<'local>,
    filters: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Accept, |env, call| {
        let offers = messages(env, &offers)?;
        launch(env, call, offers, &tasks, &filters)
    })
}

/// Launching tasks is accepting offers to launch them, also where there are none.
fn launch(
    env: &mut Env<'_>,
    call: &mut Call,
    offers: Vec<OfferId>,
    tasks: &JObject<'_>,
    filters: &JObject<'_>,
) -> Result<()> {
    let task_infos: Vec<TaskInfo> = messages(env, tasks)?;
    let launch = Operation {
        r#type: Some(operation::Type::Launch as i32),
        launch: Some(operation::Launch { task_infos }),
        ..Operation::default()
    };
    call.accept = Some(call::Accept {
        offer_ids: offers,
        operations: vec![launch],
        filters: optional(env, filters)?,
    });
    Ok(())
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "killTask")]
pub fn kill_task<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    task: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Kill, |env, call| {
        call.kill = Some(call::Kill {
            task_id: message(env, &task)?,
            ..call::Kill::default()
        });
        Ok(())
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "acceptOffers")]
pub fn accept_offers<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    offers: JObject<'local>,
    operations: JObject<'local>,
    filters: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Accept, |env, call| {
        call.accept = Some(call::Accept {
            offer_ids: messages(env, &offers)?,
            operations: messages(env, &operations)?,
            filters: optional(env, &filters)?,
        });
        Ok(())
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "declineOffer")]
pub fn decline_offer<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    offer: JObject<'local>,
    filters: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Decline, |env, call| {
        call.decline = Some(call::Decline {
            offer_ids: vec![message(env, &offer)?],
            filters: optional(env, &filters)?,
        });
        Ok(())
    })
}

#[jni_mangle(
    "org.apache.mesos.MesosSchedulerDriver",
    "reviveOffers",
    "()Lorg/apache/mesos/Protos$Status;"
)]
pub fn revive_offers<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    ask(env, &this, Type::Revive, |_, _| Ok(()))
}

#[jni_mangle(
    "org.apache.mesos.MesosSchedulerDriver",
    "reviveOffers",
    "(Ljava/util/Collection;)Lorg/apache/mesos/Protos$Status;"
)]
pub fn revive_offers_of<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    roles: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Revive, |env, call| {
        call.revive = Some(call::Revive {
            roles: strings(env, &roles)?,
        });
        Ok(())
    })
}

#[jni_mangle(
    "org.apache.mesos.MesosSchedulerDriver",
    "suppressOffers",
    "()Lorg/apache/mesos/Protos$Status;"
)]
pub fn suppress_offers<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    ask(env, &this, Type::Suppress, |_, _| Ok(()))
}

#[jni_mangle(
    "org.apache.mesos.MesosSchedulerDriver",
    "suppressOffers",
    "(Ljava/util/Collection;)Lorg/apache/mesos/Protos$Status;"
)]
pub fn suppress_offers_of<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    roles: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Suppress, |env, call| {
        call.suppress = Some(call::Suppress {
            roles: strings(env, &roles)?,
        });
        Ok(())
    })
}

/// The original ends the whole process when a framework acknowledges what is acknowledged for it; here it learns so.
#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "acknowledgeStatusUpdate")]
pub fn acknowledge_status_update<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    status: JObject<'local>,
) -> JObject<'local> {
    answer(env, &this, |env| {
        let driver = start::driver(env, &this)?;
        if driver.acknowledges_for_it() {
            let why = jni_str!("Cannot call acknowledgeStatusUpdate: Implicit acknowledgements are enabled");
            env.throw_new(jni_str!("java/lang/IllegalStateException"), why)?;
        }
        let status: TaskStatus = message(env, &status)?;
        Ok(match acknowledgement(&status) {
            Some(call) => driver.ask(call),
            // Whoever tells without a name of its own awaits no acknowledgement.
            None => driver.status(),
        })
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "sendFrameworkMessage")]
pub fn send_framework_message<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    executor: JObject<'local>,
    agent: JObject<'local>,
    data: JByteArray<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Message, |env, call| {
        call.message = Some(call::Message {
            executor_id: message(env, &executor)?,
            agent_id: message(env, &agent)?,
            data: env.convert_byte_array(&data)?,
        });
        Ok(())
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "reconcileTasks")]
pub fn reconcile_tasks<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    statuses: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::Reconcile, |env, call| {
        let task = |status: TaskStatus| call::reconcile::Task {
            task_id: status.task_id,
            agent_id: status.agent_id,
        };
        call.reconcile = Some(call::Reconcile {
            tasks: messages(env, &statuses)?.into_iter().map(task).collect(),
        });
        Ok(())
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "updateFramework")]
pub fn update_framework<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    framework: JObject<'local>,
    suppressed: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::UpdateFramework, |env, call| {
        update(env, call, &framework, &suppressed, None)
    })
}

#[jni_mangle("org.apache.mesos.MesosSchedulerDriver", "updateFrameworkWithConstraints")]
pub fn update_framework_with_constraints<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    framework: JObject<'local>,
    suppressed: JObject<'local>,
    constraints: JObject<'local>,
) -> JObject<'local> {
    ask(env, &this, Type::UpdateFramework, |env, call| {
        let constraints = optional(env, &constraints)?;
        update(env, call, &framework, &suppressed, constraints)
    })
}

fn update(
    env: &mut Env<'_>,
    call: &mut Call,
    framework: &JObject<'_>,
    suppressed: &JObject<'_>,
    constraints: Option<OfferConstraints>,
) -> Result<()> {
    call.update_framework = Some(call::UpdateFramework {
        framework_info: message(env, framework)?,
        suppressed_roles: strings(env, suppressed)?,
        offer_constraints: constraints,
    });
    Ok(())
}
