//! Features of the cluster that clients look at before they use something new.

/// A feature, at the one level this server has it.
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    pub(crate) level: i16,
}

/// Sorted by name. Only what is real: a level that could be given up again would be a promise, so none can.
pub(crate) static FEATURES: &[Feature] = &[
    // The consumer group protocol of KIP-848.
    Feature {
        name: "group.version",
        level: 1,
    },
    // Kafka 4.1, whose messages are spoken.
    Feature {
        name: "metadata.version",
        level: 27,
    },
    // Transactions of KIP-890: an epoch for each.
    Feature {
        name: "transaction.version",
        level: 2,
    },
];

/// How a feature's level is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Update<'a> {
    pub(crate) name: &'a str,
    pub(crate) level: i16,
    /// Raised only, never lowered.
    pub(crate) upgrade: bool,
}

/// Whether `update` leaves everything as it is. Otherwise why it cannot be done, in the words of Kafka.
pub(crate) fn check(update: Update<'_>, me: i32) -> Result<(), String> {
    let Update { name, level, upgrade } = update;
    let prefix = format!("Invalid update version {level} for feature {name}.");
    let Some(feature) = FEATURES.iter().find(|feature| feature.name == name) else {
        return Err(format!(
            "{prefix} Local controller {me} does not support this feature."
        ));
    };
    let known = feature.level;
    if level == known {
        Ok(())
    } else if upgrade && (0..known).contains(&level) {
        Err(format!(
            "{prefix} Can't downgrade the version of this feature without setting the upgrade type to either safe or \
             unsafe downgrade."
        ))
    } else {
        Err(format!(
            "{prefix} Local controller {me} only supports versions {known}-{known}"
        ))
    }
}
