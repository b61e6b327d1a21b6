use jni::{
    Env, JValue, JavaVM,
    errors::Result,
    jni_sig, jni_str,
    objects::{JClass, JThread},
    sys::{JNI_ERR, JNI_VERSION_1_2, jint},
};
use std::ffi::c_void;

/// The virtual machine loads the library: whoever asks `MesosNativeLibrary` from now on learns that it is there.
#[unsafe(no_mangle)]
extern "system" fn JNI_OnLoad(vm: *mut jni::sys::JavaVM, _reserved: *mut c_void) -> jint {
    // SAFETY: the virtual machine hands in itself, and lives as long as the library is loaded.
    let vm = unsafe { JavaVM::from_raw(vm) };
    match vm.attach_current_thread(loaded) {
        Ok(()) => JNI_VERSION_1_2,
        Err(_) => JNI_ERR,
    }
}

fn loaded(env: &mut Env<'_>) -> Result<()> {
    // A program may load the library without the jar.
    if let Some(class) = native_library(env)? {
        env.set_static_field(class, jni_str!("loaded"), jni_sig!("Z"), JValue::Bool(true))?;
    }
    Ok(())
}

/// The class as the loading class sees it, else as the thread does: a shell or a servlet container has loaders of its own.
fn native_library<'local>(env: &mut Env<'local>) -> Result<Option<JClass<'local>>> {
    if let Ok(class) = env.find_class(jni_str!("org/apache/mesos/MesosNativeLibrary")) {
        return Ok(Some(class));
    }
    env.exception_clear();
    let loader = JThread::current_thread(env)?.get_context_class_loader(env)?;
    if loader.is_null() {
        return Ok(None);
    }
    let name = env.new_string("org.apache.mesos.MesosNativeLibrary")?;
    let class = loader.load_class(env, name).ok();
    env.exception_clear();
    Ok(class)
}
