//! ALTER KEYSPACE.

use super::{Applied, Circumstances, change, create_keyspace::read, holder};
use crate::{
    core::schema::Schema,
    error::{CqlError, Result},
    syntax::{Keyword, Parsed, Property, Tokens, if_exists, keyspace, properties, word},
};

/// Changes how a keyspace is replicated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlterKeyspace {
    pub(crate) name: String,
    pub(crate) if_exists: bool,
    pub(crate) properties: Vec<Property>,
}

/// `[IF EXISTS] name WITH properties`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, AlterKeyspace> {
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = keyspace(input)?;
    let (input, ()) = word(Keyword::With)(input)?;
    let (input, properties) = properties(input)?;
    Ok((
        input,
        AlterKeyspace {
            name,
            if_exists,
            properties,
        },
    ))
}

impl AlterKeyspace {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let Some(keyspace) = holder(schema, &self.name)? else {
            if self.if_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!(
                "Keyspace '{}' doesn't exist",
                self.name
            )));
        };
        let given = read(&self.name, &self.properties, cx)?;
        let mut keyspace = (**keyspace).clone();
        let mut warnings = Vec::new();
        if let Some((replication, said)) = given.replication {
            (keyspace.replication, warnings) = (replication, said);
        }
        keyspace.durable_writes = given.durable_writes.unwrap_or(keyspace.durable_writes);
        let change = change("UPDATED", "KEYSPACE", &self.name, "");
        Ok(Applied {
            warnings,
            ..Applied::changed(schema.with_keyspace(keyspace), change)
        })
    }
}
