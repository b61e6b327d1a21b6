use super::{FETCHED_BYTES_MAX, FetchError, Wanted, reader::Reader};
use crate::shell::folder::Owner;
use rustix::fs::OFlags;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use ureq::{
    Agent,
    tls::{RootCerts, TlsConfig},
};

/// How long a server may take to answer: the original's stall timeout.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long a download may take in all.
const DOWNLOAD_MAX: Duration = Duration::from_secs(4 * 3600);
const REDIRECTS_MAX: u32 = 10;

/// Brings a resource into a file. Of this host somebody gets what he may read himself, as by the original.
pub(super) fn bring(
    uri: &str,
    reader: Option<Owner>,
    target: &mut File,
    stop: &CancellationToken,
) -> Result<(), FetchError> {
    match uri.split_once("://") {
        None if uri.starts_with('/') => copy(Path::new(uri), reader, target, stop),
        None => Err(FetchError::Relative(uri.to_owned())),
        Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
            // `file://localhost/path` is this host, too.
            "file" => copy(
                Path::new(rest.strip_prefix("localhost").unwrap_or(rest)),
                reader,
                target,
                stop,
            ),
            "http" | "https" => download(uri, target, stop),
            _ => Err(FetchError::Scheme(uri.to_owned())),
        },
    }
}

/// Copies a file of this host, as the agent may read it or as somebody else may.
pub(super) fn copy(
    from: &Path,
    reader: Option<Owner>,
    target: &mut File,
    stop: &CancellationToken,
) -> Result<(), FetchError> {
    let mut copied = || -> io::Result<()> {
        // To wait for the other end of a pipe would take forever.
        let source = OpenOptions::new()
            .read(true)
            .custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0))
            .open(from)?;
        let kind = source.metadata()?.file_type();
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !kind.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        match reader {
            Some(reader) => write(Reader::of(from, reader, stop)?, target, stop),
            None => write(source, target, stop),
        }
    };
    copied().map_err(|source| FetchError::Copy {
        from: from.display().to_string(),
        source,
    })
}

fn download(uri: &str, target: &mut File, stop: &CancellationToken) -> Result<(), FetchError> {
    let trusts_the_host = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let agent: Agent = Agent::config_builder()
        .tls_config(trusts_the_host)
        .timeout_connect(Some(SILENCE_MAX))
        .timeout_recv_response(Some(SILENCE_MAX))
        .timeout_recv_body(Some(DOWNLOAD_MAX))
        .max_redirects(REDIRECTS_MAX)
        .user_agent("smack")
        .build()
        .into();
    let answer = agent.get(uri).call().map_err(|error| match error {
        ureq::Error::StatusCode(code) => {
            FetchError::Download(format!("Unexpected HTTP response code for '{uri}': {code}"))
        }
        error => FetchError::Download(error.to_string()),
    })?;
    let written = write(answer.into_body().into_reader(), target, stop);
    written.map_err(|error| FetchError::Download(error.to_string()))
}

fn write(source: impl Read, target: &mut File, stop: &CancellationToken) -> io::Result<()> {
    let source = Wanted { source, stop };
    let copied = io::copy(&mut source.take(FETCHED_BYTES_MAX + 1), target)?;
    match copied > FETCHED_BYTES_MAX {
        true => Err(io::Error::other(format!(
            "it is larger than {FETCHED_BYTES_MAX} bytes"
        ))),
        false => Ok(()),
    }
}
