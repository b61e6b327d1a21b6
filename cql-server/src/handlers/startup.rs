//! STARTUP: agrees on the version and on compression.

use super::{Context, Reply, Stage, Then};
use crate::{
    config::Authenticator,
    connection::Framing,
    error::{CqlError, Result},
    wire::{compression::Compression, read::Reader, response::Message, segment::Format},
};

pub(super) async fn handle(cx: Context, mut body: Reader) -> Result<Reply> {
    let options = body.string_map()?;
    let option = |name: &str| {
        let found = options.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    let version =
        option("CQL_VERSION").ok_or_else(|| refused("Missing value CQL_VERSION in STARTUP message"))?;
    check_version(version)?;
    let framing = framing(&cx, option("COMPRESSION"))?;
    cx.agree(cx.version());
    cx.introduce(options);
    let authenticator = cx.service.config.authenticator;
    let message = match authenticator {
        Authenticator::AllowAll => {
            cx.enter(Stage::Ready);
            Message::ready()
        }
        Authenticator::Password => {
            cx.enter(Stage::Authenticating);
            Message::authenticate(authenticator.class())
        }
    };
    Ok(Reply {
        then: Then::Start(cx.version(), framing),
        ..message.into()
    })
}

/// Any version from 3 on is taken: clients say 3.0.0, 3.4.x and 4.0.0.
fn check_version(version: &str) -> Result<()> {
    let major: Option<u32> = version.split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(3..) => Ok(()),
        Some(_) => Err(refused(&format!(
            "CQL version {version} is not supported by the binary protocol (supported version are >= 3.0.0)"
        ))),
        None => Err(refused(&format!("Invalid version value: {version}"))),
    }
}

fn framing(cx: &Context, compression: Option<&str>) -> Result<Framing> {
    let name = compression.map(str::to_lowercase);
    let chosen = match &name {
        None => None,
        Some(name) => match Compression::named(name) {
            Some(chosen) => Some(chosen),
            None => return Err(refused(&format!("Unknown compression algorithm: {name}"))),
        },
    };
    match (cx.version().has_segments(), chosen) {
        (false, _) => Ok(Framing::Envelopes(chosen)),
        (true, None) => Ok(Framing::Segments(Format::Plain)),
        (true, Some(Compression::Lz4)) => Ok(Framing::Segments(Format::Lz4)),
        (true, Some(Compression::Snappy)) => {
            Err(refused("Snappy compression is not supported in protocol V5"))
        }
    }
}

fn refused(text: &str) -> CqlError {
    CqlError::Protocol(text.to_owned())
}
