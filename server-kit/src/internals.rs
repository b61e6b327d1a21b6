//! A way in for fuzz targets, which are a crate of their own. Behind the feature `internals`; nothing here is an interface
//! to build on.

/// Reads whom a certificate in DER names.
pub fn read_certificate(der: &[u8]) -> crate::Identity {
    crate::Identity::of(&der.into())
}

/// Parses the PROXY protocol header that a connection may start with.
pub fn read_proxy_header(bytes: &[u8]) {
    if let Ok(Some((length, _))) = crate::stream::parse_proxy_header(bytes) {
        assert!(length <= bytes.len(), "a header ends within what was seen");
    }
}
