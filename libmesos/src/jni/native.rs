use super::marshal::{Maker, loader};
use crate::core::Status;
use jni::{
    Env, EnvUnowned,
    errors::{Result, ThrowRuntimeExAndDefault},
    objects::JObject,
};

/// Runs a native that has no answer.
pub(super) fn run<'local>(mut env: EnvUnowned<'local>, run: impl FnOnce(&mut Env<'local>) -> Result<()>) {
    env.with_env(run).resolve::<ThrowRuntimeExAndDefault>();
}

/// Runs a native that answers the driver's status.
pub(super) fn answer<'local>(
    mut env: EnvUnowned<'local>,
    this: &JObject<'local>,
    run: impl FnOnce(&mut Env<'local>) -> Result<Status>,
) -> JObject<'local> {
    env.with_env(|env| -> Result<JObject<'local>> {
        let status = run(env)?;
        let loader = loader(env, this)?;
        Maker::new(&loader).status(env, status)
    })
    .resolve::<ThrowRuntimeExAndDefault>()
}
