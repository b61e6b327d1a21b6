//! What this broker answers, for the compatibility matrix in docs/.

use crate::handlers::TABLE;

/// One API key that this broker answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compatible {
    /// API key.
    pub key: i16,
    /// The protocol's name.
    pub name: &'static str,
    /// First and last version told to clients.
    pub advertised: (i16, i16),
    /// First and last version decoded and answered.
    pub answered: (i16, i16),
    /// First and last version that the protocol library decodes at all.
    pub decodable: (i16, i16),
}

/// Every API key this broker answers, sorted.
pub fn compatibility() -> Vec<Compatible> {
    let line = |api: &crate::handlers::Api| Compatible {
        key: api.key,
        name: api.name,
        advertised: (api.advertised_min, api.versions.1),
        answered: api.versions,
        decodable: api.decodable,
    };
    TABLE.iter().map(line).collect()
}
