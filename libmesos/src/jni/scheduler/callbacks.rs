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
            let (method, arguments) = prepare(env, make, &callback)?;
            let signature = jni_sig!("Lorg/apache/mesos/Scheduler;");
            let scheduler = field(env, driver, jni_str!("scheduler"), signature)?;
            method.call(env, &scheduler, driver, &arguments)
        })
    }
}

/// The method of a callback and its arguments after the driver.
fn prepare<'local>(
    env: &mut Env<'local>,
    make: &Maker<'_, '_>,
    callback: &Callback,
) -> Result<(Method, Vec<Argument<'local>>)> {
    use Argument::{Int, Object};
    Ok(match callback {
        Callback::Registered(framework, master) => (
            Method(
                jni_str!("registered"),
                jni_sig!(
                    "(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$FrameworkID;Lorg/apache/mesos/Protos$MasterInfo;)V"
                ),
            ),
            vec![
                Object(make.object(env, "Protos$FrameworkID", framework)?),
                Object(make.object(env, "Protos$MasterInfo", master)?),
            ],
        ),
        Callback::Reregistered(master) => (
            Method(
                jni_str!("reregistered"),
                jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$MasterInfo;)V"),
            ),
            vec![Object(make.object(env, "Protos$MasterInfo", master)?)],
        ),
        Callback::Disconnected => (
            Method(
                jni_str!("disconnected"),
                jni_sig!("(Lorg/apache/mesos/SchedulerDriver;)V"),
            ),
            Vec::new(),
        ),
        Callback::Offers(offers) => (
            Method(
                jni_str!("resourceOffers"),
                jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Ljava/util/List;)V"),
            ),
            vec![Object(make.list(env, "Protos$Offer", offers)?)],
        ),
        Callback::Rescinded(offer) => (
            Method(
                jni_str!("offerRescinded"),
                jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$OfferID;)V"),
            ),
            vec![Object(make.object(env, "Protos$OfferID", offer)?)],
        ),
        Callback::Status(status) => (
            Method(
                jni_str!("statusUpdate"),
                jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$TaskStatus;)V"),
            ),
            vec![Object(make.object(env, "Protos$TaskStatus", status)?)],
        ),
        Callback::Message(executor, agent, data) => (
            Method(
                jni_str!("frameworkMessage"),
                jni_sig!(
                    "(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$ExecutorID;Lorg/apache/mesos/Protos$SlaveID;[B)V"
                ),
            ),
            vec![
                Object(make.object(env, "Protos$ExecutorID", executor)?),
                Object(make.object(env, "Protos$SlaveID", agent)?),
                Object(env.byte_array_from_slice(data)?.into()),
            ],
        ),
        Callback::AgentLost(agent) => (
            Method(
                jni_str!("slaveLost"),
                jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$SlaveID;)V"),
            ),
            vec![Object(make.object(env, "Protos$SlaveID", agent)?)],
        ),
        Callback::ExecutorLost(executor, agent, status) => (
            Method(
                jni_str!("executorLost"),
                jni_sig!(
                    "(Lorg/apache/mesos/SchedulerDriver;Lorg/apache/mesos/Protos$ExecutorID;Lorg/apache/mesos/Protos$SlaveID;I)V"
                ),
            ),
            vec![
                Object(make.object(env, "Protos$ExecutorID", executor)?),
                Object(make.object(env, "Protos$SlaveID", agent)?),
                Int(*status),
            ],
        ),
        Callback::Error(message) => (
            Method(
                jni_str!("error"),
                jni_sig!("(Lorg/apache/mesos/SchedulerDriver;Ljava/lang/String;)V"),
            ),
            vec![Object(env.new_string(message)?.into())],
        ),
    })
}
