use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// Whom a certificate names. What it does not tell in a form that is known is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Its distinguished name, as Java writes it: `O=Example, CN=broker`.
    pub name: String,
    /// Its other names, each with the number that its kind has in RFC 5280: 2 for a host, 7 for an address.
    pub alternatives: Vec<(u8, String)>,
}

impl Identity {
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok(read) = Certificate::from_der(certificate) else {
            return Identity::default();
        };
        let told = read.tbs_certificate();
        let mut parts: Vec<String> = told.subject().iter_rdn().map(ToString::to_string).collect();
        parts.reverse();
        let alternatives = told.get_extension::<SubjectAltName>().ok().flatten();
        Identity {
            name: parts.join(", "),
            alternatives: alternatives
                .map_or(Vec::new(), |(_, names)| names.0.iter().map(alternative).collect()),
        }
    }
}

fn alternative(name: &GeneralName) -> (u8, String) {
    match name {
        GeneralName::OtherName(name) => (0, format!("{name:?}")),
        GeneralName::Rfc822Name(name) => (1, name.to_string()),
        GeneralName::DnsName(name) => (2, name.to_string()),
        GeneralName::DirectoryName(name) => (4, name.to_string()),
        GeneralName::EdiPartyName(name) => (5, format!("{name:?}")),
        GeneralName::UniformResourceIdentifier(name) => (6, name.to_string()),
        GeneralName::IpAddress(address) => (7, ip(address.as_bytes())),
        GeneralName::RegisteredId(id) => (8, id.to_string()),
    }
}

fn ip(bytes: &[u8]) -> String {
    let v4 = <[u8; 4]>::try_from(bytes).map(|octets| std::net::Ipv4Addr::from(octets).to_string());
    let v6 = || <[u8; 16]>::try_from(bytes).map(|octets| std::net::Ipv6Addr::from(octets).to_string());
    v4.or_else(|_| v6()).unwrap_or_else(|_| format!("{bytes:?}"))
}
