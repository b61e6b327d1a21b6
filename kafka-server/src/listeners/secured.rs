//! The certificates of a listener, and what may take their place.

use crate::config::{
    self, BrokerConfig,
    alter::AlterFault,
    tls::{self, Renaming},
};
use server_kit::{Identity, TlsAcceptor, TlsError, TlsOptions};

/// A listener that speaks TLS.
pub(crate) struct Secured {
    name: String,
    /// What it has where nothing was set while the broker ran.
    started: Option<TlsOptions>,
    /// What holds for it beside its certificates.
    rules: TlsOptions,
    renaming: Renaming,
    pub(super) acceptor: TlsAcceptor,
}

impl Secured {
    /// Reads the certificates of `listener`, with what was set while the broker ran before. Where the broker is
    /// `started` with the listener, what was set and cannot be used any more does not keep it from starting.
    pub(super) fn open(
        listener: &config::Listener,
        is_started: bool,
        config: &BrokerConfig,
    ) -> Result<Option<Self>, TlsError> {
        let (Some(asked), name) = (&listener.tls, &listener.name) else {
            return Ok(None);
        };
        let started = match is_started {
            true => Some(asked.clone()),
            false => tls::started(name, config),
        };
        let rules = tls::rules(asked, name, config);
        let options = tls::renewed(started.as_ref(), &rules, name, config).unwrap_or_else(|| asked.clone());
        let acceptor = match (TlsAcceptor::new(&options), is_started) {
            (Err(error), true) if options != *asked => {
                let why = words(&options, &error);
                tracing::warn!(listener = name, why, "what was set is not used");
                TlsAcceptor::new(asked)?
            }
            (read, _) => read?,
        };
        Ok(Some(Secured {
            name: name.clone(),
            started,
            rules,
            renaming: Renaming::of(name, config),
            acceptor,
        }))
    }

    /// Reads the certificates that `next` names. Those that are named anew must be there and right. Those that were
    /// named before, in `now`, are read again too; where they were spoilt meanwhile, what was read before stays.
    pub(super) fn read(
        &self,
        now: &BrokerConfig,
        next: &BrokerConfig,
    ) -> Result<Option<TlsAcceptor>, AlterFault> {
        tls::check_formats(&self.name, next).map_err(|why| AlterFault::of_tls(&why))?;
        let (before, options) = (self.options(now), self.options(next));
        let Some(options) = options else {
            return Err(AlterFault::of_keystore(
                "Cannot remove the SSL keystore from an existing listener for which a keystore was configured.",
            ));
        };
        let read = TlsAcceptor::new(&options).map_err(|error| AlterFault::of_tls(&words(&options, &error)));
        let read = read.and_then(|acceptor| {
            self.compare(&acceptor.identity())?;
            Ok(acceptor)
        });
        match read {
            Ok(acceptor) => Ok(Some(acceptor)),
            Err(why) if Some(&options) == before.as_ref() => {
                tracing::warn!(listener = self.name, %why, "certificates not read again");
                Ok(None)
            }
            Err(why) => Err(why),
        }
    }

    fn options(&self, config: &BrokerConfig) -> Option<TlsOptions> {
        tls::renewed(self.started.as_ref(), &self.rules, &self.name, config)
    }

    /// Whether a certificate of `next` may take the place of the present one. Whatever names it has must stay.
    fn compare(&self, next: &Identity) -> Result<(), AlterFault> {
        let now = self.acceptor.identity();
        let unlike = |what: &str, short: &str, old: &str, new: &str| {
            Err(AlterFault::of_keystore(&format!(
                "Keystore {what} does not match:  existing={{alias=kafka, {short}={old}}}, new={{alias=kafka, {short}={new}}}"
            )))
        };
        if !self.renaming.name && now.name != next.name {
            return unlike("DistinguishedName", "DN", &now.name, &next.name);
        }
        let stays = |name| next.alternatives.contains(name);
        if !self.renaming.alternatives && !now.alternatives.iter().all(stays) {
            let (old, new) = (told(&now.alternatives), told(&next.alternatives));
            return unlike("SubjectAltNames", "SAN", &old, &new);
        }
        Ok(())
    }
}

/// As Java shows the alternative names of a certificate.
fn told(names: &[(u8, String)]) -> String {
    let names: Vec<_> = names
        .iter()
        .map(|(kind, name)| format!("[{kind}, {name}]"))
        .collect();
    format!("[{}]", names.join(", "))
}

/// Why certificates cannot be read, in the words of Kafka.
fn words(options: &TlsOptions, error: &TlsError) -> String {
    let store = match error {
        TlsError::Own(_) => &options.certificates,
        TlsError::Clients(_) => options.client_ca.as_ref().unwrap_or(&options.certificates),
    };
    match store.contains("-----BEGIN") {
        true => "Invalid PEM keystore configs".to_owned(),
        false => format!("Failed to load PEM SSL keystore {store}"),
    }
}
