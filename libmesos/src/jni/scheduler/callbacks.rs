use crate::{
    core::scheduler::Callback,
    driver::{Listener, Thrown},
    jni::{
        callback::{Argument, Held, Method},
        marshal::{Maker, field},
    },
};
use jni::{Env, errors::Result, jni_sig, jni_str};

/// Runs callbacks on the scheduler of a driver.
pub(super) struct JavaScheduler(pub(super) Held);

impl Listener<Callback> for JavaScheduler {
    fn tell(&self, callback: Callback) -> std::result::Result<(), Thrown> {
        self.0.tell(|env, driver, make| {
            let arguments = arguments(env, make, &callback)?;
            let signature = jni_sig!("Lorg/apache/mesos/Scheduler;");
            let scheduler = field(env, driver, jni_str!("scheduler"), signature)?;
            method(&callback).call(env, &scheduler, driver, &arguments)
        })
    }
}

/// The method of a callback; each takes the driver first.
fn method(callback: &Callback) -> Method {
    match callback {
        Callback::Registered(..) => Method(
            jni_str!("registered"),
            jni_sig!(
                "(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$FrameworkID;Lorg/apache/mesos/Protos$MasterInfo;)V"
            ),
        ),
        Callback::Reregistered(_) => Method(
            jni_str!("reregistered"),
            jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$MasterInfo;)V"),
        ),
        Callback::Disconnected => Method(
            jni_str!("disconnected"),
            jni_sig!("(Lorg/apache/mesos/SchedulerDriver;)V"),
        ),
        Callback::Offers(_) => Method(
            jni_str!("resourceOffers"),
            jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Ljava/util/List;)V"),
        ),
        Callback::Rescinded(_) => Method(
            jni_str!("offerRescinded"),
            jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$OfferID;)V"),
        ),
        Callback::Status(_) => Method(
            jni_str!("statusUpdate"),
            jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$TaskStatus;)V"),
        ),
        Callback::Message(..) => Method(
            jni_str!("frameworkMessage"),
            jni_sig!(
                "(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$ExecutorID;Lorg/apache/mesos/Protos$SlaveID;[B)V"
            ),
        ),
        Callback::AgentLost(_) => Method(
            jni_str!("slaveLost"),
            jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$SlaveID;)V"),
        ),
        Callback::ExecutorLost(..) => Method(
            jni_str!("executorLost"),
            jni_sig!(
                "(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$ExecutorID;Lorg/apache/mesos/Protos$SlaveID;I)V"
            ),
        ),
        Callback::Error(_) => Method(
            jni_str!("error"),
            jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Ljava/lang/String;)V"),
        ),
    }
}

/// What a callback has to say besides the driver.
fn arguments<'local>(
    env: &mut Env<'local>,
    make: &Maker<'_, '_>,
    callback: &Callback,
) -> Result<Vec<Argument<'local>>> {
    use Argument::{Int, Object};
    Ok(match callback {
        Callback::Registered(framework, master) => vec![
            Object(make.object(env, "Protos$FrameworkID", framework)?),
            Object(make.object(env, "Protos$MasterInfo", master)?),
        ],
        Callback::Reregistered(master) => vec![Object(make.object(env, "Protos$MasterInfo", master)?)],
        Callback::Disconnected => Vec::new(),
        Callback::Offers(offers) => vec![Object(make.list(env, "Protos$Offer", offers)?)],
        Callback::Rescinded(offer) => vec![Object(make.object(env, "Protos$OfferID", offer)?)],
        Callback::Status(status) => vec![Object(make.object(env, "Protos$TaskStatus", status)?)],
        Callback::Message(executor, agent, data) => vec![
            Object(make.object(env, "Protos$ExecutorID", executor)?),
            Object(make.object(env, "Protos$SlaveID", agent)?),
            Object(env.byte_array_from_slice(data)?.into()),
        ],
        Callback::AgentLost(agent) => vec![Object(make.object(env, "Protos$SlaveID", agent)?)],
        Callback::ExecutorLost(executor, agent, status) => vec![
            Object(make.object(env, "Protos$ExecutorID", executor)?),
            Object(make.object(env, "Protos$SlaveID", agent)?),
            Int(*status),
        ],
        Callback::Error(message) => vec![Object(env.new_string(message)?.into())],
    })
}
