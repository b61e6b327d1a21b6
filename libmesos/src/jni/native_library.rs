use jni::{
    EnvUnowned, JValue,
    errors::{Result, ThrowRuntimeExAndDefault},
    jni_mangle, jni_sig, jni_str,
    objects::{JClass, JObject},
};

/// The version of Mesos whose contract this is.
const VERSION: [i64; 3] = [1, 11, 0];

/// `MesosNativeLibrary._version()`
#[jni_mangle(
    "org.apache.mesos.MesosNativeLibrary",
    "_version",
    "()Lorg/apache/mesos/MesosNativeLibrary$Version;"
)]
pub fn version<'local>(mut env: EnvUnowned<'local>, _class: JClass<'local>) -> JObject<'local> {
    env.with_env(|env| -> Result<JObject<'local>> {
        let class = env.find_class(jni_str!("org/apache/mesos/MesosNativeLibrary$Version"))?;
        env.new_object(class, jni_sig!("(JJJ)V"), &VERSION.map(JValue::Long))
    })
    .resolve::<ThrowRuntimeExAndDefault>()
}
