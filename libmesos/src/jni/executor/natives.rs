//! The exported functions.

use super::start;
use crate::jni::{
    marshal::message,
    native::{answer, run},
};
use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JObject},
};

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "initialize")]
pub fn initialize<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| start::initialize(env, &this));
}

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "finalize")]
pub fn finalize<'local>(env: EnvUnowned<'local>, this: JObject<'local>) {
    run(env, |env| start::finalize(env, &this));
}

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "start")]
pub fn start<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    answer(env, &this, |env| {
        Ok(start::driver(env, &this)?.start(&start::agent()))
    })
}

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "stop")]
pub fn stop<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    answer(env, &this, |env| Ok(start::driver(env, &this)?.stop()))
}

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "abort")]
pub fn abort<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    answer(env, &this, |env| Ok(start::driver(env, &this)?.abort()))
}

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "join")]
pub fn join<'local>(env: EnvUnowned<'local>, this: JObject<'local>) -> JObject<'local> {
    answer(env, &this, |env| Ok(start::driver(env, &this)?.join()))
}

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "sendStatusUpdate")]
pub fn send_status_update<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    status: JObject<'local>,
) -> JObject<'local> {
    answer(env, &this, |env| {
        let status = message(env, &status)?;
        Ok(start::driver(env, &this)?.update(status))
    })
}

#[jni_mangle("org.apache.mesos.MesosExecutorDriver", "sendFrameworkMessage")]
pub fn send_framework_message<'local>(
    env: EnvUnowned<'local>,
    this: JObject<'local>,
    data: JByteArray<'local>,
) -> JObject<'local> {
    answer(env, &this, |env| {
        let data = env.convert_byte_array(&data)?;
        Ok(start::driver(env, &this)?.message(data))
    })
}
