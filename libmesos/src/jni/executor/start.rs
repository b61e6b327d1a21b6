use super::callbacks::JavaExecutor;
use crate::{
    core::executor::{Executor, Started},
    driver::Driver,
    jni::{
        callback::Held,
        handles::{DRIVER, Handles, handle, set_handle},
    },
    machine,
};
use jni::{
    Env,
    errors::{Error, Result},
    objects::JObject,
};
use mesos_proto::v1::{ExecutorId, FrameworkId};
use std::{env, sync::Arc, time::Duration};

/// How long an executor may take to end, and to find its agent again, where the agent does not say.
const GRACE_PERIOD: Duration = Duration::from_secs(5);
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The drivers that Java holds.
static DRIVERS: Handles<Driver<Executor>> = Handles::new();

/// Makes the driver of a Java object, from what the agent put into the environment.
pub(super) fn initialize(env: &mut Env<'_>, this: &JObject<'_>) -> Result<()> {
    let recovers = variable("MESOS_CHECKPOINT") == "1";
    let started = Started {
        framework: FrameworkId {
            value: variable("MESOS_FRAMEWORK_ID"),
        },
        executor: ExecutorId {
            value: variable("MESOS_EXECUTOR_ID"),
        },
        recovery: recovers.then(|| time("MESOS_RECOVERY_TIMEOUT", RECOVERY_TIMEOUT)),
    };
    let token = variable("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    let authorization = (!token.is_empty()).then(|| format!("Bearer {token}"));
    let listener = JavaExecutor {
        held: Held::new(env, this)?,
        grace_period: time("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", GRACE_PERIOD),
    };
    let driver = Driver::of_executor(started, authorization, Box::new(listener))
        .map_err(|error| Error::ParseFailed(error.to_string()))?;
    set_handle(env, this, DRIVER, DRIVERS.keep(driver))
}

/// Where the agent is; its process id names it, too.
pub(super) fn agent() -> String {
    let endpoint = variable("MESOS_AGENT_ENDPOINT");
    match endpoint.is_empty() {
        true => variable("MESOS_SLAVE_PID"),
        false => endpoint,
    }
}

/// The driver of a Java object.
pub(super) fn driver(env: &mut Env<'_>, this: &JObject<'_>) -> Result<Arc<Driver<Executor>>> {
    DRIVERS
        .get(handle(env, this, DRIVER)?)
        .ok_or(Error::NullPtr("the driver was finalized"))
}

/// Java's object is gone: so is the driver.
pub(super) fn finalize(env: &mut Env<'_>, this: &JObject<'_>) -> Result<()> {
    if let Some(driver) = DRIVERS.forget(handle(env, this, DRIVER)?) {
        driver.abort();
    }
    set_handle(env, this, DRIVER, 0)
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn time(name: &str, otherwise: Duration) -> Duration {
    machine::duration(&variable(name)).unwrap_or(otherwise)
}
