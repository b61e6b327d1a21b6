//! AUTH_RESPONSE: who the client is, by name and password (SASL PLAIN).

use super::{Context, Reply, Stage};
use crate::{
    config::Authenticator,
    error::{CqlError, Result},
    wire::{read::Reader, response::Message},
};

pub(super) async fn handle(cx: Context, mut body: Reader) -> Result<Reply> {
    let token = body.bytes()?.unwrap_or_default();
    if cx.service.config.authenticator == Authenticator::Password {
        let (name, password) = credentials(&token)?;
        let role = cx.service.engine.log_in(&name, &password).await?;
        cx.session.set_role(role);
        cx.enter(Stage::Ready);
    }
    Ok(Message::auth_success().into())
}

/// `authorization \0 name \0 password`, read from the end as the original does.
fn credentials(token: &[u8]) -> Result<(String, String)> {
    let mut parts = token.rsplitn(3, |byte| *byte == 0);
    let mut part = |what: &str| match parts.next() {
        Some(part) if !part.is_empty() => Ok(String::from_utf8_lossy(part).into_owned()),
        _ => Err(CqlError::BadCredentials(format!("{what} must not be null"))),
    };
    let password = part("Password")?;
    let name = part("Authentication ID")?;
    Ok((name, password))
}
