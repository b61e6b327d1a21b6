use super::callbacks::JavaScheduler;
use crate::{
    core::scheduler::{Scheduler, Subscription},
    driver::Driver,
    jni::{
        callback::Held,
        credential::authorization,
        handles::{DRIVER, Handles, handle, set_handle},
        marshal::{field, message, optional_field, string, strings},
    },
    machine,
};
use jni::{
    Env,
    errors::{Error, Result},
    jni_sig, jni_str,
    objects::JObject,
};
use mesos_proto::v1::FrameworkInfo;
use std::sync::Arc;

/// The drivers that Java holds.
static DRIVERS: Handles<Driver<Scheduler>> = Handles::new();

/// Makes the driver of a Java object, from what its constructor was given.
pub(super) fn initialize(env: &mut Env<'_>, this: &JObject<'_>) -> Result<()> {
    let framework = field(
        env,
        this,
        jni_str!("framework"),
        jni_sig!("Lorg/apache/mesos/Protos$FrameworkInfo;"),
    )?;
    let mut framework: FrameworkInfo = message(env, &framework)?;
    machine::describe(&mut framework);
    let implicit = optional_field(env, this, jni_str!("implicitAcknowledgements"), jni_sig!("Z"));
    let suppressed = optional_field(
        env,
        this,
        jni_str!("suppressedRoles"),
        jni_sig!("Ljava/util/Collection;"),
    );
    let suppressed = match suppressed {
        Some(roles) => strings(env, &roles.l()?)?,
        None => Vec::new(),
    };
    let subscription = Subscription {
        framework,
        suppressed: suppressed.into_iter().collect(),
        constraints: None,
        implicit_acknowledgements: implicit.is_none_or(|implicit| implicit.z().unwrap_or(true)),
    };
    let signature = jni_sig!("Lorg/apache/mesos/Protos$Credential;");
    let authorization = authorization(env, this, signature)?;
    let listener = JavaScheduler(Held::new(env, this)?);
    let driver = Driver::of_scheduler(subscription, authorization, Box::new(listener))
        .map_err(|error| Error::ParseFailed(error.to_string()))?;
    set_handle(env, this, DRIVER, DRIVERS.keep(driver))
}

/// How the constructor was told to find the master.
pub(super) fn master(env: &mut Env<'_>, this: &JObject<'_>) -> Result<String> {
    let master = field(env, this, jni_str!("master"), jni_sig!("Ljava/lang/String;"))?;
    string(env, &master)
}

/// The driver of a Java object.
pub(super) fn driver(env: &mut Env<'_>, this: &JObject<'_>) -> Result<Arc<Driver<Scheduler>>> {
    DRIVERS
        .get(handle(env, this, DRIVER)?)
        .ok_or(Error::NullPtr("the driver was finalized"))
}

/// Java's object is gone: so is the driver, but not the framework.
pub(super) fn finalize(env: &mut Env<'_>, this: &JObject<'_>) -> Result<()> {
    if let Some(driver) = DRIVERS.forget(handle(env, this, DRIVER)?) {
        driver.stop(true);
    }
    set_handle(env, this, DRIVER, 0)
}
