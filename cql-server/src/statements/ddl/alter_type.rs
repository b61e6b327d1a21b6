//! ALTER TYPE.

use super::{
    Applied, Circumstances,
    alter_table::renames,
    change,
    create_type::{field, field_type},
    holder, keyspace_of,
};
use crate::{
    core::{
        repeated,
        schema::{Column, Keyspace, Schema, refers_to},
        types::{CqlType, UserType, names::RawType},
    },
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, QualifiedName, Tokens, if_exists, if_not_exists, name, type_name, user_type,
        word,
    },
};
use std::sync::Arc;

/// Changes a user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlterType {
    pub(crate) name: QualifiedName,
    pub(crate) if_exists: bool,
    pub(crate) alteration: Alteration,
}

/// How it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Alteration {
    Add {
        field: String,
        kind: RawType,
        if_not_exists: bool,
    },
    Rename {
        names: Vec<(String, String)>,
        if_exists: bool,
    },
    /// Of a field: no longer possible.
    Type,
}

/// `[IF EXISTS] name alteration`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, AlterType> {
    let (input, if_exists_) = if_exists(input)?;
    let start = input;
    let (input, user_type) = user_type(input)?;
    let rest = input.skip();
    let (input, alteration) = match input.peek() {
        Kind::Word(Keyword::Alter) => {
            let (rest, _) = name(rest)?;
            let (rest, ()) = word(Keyword::Type)(rest)?;
            let (rest, _) = type_name(rest)?;
            (rest, Alteration::Type)
        }
        Kind::Word(Keyword::Add) => {
            let (rest, if_not_exists) = if_not_exists(rest)?;
            let (rest, (field, kind)) = field(rest)?;
            (
                rest,
                Alteration::Add {
                    field,
                    kind,
                    if_not_exists,
                },
            )
        }
        Kind::Word(Keyword::Rename) => {
            let (rest, if_exists) = if_exists(rest)?;
            let (rest, names) = renames(rest)?;
            (rest, Alteration::Rename { names, if_exists })
        }
        _ => return Err(input.no_alternative_since(start)),
    };
    Ok((
        input,
        AlterType {
            name: user_type,
            if_exists: if_exists_,
            alteration,
        },
    ))
}

impl AlterType {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.name, cx)?, self.name.name.as_str());
        let found = holder(schema, owner)?.and_then(|keyspace| Some((keyspace, keyspace.types.get(name)?)));
        let Some((keyspace, before)) = found else {
            if self.if_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!("Type {owner}.{name} doesn't exist")));
        };
        let after = match &self.alteration {
            Alteration::Add {
                field,
                kind,
                if_not_exists,
            } => added(keyspace, before, field, kind, *if_not_exists)?,
            Alteration::Rename { names, if_exists } => renamed(before, names, *if_exists)?,
            Alteration::Type => {
                return Err(CqlError::invalid("Altering field types is no longer supported"));
            }
        };
        let Some(after) = after else {
            return Ok(Applied::nothing(schema));
        };
        let change = change("UPDATED", "TYPE", owner, name);
        Ok(Applied::changed(
            schema.with_keyspace(with_type(keyspace, Arc::new(after))),
            change,
        ))
    }
}

fn added(
    keyspace: &Keyspace,
    before: &UserType,
    field: &str,
    raw: &RawType,
    if_not_exists: bool,
) -> Result<Option<UserType>> {
    let full = format!("{}.{}", before.keyspace, before.name);
    if before.fields.iter().any(|(other, _)| **other == *field) {
        if if_not_exists {
            return Ok(None);
        }
        return Err(CqlError::invalid(format!(
            "Cannot add field {field} to type {full}: a field with name {field} already exists"
        )));
    }
    let kind = field_type(keyspace, raw)?;
    if refers_to(&kind, &before.name) {
        return Err(CqlError::invalid(format!(
            "Cannot add new field {field} of type {} to user type {full} as it would create a circular reference",
            qualified(&kind)
        )));
    }
    let in_keys: Vec<String> = keyspace
        .tables
        .values()
        .filter(|table| {
            table
                .partition_key()
                .iter()
                .any(|key| refers_to(&key.kind, &before.name))
        })
        .map(|table| format!("{}.{}", table.keyspace, table.name))
        .collect();
    if !in_keys.is_empty() {
        return Err(CqlError::invalid(format!(
            "Cannot add new field {field} of type {} to user type {full} as the type is being used in partition key by \
             the following tables: {}",
            qualified(&kind),
            in_keys.join(", ")
        )));
    }
    let mut after = before.clone();
    after.fields.push((field.into(), kind));
    Ok(Some(after))
}

