use crate::{
    core::executor::Callback,
    driver::{Listener, Thrown},
    jni::{
        callback::{Argument, Held, Method},
        marshal::{Maker, field},
    },
};
use jni::{Env, errors::Result, jni_sig, jni_str};
use std::{thread, time::Duration};

/// Runs callbacks on the executor of a driver.
pub(super) struct JavaExecutor {
    pub(super) held: Held,
    /// How long the executor may take to end once it is told to.
    pub(super) grace_period: Duration,
}

impl Listener<Callback> for JavaExecutor {
    fn tell(&self, callback: Callback) -> std::result::Result<(), Thrown> {
        if callback == Callback::Shutdown {
            end_after(self.grace_period);
        }
        self.held.tell(|env, driver, make| {
            let arguments = arguments(env, make, &callback)?;
            let signature = jni_sig!("Lorg/apache/mesos/Executor;");
            let executor = field(env, driver, jni_str!("executor"), signature)?;
            method(&callback).call(env, &executor, driver, &arguments)
        })
    }
}

/// An executor that does not end by itself is ended, as no agent may be there to do it.
fn end_after(grace_period: Duration) {
    let thread = thread::Builder::new().name("mesos-shutdown".to_owned());
    // Without a thread there is the agent alone to end it.
    let _ = thread.spawn(move || {
        thread::sleep(grace_period);
        std::process::exit(1);
    });
}

/// The method of a callback; each takes the driver first.
fn method(callback: &Callback) -> Method {
    match callback {
        Callback::Registered(_) => Method(
            jni_str!("registered"),
            jni_sig!(
                "(Lorg/apache/mesos/ExecutorDriver;Lorg/apache/mesos/Protos$ExecutorInfo;Lorg/apache/mesos/Protos$FrameworkInfo;Lorg/apache/mesos/Protos$SlaveInfo;)V"
            ),
        ),
        Callback::Reregistered(_) => Method(
            jni_str!("reregistered"),
            jni_sig!("(Lorg/apache/mesos/ExecutorDriver;Lorg/apache/mesos/Protos$SlaveInfo;)V"),
        ),
        Callback::Disconnected => Method(
            jni_str!("disconnected"),
            jni_sig!("(Lorg/apache/mesos/ExecutorDriver;)V"),
        ),
        Callback::Launch(_) => Method(
            jni_str!("launchTask"),
            jni_sig!("(Lorg/apache/mesos/ExecutorDriver;Lorg/apache/mesos/Protos$TaskInfo;)V"),
        ),
        Callback::Kill(_) => Method(
            jni_str!("killTask"),
            jni_sig!("(Lorg/apache/mesos/ExecutorDriver;Lorg/apache/mesos/Protos$TaskID;)V"),
        ),
        Callback::Message(_) => Method(
            jni_str!("frameworkMessage"),
            jni_sig!("(Lorg/apache/mesos/ExecutorDriver;[B)V"),
        ),
        Callback::Shutdown => Method(
            jni_str!("shutdown"),
            jni_sig!("(Lorg/apache/mesos/ExecutorDriver;)V"),
        ),
        Callback::Error(_) => Method(
            jni_str!("error"),
            jni_sig!("(Lorg/apache/mesos/ExecutorDriver;Ljava/lang/String;)V"),
        ),
    }
}

/// What a callback has to say besides the driver.
fn arguments<'local>(
    env: &mut Env<'local>,
    make: &Maker<'_, '_>,
    callback: &Callback,
) -> Result<Vec<Argument<'local>>> {
    use Argument::Object;
    Ok(match callback {
        Callback::Registered(who) => vec![
            Object(make.object(env, "Protos$ExecutorInfo", &who.0)?),
            Object(make.object(env, "Protos$FrameworkInfo", &who.1)?),
            Object(make.object(env, "Protos$SlaveInfo", &who.2)?),
        ],
        Callback::Reregistered(agent) => vec![Object(make.object(env, "Protos$SlaveInfo", &**agent)?)],
        Callback::Disconnected | Callback::Shutdown => Vec::new(),
        Callback::Launch(task) => vec![Object(make.object(env, "Protos$TaskInfo", &**task)?)],
        Callback::Kill(task) => vec![Object(make.object(env, "Protos$TaskID", task)?)],
        Callback::Message(data) => vec![Object(env.byte_array_from_slice(data)?.into())],
        Callback::Error(message) => vec![Object(env.new_string(message)?.into())],
    })
}
