//! The exported functions.

use super::start;
use crate::jni::{
    marshal::{field, message},
    native::run,
};
use jni::{Env, EnvUnowned, errors::Result, jni_mangle, jni_sig, jni_str, objects::JObject};

/// `V0Mesos` is made for one framework, which it subscribes.
#[jni_mangle("org.apache.mesos.v1.scheduler.V0Mesos", "initialize")]
pub fn initialize_v0<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| {
        let signature = jni_sig!("Lorg/apache/mesos/v1/Protos$FrameworkInfo;");
        let framework = field(env, &this, jni_str!("framework"), signature)?;
        let framework = message(env, &framework)?;
        start::initialize(env, &this, Some(framework))
    });
}

#[jni_mangle("org.apache.mesos.v1.scheduler.V0Mesos", "finalize")]
pub fn finalize_v0<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| start::finalize(env, &this));
}

#[jni_mangle("org.apache.mesos.v1.scheduler.V0Mesos", "send")]
pub fn send_v0<'local>(env: EnvUnowned<'local>, this: JObject<'local>, call: JObject<'local>) {
    run(env, |env| send(env, &this, &call));
}

#[jni_mangle("org.apache.mesos.v1.scheduler.V1Mesos", "initialize")]
pub fn initialize_v1<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| start::initialize(env, &this, None));
}

#[jni_mangle("org.apache.mesos.v1.scheduler.V1Mesos", "finalize")]
pub fn finalize_v1<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| start::finalize(env, &this));
}

#[jni_mangle("org.apache.mesos.v1.scheduler.V1Mesos", "send")]
pub fn send_v1<'local>(env: EnvUnowned<'local>, this: JObject<'local>, call: JObject<'local>) {
    run(env, |env| send(env, &this, &call));
}

#[jni_mangle("org.apache.mesos.v1.scheduler.V1Mesos", "reconnect")]
pub fn reconnect_v1<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| {
        start::library(env, &this)?.reconnect();
        Ok(())
    });
}

fn send(env: &mut Env<'_>, this: &JObject<'_>, call: &JObject<'_>) -> Result<()> {
    let call = message(env, call)?;
    start::library(env, this)?.send(call);
    Ok(())
}
