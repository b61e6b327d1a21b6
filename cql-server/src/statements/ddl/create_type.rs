//! CREATE TYPE.

use super::{Applied, Circumstances, change, keyspace_of};
use crate::{
    core::{
        schema::{Keyspace, Schema},
        types::{CqlType, Native, UserType, names::RawType},
    },
    error::{CqlError, Result},
    syntax::{Parsed, QualifiedName, Tokens, if_not_exists, name, sign, type_name, user_type},
};
use std::{collections::HashMap, sync::Arc};

/// Creates a user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateType {
    pub(crate) name: QualifiedName,
    pub(crate) if_not_exists: bool,
    pub(crate) fields: Vec<(String, RawType)>,
}

/// `[IF NOT EXISTS] name (fields)`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, CreateType> {
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, type_name) = user_type(input)?;
    let (input, ()) = sign("(")(input)?;
    let (mut input, first) = field(input)?;
    let mut fields = vec![first];
    while input.is_sign(",") {
        input = input.skip();
        if !input.is_sign(",") && !input.is_sign(")") {
            let (rest, next) = field(input)?;
            fields.push(next);
            input = rest;
        }
    }
    let (input, ()) = sign(")")(input)?;
    Ok((
        input,
        CreateType {
            name: type_name,
            if_not_exists,
            fields,
        },
    ))
}

/// `name type`
pub(super) fn field(input: Tokens<'_>) -> Parsed<'_, (String, RawType)> {
    let (input, name) = name(input)?;
    let (input, kind) = type_name(input)?;
    Ok((input, (name, kind)))
}

/// The type of a field: neither a counter nor a user-defined type that is not frozen.
pub(super) fn field_type(keyspace: &Keyspace, raw: &RawType) -> Result<CqlType> {
    match raw {
        RawType::Native(Native::Counter) => Err(CqlError::invalid("A user type cannot contain counters")),
        RawType::Named { frozen: false, .. } => {
            Err(CqlError::invalid("A user type cannot contain non-frozen UDTs"))
        }
        _ => keyspace.resolve(raw),
    }
}

impl CreateType {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let keyspace = schema.changeable(keyspace_of(&self.name, cx)?)?;
        let name = self.name.name.as_str();
        if keyspace.types.contains_key(name) {
            if self.if_not_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!(
                "A user type with name '{name}' already exists"
            )));
        }
        let mut fields: Vec<(Arc<str>, CqlType)> = Vec::with_capacity(self.fields.len());
        let mut times: HashMap<&str, usize> = HashMap::new();
        for (field, _) in &self.fields {
            *times.entry(field).or_default() += 1;
        }
        if let Some((field, _)) = self.fields.iter().find(|(field, _)| times[field.as_str()] > 1) {
            return Err(CqlError::invalid(format!(
                "Duplicate field name '{field}' in type '{name}'"
            )));
        }
        for (field, raw) in &self.fields {
            fields.push((field.as_str().into(), field_type(keyspace, raw)?));
        }
        let mut keyspace = (**keyspace).clone();
        let made = UserType {
            keyspace: keyspace.name.clone(),
            name: name.into(),
            fields,
        };
        keyspace.types.insert(name.into(), Arc::new(made));
        let change = change("CREATED", "TYPE", &keyspace.name, name);
        Ok(Applied::changed(schema.with_keyspace(keyspace), change))
    }
}
