//! Java's objects to messages and back: by `toByteArray` and `parseFrom` alone, so that a shaded protobuf does not matter.

use crate::core::Status;
use jni::{
    Env, JValue,
    errors::{Error, Result},
    jni_sig, jni_str,
    objects::{JByteArray, JClass, JClassLoader, JCollection, JObject, JString},
    signature::{FieldSignature, RuntimeMethodSignature},
    strings::JNIStr,
};
use prost::Message;

/// Objects that a callback may hold besides its list.
const FRAME: usize = 16;

/// The message in a Java object.
pub(super) fn message<M: Message + Default>(env: &mut Env<'_>, object: &JObject<'_>) -> Result<M> {
    let bytes = env.with_local_frame(FRAME, |env| -> Result<Vec<u8>> {
        let bytes = env
            .call_method(object, jni_str!("toByteArray"), jni_sig!("()[B"), &[])?
            .l()?;
        let bytes = env.cast_local::<JByteArray<'_>>(bytes)?;
        env.convert_byte_array(&bytes)
    })?;
    M::decode(&bytes[..]).map_err(|error| Error::ParseFailed(error.to_string()))
}

/// The message in a Java object that may be missing.
pub(super) fn optional<M: Message + Default>(env: &mut Env<'_>, object: &JObject<'_>) -> Result<Option<M>> {
    match object.is_null() {
        true => Ok(None),
        false => message(env, object).map(Some),
    }
}

/// The messages in a Java collection.
pub(super) fn messages<M: Message + Default>(env: &mut Env<'_>, collection: &JObject<'_>) -> Result<Vec<M>> {
    each(env, collection, |env, one| message(env, one))
}

/// The strings in a Java collection, none if it is missing.
pub(super) fn strings(env: &mut Env<'_>, collection: &JObject<'_>) -> Result<Vec<String>> {
    match collection.is_null() {
        true => Ok(Vec::new()),
        false => each(env, collection, string),
    }
}

/// The text in a Java string.
pub(super) fn string(env: &mut Env<'_>, string: &JObject<'_>) -> Result<String> {
    let string = env.as_cast::<JString<'_>>(string)?;
    string.try_to_string(env)
}

fn each<T>(
    env: &mut Env<'_>,
    collection: &JObject<'_>,
    read: impl Fn(&mut Env<'_>, &JObject<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let all = env.as_cast::<JCollection<'_>>(collection)?.iterator(env)?;
    let mut found = Vec::new();
    while all.has_next(env)? {
        let one = env
            .call_method(&all, jni_str!("next"), jni_sig!("()Ljava/lang/Object;"), &[])?
            .l()?;
        found.push(read(env, &one)?);
        env.delete_local_ref(one);
    }
    Ok(found)
}

/// A field's object.
pub(super) fn field<'local>(
    env: &mut Env<'local>,
    of: &JObject<'_>,
    name: &JNIStr,
    signature: FieldSignature<'_>,
) -> Result<JObject<'local>> {
    env.get_field(of, name, signature)?.l()
}

/// A field that a jar's version may lack.
pub(super) fn optional_field<'local>(
    env: &mut Env<'local>,
    of: &JObject<'_>,
    name: &JNIStr,
    signature: FieldSignature<'_>,
) -> Option<jni::JValueOwned<'local>> {
    let found = env.get_field(of, name, signature).ok();
    env.exception_clear();
    found
}

/// The loader that knows the classes beside a driver's own.
pub(super) fn loader<'local>(env: &mut Env<'local>, driver: &JObject<'_>) -> Result<JClassLoader<'local>> {
    let class = env.get_object_class(driver)?;
    class.get_class_loader(env)
}

/// Makes Java's objects of messages.
pub(super) struct Maker<'a, 'loader> {
    loader: &'a JClassLoader<'loader>,
}

impl<'a, 'loader> Maker<'a, 'loader> {
    pub(super) fn new(loader: &'a JClassLoader<'loader>) -> Self {
        Maker { loader }
    }

    /// The object of class `org.apache.mesos.NAME` that holds the message.
    pub(super) fn object<'local>(
        &self,
        env: &mut Env<'local>,
        name: &str,
        message: &impl Message,
    ) -> Result<JObject<'local>> {
        env.with_local_frame_returning_local::<_, JObject<'_>, _>(FRAME, |env| {
            let class = self.class(env, name)?;
            let bytes = env.byte_array_from_slice(&message.encode_to_vec())?;
            let signature = RuntimeMethodSignature::from_str(format!("([B)L{};", path(name)))?;
            let made = env.call_static_method(
                class,
                jni_str!("parseFrom"),
                signature.method_signature(),
                &[JValue::Object(&bytes)],
            )?;
            made.l()
        })
    }

    /// A Java list of such objects.
    pub(super) fn list<'local>(
        &self,
        env: &mut Env<'local>,
        name: &str,
        messages: &[impl Message],
    ) -> Result<JObject<'local>> {
        let list = env.new_object(jni_str!("java/util/ArrayList"), jni_sig!("()V"), &[])?;
        for message in messages {
            let one = self.object(env, name, message)?;
            let add = (jni_str!("add"), jni_sig!("(Ljava/lang/Object;)Z"));
            env.call_method(&list, add.0, add.1, &[JValue::Object(&one)])?;
            env.delete_local_ref(one);
        }
        Ok(list)
    }

    fn class<'local>(&self, env: &mut Env<'local>, name: &str) -> Result<JClass<'local>> {
        let name = env.new_string(path(name).replace('/', "."))?;
        self.loader.load_class(env, name)
    }

    /// A driver's status as Java's enum.
    pub(super) fn status<'local>(&self, env: &mut Env<'local>, status: Status) -> Result<JObject<'local>> {
        let class = self.class(env, "Protos$Status")?;
        let made = env.call_static_method(
            class,
            jni_str!("valueOf"),
            jni_sig!("(I)Lorg/apache/mesos/Protos$Status;"),
            &[JValue::Int(status as i32)],
        )?;
        made.l()
    }
}

fn path(name: &str) -> String {
    format!("org/apache/mesos/{name}")
}
