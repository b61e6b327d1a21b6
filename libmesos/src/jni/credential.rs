use super::marshal::{message, optional_field};
use base64::{Engine, prelude::BASE64_STANDARD};
use jni::{Env, errors::Result, jni_str, objects::JObject, signature::FieldSignature};
use mesos_proto::v1::Credential;

/// What the credential that an object was made with says in HTTP. Both versions of the class are the same message.
pub(super) fn authorization(
    env: &mut Env<'_>,
    of: &JObject<'_>,
    signature: FieldSignature<'_>,
) -> Result<Option<String>> {
    let Some(credential) = optional_field(env, of, jni_str!("credential"), signature) else {
        return Ok(None);
    };
    let credential = credential.l()?;
    if credential.is_null() {
        return Ok(None);
    }
    let credential: Credential = message(env, &credential)?;
    let pair = format!(
        "{}:{}",
        credential.principal,
        credential.secret.unwrap_or_default()
    );
    Ok(Some(format!("Basic {}", BASE64_STANDARD.encode(pair))))
}
