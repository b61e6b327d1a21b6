//! CREATE KEYSPACE.

use super::{Applied, Circumstances, change, property};
use crate::{
    core::schema::{Keyspace, NAME_CHARS_MAX, Nature, Schema, is_plain_name, options, replication, system},
    error::{CqlError, Result},
    syntax::{Keyword, Parsed, Property, Tokens, if_not_exists, keyspace, properties, word},
};
use std::collections::BTreeMap;

/// Creates a keyspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateKeyspace {
    pub(crate) name: String,
    pub(crate) if_not_exists: bool,
    pub(crate) properties: Vec<Property>,
}

/// `[IF NOT EXISTS] name WITH properties`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, CreateKeyspace> {
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = keyspace(input)?;
    let (input, ()) = word(Keyword::With)(input)?;
    let (input, properties) = properties(input)?;
    Ok((
        input,
        CreateKeyspace {
            name,
            if_not_exists,
            properties,
        },
    ))
}

/// What the properties of CREATE and ALTER KEYSPACE say.
pub(super) struct Given {
    pub(super) replication: Option<(BTreeMap<String, String>, Vec<String>)>,
    pub(super) durable_writes: Option<bool>,
}

/// Reads and checks the properties.
pub(super) fn read(keyspace: &str, properties: &[Property], cx: &Circumstances) -> Result<Given> {
    for Property { name, .. } in properties {
        if name != "replication" && name != "durable_writes" {
            return Err(CqlError::Syntax(format!("Unknown property '{name}'")));
        }
    }
    let durable_writes = property(properties, "durable_writes")
        .map(|value| options::boolean("durable_writes", value))
        .transpose()?;
    let replication = property(properties, "replication")
        .map(|value| replication::checked(keyspace, options::map("replication", value)?, &cx.site))
        .transpose()?;
    Ok(Given {
        replication,
        durable_writes,
    })
}

impl CreateKeyspace {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let name = self.name.as_str();
        if system::is_system(name) {
            return Err(CqlError::invalid(format!(
                "System keyspace '{name}' is not user-modifiable"
            )));
        }
        if !is_plain_name(name) {
            return Err(CqlError::invalid(format!(
                "Keyspace name must not be empty and must contain alphanumeric or underscore characters only (got \"{name}\")"
            )));
        }
        let length = name.chars().count();
        if length > NAME_CHARS_MAX {
            return Err(CqlError::invalid(format!(
                "Keyspace name must not be more than {NAME_CHARS_MAX} characters long (got {length} characters for \"{name}\")"
            )));
        }
        // What cannot be read is said before what is there already, what cannot be used after.
        match property(&self.properties, "replication") {
            None => return Err(CqlError::invalid("Missing mandatory option 'replication'")),
            Some(value) => {
                let options = options::map("replication", value)?;
                if !options.iter().any(|(name, _)| name == "class") {
                    return Err(CqlError::Config("Missing replication strategy class".to_owned()));
                }
            }
        }
        if schema.keyspaces.contains_key(name) {
            return self.exists(schema);
        }
        let given = read(name, &self.properties, cx)?;
        let (replication, warnings) = given.replication.unwrap_or_default();
        let keyspace = Keyspace {
            name: name.into(),
            nature: Nature::Client,
            replication,
            durable_writes: given.durable_writes.unwrap_or(true),
            ..Keyspace::default()
        };
        let change = change("CREATED", "KEYSPACE", name, "");
        Ok(Applied {
            warnings,
            ..Applied::changed(schema.with_keyspace(keyspace), change)
        })
    }

    fn exists(&self, schema: &Schema) -> Result<Applied> {
        if self.if_not_exists {
            return Ok(Applied::nothing(schema));
        }
        Err(CqlError::AlreadyExists {
            message: format!("Cannot add existing keyspace \"{}\"", self.name),
            keyspace: self.name.clone(),
            table: String::new(),
        })
    }
}
