use super::callbacks::JavaScheduler;
use crate::{
    core::library::Library,
    driver::Driver,
    jni::{
        callback::Held,
        credential::authorization,
        handles::{Handles, MESOS, handle, set_handle},
        marshal::{field, string},
    },
    machine,
    master::Location,
};
use jni::{
    Env,
    errors::{Error, Result},
    jni_sig, jni_str,
    objects::JObject,
    strings::JNIString,
};
use mesos_proto::v1::FrameworkInfo;
use std::sync::Arc;

/// What Java's objects stand for.
static LIBRARIES: Handles<Driver<Library>> = Handles::new();

/// Makes what a Java object stands for, and starts it: there is no native that would.
pub(super) fn initialize(
    env: &mut Env<'_>,
    this: &JObject<'_>,
    mut framework: Option<FrameworkInfo>,
) -> Result<()> {
    if let Some(framework) = &mut framework {
        machine::describe(framework);
    }
    let master = field(env, this, jni_str!("master"), jni_sig!("Ljava/lang/String;"))?;
    let master = string(env, &master)?;
    let location = match Location::parse(&master) {
        Ok(location) => location,
        // The original ends the process here.
        Err(error) => {
            let why = format!("Failed to create a master detector for '{master}': {error}");
            return env.throw_new(
                jni_str!("java/lang/IllegalArgumentException"),
                JNIString::from(why),
            );
        }
    };
    let signature = jni_sig!("Lorg/apache/mesos/v1/Protos$Credential;");
    let authorization = authorization(env, this, signature)?;
    let listener = JavaScheduler(Held::new(env, this)?);
    let library = Driver::of_library(framework, authorization, Box::new(listener))
        .map_err(|error| Error::ParseFailed(error.to_string()))?;
    set_handle(env, this, MESOS, LIBRARIES.keep(library.clone()))?;
    library.start(location);
    Ok(())
}

/// What a Java object stands for.
pub(super) fn library(env: &mut Env<'_>, this: &JObject<'_>) -> Result<Arc<Driver<Library>>> {
    LIBRARIES
        .get(handle(env, this, MESOS)?)
        .ok_or(Error::NullPtr("the object was finalized"))
}

/// Java's object is gone: so is its connection, but not the framework.
pub(super) fn finalize(env: &mut Env<'_>, this: &JObject<'_>) -> Result<()> {
    if let Some(library) = LIBRARIES.forget(handle(env, this, MESOS)?) {
        library.abort();
    }
    set_handle(env, this, MESOS, 0)
}
