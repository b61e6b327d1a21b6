use super::Stream;
use parking_lot::RwLock;
use serde::Deserialize;
use std::{
    fs,
    io::{self, Error, ErrorKind},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

/// How long a client may take to agree on keys.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Bytes of a PEM file at the most.
const PEM_BYTES_MAX: u64 = 1 << 20;

/// What a listener needs to speak TLS. Each text is PEM itself, or the path of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsOptions {
    /// The server's certificate, followed by those that vouch for it.
    pub certificates: String,
    /// Its private key, not encrypted.
    pub key: String,
    /// Certificates that vouch for clients; clients show none where absent.
    #[serde(default)]
    pub client_ca: Option<String>,
    /// Whether a client without a certificate is refused.
    #[serde(default)]
    pub client_required: bool,
}

/// Turns accepted sockets into TLS streams. Clones are the same one: what it is renewed by holds for all.
#[derive(Clone)]
pub struct TlsAcceptor(Arc<RwLock<tokio_rustls::TlsAcceptor>>);

impl TlsAcceptor {
    /// Reads what `options` name.
    pub fn new(options: &TlsOptions) -> io::Result<Self> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::other)?;
        let builder = match client_verifier(options)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_slice(&pem(&options.key)?)
            .map_err(|error| invalid(format!("no private key in PEM: {error}")))?;
        let config = builder
            .with_single_cert(certificates(&options.certificates)?, key)
            .map_err(Error::other)?;
        Ok(TlsAcceptor(Arc::new(RwLock::new(Arc::new(config).into()))))
    }

    /// Does from now on what `by` does; streams that are open stay as they are.
    pub fn renew(&self, by: &TlsAcceptor) {
        let by = by.now();
        *self.0.write() = by;
    }

    fn now(&self) -> tokio_rustls::TlsAcceptor {
        self.0.read().clone()
    }

    /// Agrees on keys with the client behind `socket`.
    pub async fn accept(&self, socket: TcpStream) -> io::Result<Stream> {
        socket.set_nodelay(true)?;
        let agreed = timeout(HANDSHAKE_MAX, self.now().accept(socket)).await;
        let stream = agreed.map_err(|_| Error::from(ErrorKind::TimedOut))??;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

fn client_verifier(options: &TlsOptions) -> io::Result<Option<Arc<dyn ClientCertVerifier>>> {
    let Some(authorities) = &options.client_ca else {
        return Ok(None);
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
        roots.add(certificate).map_err(Error::other)?;
    }
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
    let builder = if options.client_required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    builder.build().map(Some).map_err(Error::other)
}

fn certificates(text: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem(text)?).collect();
    let read = read.map_err(|error| invalid(format!("no certificate in PEM: {error}")))?;
    if read.is_empty() {
        return Err(invalid("no certificate in PEM".to_owned()));
    }
    Ok(read)
}

fn pem(text: &str) -> io::Result<Vec<u8>> {
    if text.contains("-----BEGIN") {
        return Ok(text.as_bytes().to_vec());
    }
    let told = |error: Error| Error::new(error.kind(), format!("{text}: {error}"));
    // Looked at before it is opened: to open a pipe may take for ever.
    let file = fs::metadata(text).map_err(told)?;
    if !file.is_file() || file.len() > PEM_BYTES_MAX {
        return Err(invalid(format!("{text}: no file in PEM")));
    }
    fs::read(text).map_err(told)
}

fn invalid(why: String) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}
