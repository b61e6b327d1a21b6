use super::marshal::{Maker, loader};
use crate::{driver::Thrown, log};
use jni::{
    Env, JValue, JavaVM, errors::Result, objects::JObject, refs::Weak, signature::MethodSignature,
    strings::JNIStr,
};

/// A driver of Java's that the collector may take, and the way to it from any thread.
pub(super) struct Held {
    vm: JavaVM,
    driver: Weak<JObject<'static>>,
}

impl Held {
    pub(super) fn new(env: &mut Env<'_>, driver: &JObject<'_>) -> Result<Self> {
        Ok(Held {
            vm: env.get_java_vm()?,
            driver: env.new_weak_ref(driver)?,
        })
    }

    /// Runs a callback. The thread is attached for as long as it runs, so that a virtual machine may end in between.
    pub(super) fn tell(
        &self,
        run: impl FnOnce(&mut Env<'_>, &JObject<'_>, &Maker<'_, '_>) -> Result<()>,
    ) -> std::result::Result<(), Thrown> {
        let told = self.vm.attach_current_thread_for_scope(|env| -> Result<()> {
            let Some(driver) = self.driver.upgrade_local(env)? else {
                return Ok(());
            };
            let loader = loader(env, &driver)?;
            let told = run(env, &driver, &Maker::new(&loader));
            if env.exception_check() {
                env.exception_describe();
                env.exception_clear();
            }
            told
        });
        told.map_err(|error| {
            log::warning(format_args!("a callback ended the driver: {error}"));
            Thrown
        })
    }
}

/// A method that is called back: its name and signature.
pub(super) struct Method(
    pub(super) &'static JNIStr,
    pub(super) MethodSignature<'static, 'static>,
);

impl Method {
    /// Calls it on an object, with the driver (or the `Mesos`) before the other arguments.
    pub(super) fn call(
        &self,
        env: &mut Env<'_>,
        on: &JObject<'_>,
        driver: &JObject<'_>,
        arguments: &[Argument<'_>],
    ) -> Result<()> {
        let mut all = vec![JValue::Object(driver)];
        all.extend(arguments.iter().map(Argument::value));
        env.call_method(on, self.0, &self.1, &all).map(drop)
    }
}

/// An argument of a callback.
pub(super) enum Argument<'local> {
    Object(JObject<'local>),
    Int(i32),
}

impl Argument<'_> {
    fn value(&self) -> JValue<'_> {
        match self {
            Argument::Object(object) => JValue::Object(object),
            Argument::Int(number) => JValue::Int(*number),
        }
    }
}
