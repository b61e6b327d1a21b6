use crate::{
    core::library::Callback,
    driver::{Listener, Thrown},
    jni::{
        callback::{Argument, Held, Method},
        marshal::field,
    },
};
use jni::{jni_sig, jni_str};

/// Runs callbacks on the scheduler of a `Mesos` object.
pub(super) struct JavaScheduler(pub(super) Held);

impl Listener<Callback> for JavaScheduler {
    fn tell(&self, callback: Callback) -> Result<(), Thrown> {
        self.0.tell(|env, mesos, make| {
            let arguments = match &callback {
                Callback::Connected | Callback::Disconnected => Vec::new(),
                Callback::Received(event) => {
                    vec![Argument::Object(make.object(
                        env,
                        "v1/scheduler/Protos$Event",
                        &**event,
                    )?)]
                }
            };
            let signature = jni_sig!("Lorg/apache/mesos/v1/scheduler/Scheduler;");
            let scheduler = field(env, mesos, jni_str!("scheduler"), signature)?;
            method(&callback).call(env, &scheduler, mesos, &arguments)
        })
    }
}

/// The method of a callback; each takes the `Mesos` first.
fn method(callback: &Callback) -> Method {
    match callback {
        Callback::Connected => Method(
            jni_str!("connected"),
            jni_sig!("(Lorg/apache/mesos/v1/scheduler/Mesos;)V"),
        ),
        Callback::Disconnected => Method(
            jni_str!("disconnected"),
            jni_sig!("(Lorg/apache/mesos/v1/scheduler/Mesos;)V"),
        ),
        Callback::Received(_) => Method(
            jni_str!("received"),
            jni_sig!("(Lorg/apache/mesos/v1/scheduler/Mesos;Lorg/apache/mesos/v1/scheduler/Protos$Event;)V"),
        ),
    }
}
