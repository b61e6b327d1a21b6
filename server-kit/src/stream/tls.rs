use super::{Stream, identity::Identity};
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
    RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

/// How long a client may take to agree on keys.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Bytes of a PEM file at the most.
const PEM_BYTES_MAX: u64 = 1 << 20;

/// What a listener needs to speak TLS. Each text is PEM itself, or the path of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
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
    /// `TLSv1.2`, `TLSv1.3`: the versions that are spoken; both where none is named.
    #[serde(default)]
    pub protocols: Vec<String>,
    /// The cipher suites that may be used, by the names of their standard; every safe one where none is named.
    #[serde(default)]
    pub cipher_suites: Vec<String>,
}

/// Turns accepted sockets into TLS streams. Clones are the same one: what it is renewed by holds for all.
#[derive(Clone)]
pub struct TlsAcceptor(Arc<RwLock<Credentials>>);

#[derive(Clone)]
struct Credentials {
    acceptor: tokio_rustls::TlsAcceptor,
    identity: Arc<Identity>,
}

/// Which of the files of a listener cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The server's own certificates, or their key.
    #[error(transparent)]
    Own(io::Error),
    /// The certificates that vouch for clients.
    #[error(transparent)]
    Clients(io::Error),
}

impl TlsAcceptor {
    /// Reads what `options` name.
    pub fn new(options: &TlsOptions) -> Result<Self, TlsError> {
        let (chain, key) = own(options).map_err(TlsError::Own)?;
        let verifier = client_verifier(options).map_err(TlsError::Clients)?;
        let identity = chain.first().map(Identity::of).unwrap_or_default();
        let builder = ServerConfig::builder_with_provider(Arc::new(provider(options)))
            .with_protocol_versions(&versions(options))
            .map_err(|error| TlsError::Own(Error::other(error)))?;
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let config = builder
            .with_single_cert(chain, key)
            .map_err(|error| TlsError::Own(Error::other(error)))?;
        Ok(TlsAcceptor(Arc::new(RwLock::new(Credentials {
            acceptor: Arc::new(config).into(),
            identity: Arc::new(identity),
        }))))
    }

    /// Whom the certificate names that is shown now.
    pub fn identity(&self) -> Arc<Identity> {
        self.0.read().identity.clone()
    }

    /// Does from now on what `by` does; streams that are open stay as they are.
    pub fn renew(&self, by: &TlsAcceptor) {
        let by = by.0.read().clone();
        *self.0.write() = by;
    }

    /// Agrees on keys with the client behind `socket`.
    pub async fn accept(&self, socket: TcpStream) -> io::Result<Stream> {
        socket.set_nodelay(true)?;
        let now = self.0.read().acceptor.clone();
        let agreed = timeout(HANDSHAKE_MAX, now.accept(socket)).await;
        let stream = agreed.map_err(|_| Error::from(ErrorKind::TimedOut))??;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

/// The cryptography of which `options` allow a part.
fn provider(options: &TlsOptions) -> CryptoProvider {
    let mut provider = ring::default_provider();
    let allowed = &options.cipher_suites;
    if !allowed.is_empty() {
        // rustls says of those of version 1.3 which version they are of.
        let name = |suite: &SupportedCipherSuite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
        provider
            .cipher_suites
            .retain(|suite| allowed.contains(&name(suite)));
    }
    provider
}

fn versions(options: &TlsOptions) -> Vec<&'static SupportedProtocolVersion> {
    let known = [("TLSv1.3", &TLS13), ("TLSv1.2", &TLS12)].into_iter();
    let allowed =
        |name: &str| options.protocols.is_empty() || options.protocols.iter().any(|own| own == name);
    known
        .filter(|(name, _)| allowed(name))
        .map(|(_, version)| version)
        .collect()
}

fn own(options: &TlsOptions) -> io::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let key = PrivateKeyDer::from_pem_slice(&pem(&options.key)?)
        .map_err(|error| invalid(format!("no private key in PEM: {error}")))?;
    Ok((certificates(&options.certificates)?, key))
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
