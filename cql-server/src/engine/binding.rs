//! The values of a request, brought into the order of the statement's markers.

use super::{Parameters, Prepared, Value};
use crate::error::{CqlError, Result};
use std::collections::HashMap;

/// How a statement came; the original has words of its own for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    AsText,
    Prepared,
    InBatch,
}

impl Came {
    fn wrong_count(self, markers: usize, given: usize) -> CqlError {
        let there = match self {
            Came::AsText => return CqlError::invalid("Invalid amount of bind variables"),
            Came::Prepared => "there",
            Came::InBatch => "There",
        };
        CqlError::invalid(format!(
            "{there} were {markers} markers(?) in CQL but {given} bound variables"
        ))
    }

    /// Refuses other numbers of values than the statement has markers.
    pub(super) fn check(self, prepared: &Prepared, values: &[Value]) -> Result<()> {
        let (markers, given) = (prepared.markers().len(), values.len());
        if markers == given {
            return Ok(());
        }
        Err(self.wrong_count(markers, given))
    }
}

/// A value for each marker, by position. Named values that no marker asks for are left out; of equal names the first counts.
pub(super) fn positioned(prepared: &Prepared, mut parameters: Parameters, came: Came) -> Result<Parameters> {
    if let Some(names) = parameters.names.take() {
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            places.entry(name).or_insert(at);
        }
        let markers = prepared.markers().iter();
        let found = markers.filter_map(|marker| parameters.values.get(*places.get(&*marker.name)?));
        parameters.values = found.cloned().collect();
    }
    came.check(prepared, &parameters.values)?;
    Ok(parameters)
}