/// The type's name, with the keyspace of a user-defined type.
fn qualified(kind: &CqlType) -> String {
    match kind {
        CqlType::Udt { of, frozen: true } => format!("frozen<{}.{}>", of.keyspace, of.name),
        other => other.to_string(),
    }
}

fn renamed(before: &UserType, names: &[(String, String)], if_exists: bool) -> Result<Option<UserType>> {
    let mut after = before.clone();
    for (from, to) in names {
        let Some(at) = after.fields.iter().position(|(field, _)| **field == **from) else {
            if if_exists {
                continue;
            }
            return Err(CqlError::invalid(format!(
                "Unkown field {from} in user type {}.{}",
                before.keyspace, before.name
            )));
        };
        after.fields[at].0 = to.as_str().into();
    }
    if let Some(field) = repeated(after.fields.iter().map(|(field, _)| field)) {
        return Err(CqlError::invalid(format!(
            "Duplicate field name {field} in type {}",
            before.keyspace
        )));
    }
    Ok(Some(after))
}

/// The keyspace with `after` in place of the type of its name, wherever that is used.
fn with_type(keyspace: &Keyspace, after: Arc<UserType>) -> Keyspace {
    let mut keyspace = keyspace.clone();
    for user_type in keyspace.types.values_mut() {
        let fields: Vec<_> = user_type
            .fields
            .iter()
            .map(|(field, kind)| (field.clone(), replaced(kind, &after)))
            .collect();
        if fields != user_type.fields {
            *user_type = Arc::new(UserType {
                fields,
                ..(**user_type).clone()
            });
        }
    }
    for table in keyspace.tables.values_mut() {
        if table
            .columns
            .iter()
            .any(|column| refers_to(&column.kind, &after.name))
        {
            let replace = |column: &Column| Column {
                kind: replaced(&column.kind, &after),
                ..column.clone()
            };
            *table = Arc::new(table.with_columns(table.columns.iter().map(replace).collect()));
        }
    }
    keyspace.types.insert(after.name.clone(), after);
    keyspace
}

/// `kind` with `after` in place of the type of its name.
fn replaced(kind: &CqlType, after: &Arc<UserType>) -> CqlType {
    let inner = |kind: &Arc<CqlType>| Arc::new(replaced(kind, after));
    match kind {
        CqlType::Native(_) | CqlType::Custom(_) => kind.clone(),
        CqlType::List { of, frozen } => CqlType::List {
            of: inner(of),
            frozen: *frozen,
        },
        CqlType::Set { of, frozen } => CqlType::Set {
            of: inner(of),
            frozen: *frozen,
        },
        CqlType::Vector { of, dimensions } => CqlType::Vector {
            of: inner(of),
            dimensions: *dimensions,
        },
        CqlType::Map { key, value, frozen } => CqlType::Map {
            key: inner(key),
            value: inner(value),
            frozen: *frozen,
        },
        CqlType::Tuple(parts) => CqlType::Tuple(parts.iter().map(|part| replaced(part, after)).collect()),
        CqlType::Udt { of, frozen } if of.name == after.name => CqlType::Udt {
            of: after.clone(),
            frozen: *frozen,
        },
        CqlType::Udt { of, frozen } => {
            let fields = of
                .fields
                .iter()
                .map(|(field, kind)| (field.clone(), replaced(kind, after)));
            let of = UserType {
                fields: fields.collect(),
                ..(**of).clone()
            };
            CqlType::Udt {
                of: Arc::new(of),
                frozen: *frozen,
            }
        }
    }
}
