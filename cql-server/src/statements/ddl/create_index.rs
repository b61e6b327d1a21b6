//! CREATE INDEX and CREATE CUSTOM INDEX.

use super::{Applied, Circumstances, attached_index, change, given, keyspace_of};
use crate::{
    core::{
        schema::{Column, Index, IndexKind, Keyspace, Role, Schema, Table, Target, TargetPart, options},
        types::CqlType,
    },
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, Property, QualifiedName, Tokens, after_word, column, commas_until, has_word,
        if_not_exists, index, parenthesised, properties, sign, string, table, word,
    },
};
use std::collections::BTreeMap;

/// Creates a secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateIndex {
    pub(crate) is_custom: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) name: Option<String>,
    pub(crate) table: QualifiedName,
    /// Columns; what of them where the statement says so.
    pub(crate) targets: Vec<(String, Option<TargetPart>)>,
    pub(crate) class: Option<String>,
    pub(crate) properties: Vec<Property>,
}

/// `[CUSTOM] INDEX [IF NOT EXISTS] [name] ON table (targets) [USING class] [WITH OPTIONS = ...]`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, CreateIndex> {
    let (input, is_custom) = has_word(Keyword::Custom)(input)?;
    let (input, ()) = word(Keyword::Index)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = if input.is(Keyword::On) || input.peek() == Kind::End {
        (input, None)
    } else {
        let (input, name) = index(input)?;
        (input, Some(name.name))
    };
    let (input, ()) = word(Keyword::On)(input)?;
    let (input, table) = table(input)?;
    let (input, ()) = sign("(")(input)?;
    let (input, targets) = commas_until(")", target)(input)?;
    let (input, class) = after_word(Keyword::Using, string)(input)?;
    let (input, properties) = after_word(Keyword::With, properties)(input)?;
    let properties = properties.unwrap_or_default();
    Ok((
        input,
        CreateIndex {
            is_custom,
            if_not_exists,
            name,
            table,
            targets,
            class,
            properties,
        },
    ))
}

fn target(input: Tokens<'_>) -> Parsed<'_, (String, Option<TargetPart>)> {
    let part = match input.peek() {
        Kind::Word(Keyword::Values) => TargetPart::Values,
        Kind::Word(Keyword::Keys) => TargetPart::Keys,
        Kind::Word(Keyword::Entries) => TargetPart::Entries,
        Kind::Word(Keyword::Full) => TargetPart::Full,
        _ => {
            let (input, column) = column(input)?;
            return Ok((input, (column, None)));
        }
    };
    if !input.sign_at(1, "(") {
        let (input, column) = column(input)?;
        return Ok((input, (column, None)));
    }
    let (input, column) = parenthesised(column)(input.skip())?;
    Ok((input, (column, Some(part))))
}

impl CreateIndex {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let keyspace = schema.changeable(keyspace_of(&self.table, cx)?)?;
        let name = &self.table.name;
        let table = keyspace
            .tables
            .get(name.as_str())
            .ok_or_else(|| CqlError::invalid(format!("Table '{name}' doesn't exist")))?;
        if let Some(name) = self.name.as_deref().filter(|name| keyspace.index(name).is_some()) {
            if self.if_not_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!("Index '{name}' already exists")));
        }
        if table.is_counter() {
            return Err(CqlError::invalid(
                "Secondary indexes on counter tables aren't supported",
            ));
        }
        if table.view.is_some() {
            return Err(CqlError::invalid(
                "Secondary indexes on materialized views aren't supported",
            ));
        }
        let target = self.target(table)?;
        let options = self.options()?;
        let index = Index {
            name: self
                .name
                .clone()
                .unwrap_or_else(|| free_name(keyspace, table, &target)),
            number: schema.next_number,
            kind: if self.class.is_some() {
                IndexKind::Custom
            } else {
                IndexKind::Composites
            },
            target,
            class: self.class.clone(),
            options,
        };
        self.check_class(&index)?;
        let same = |other: &&Index| {
            other.target == index.target && other.class == index.class && other.options == index.options
        };
        if let Some(other) = table.indexes.iter().find(same) {
            if self.if_not_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!(
                "Index {} is a duplicate of existing index {}",
                index.name, other.name
            )));
        }
        let is_sai = index.is_sai();
        if is_sai {
            attached_index::check(table, &index)?;
        }
        let change = change("UPDATED", "TABLE", &keyspace.name, name);
        let mut table = (**table).clone();
        table.indexes.push(index);
        table.indexes.sort_by(|one, other| one.name.cmp(&other.name));
        let warning = attached_index::warning(&table).filter(|_| is_sai);
        let mut schema = schema.with_table(keyspace, table);
        schema.next_number += 1;
        Ok(Applied {
            warnings: warning.into_iter().collect(),
            ..Applied::changed(schema, change)
        })
    }

    fn options(&self) -> Result<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        for Property { name, value } in &self.properties {
            if name != "options" {
                return Err(CqlError::Syntax(format!("Unknown property '{name}'")));
            }
            found.extend(options::map(name, given(value))?.iter().cloned());
        }
        if self.class.is_none() && !self.is_custom && !found.is_empty() {
            return Err(CqlError::invalid("Cannot specify options for a non-CUSTOM index"));
        }
        Ok(found)
    }

    fn target(&self, table: &Table) -> Result<Target> {
        let [(name, part)] = self.targets.as_slice() else {
            if self.class.as_deref().is_some_and(crate::core::schema::is_sai) {
                let names: Vec<&str> = self.targets.iter().map(|(name, _)| name.as_str()).collect();
                return Err(CqlError::invalid(format!(
                    "A storage-attached index cannot be created over multiple columns: {}",
                    names.join(", ")
                )));
            }
            let several = if self.is_custom || self.class.is_some() {
                "Only CUSTOM indexes support multiple columns"
            } else if self.targets.is_empty() {
                "Only CUSTOM indexes can be created without specifying a target column"
            } else {
                "Only CUSTOM indexes support multiple columns"
            };
            return Err(CqlError::invalid(several));
        };
        let column = table.column(name).ok_or_else(|| {
            let (keyspace, table) = (&table.keyspace, &table.name);
            CqlError::invalid(format!(
                "Undefined column name {name} in table {keyspace}.{table}"
            ))
        })?;
        if column.role == Role::PartitionKey && table.partition_key().len() == 1 {
            return Err(CqlError::invalid(format!(
                "Cannot create secondary index on the only partition key column {name}"
            )));
        }
        Ok(Target {
            column: name.as_str().into(),
            part: target_part(column, *part)?,
        })
    }

    /// Whether the class is one that there is.
    fn check_class(&self, index: &Index) -> Result<()> {
        let Some(class) = &self.class else {
            if self.is_custom {
                return Err(CqlError::Config(
                    "Unable to find custom indexer class 'legacy_local_table'".to_owned(),
                ));
            }
            return Ok(());
        };
        if class == "legacy_local_table" {
            return Ok(());
        }
        if class.rsplit('.').next() == Some("SASIIndex") {
            return Err(CqlError::invalid(
                "SASI indexes are disabled. Enable in cassandra.yaml to use.",
            ));
        }
        if !index.is_sai() {
            return Err(CqlError::Config(format!(
                "Unable to find custom indexer class '{class}'"
            )));
        }
        Ok(())
    }
}

/// What of `column` is indexed, where the statement says `part` or nothing.
fn target_part(column: &Column, part: Option<TargetPart>) -> Result<TargetPart> {
    let name = &column.name;
    let is_map = matches!(column.kind, CqlType::Map { .. });
    let is_frozen = column.kind.is_collection() && !column.kind.is_multi_cell();
    if matches!(column.kind, CqlType::Udt { frozen: false, .. }) {
        return Err(CqlError::invalid(format!(
            "Cannot create index on non-frozen UDT column {name}"
        )));
    }
    if column.kind.contains_duration() {
        let what = match &column.kind {
            CqlType::Tuple(_) => "tuples containing durations",
            CqlType::Udt { .. } => "UDTs containing durations",
            kind if kind.is_collection() => "collections containing durations",
            _ => "duration columns",
        };
        return Err(CqlError::invalid(format!(
            "Secondary indexes are not supported on {what}"
        )));
    }
    let shown = match part {
        Some(TargetPart::Keys) => "keys",
        Some(TargetPart::Entries) => "entries",
        Some(TargetPart::Full) => "full",
        _ => "values",
    };
    match part {
        Some(TargetPart::Full) if is_frozen => Ok(TargetPart::Full),
        Some(TargetPart::Full) => Err(CqlError::invalid(
            "full() indexes can only be created on frozen collections",
        )),
        Some(_) if !column.kind.is_collection() => Err(CqlError::invalid(format!(
            "Cannot create {shown}() index on {name}. Non-collection columns only support simple indexes"
        ))),
        _ if is_frozen => Err(CqlError::invalid(format!(
            "Cannot create {shown}() index on frozen column {name}. Frozen collections are immutable and must be fully \
             indexed by using the 'full({name})' modifier"
        ))),
        Some(TargetPart::Keys | TargetPart::Entries) if !is_map => Err(CqlError::invalid(format!(
            "Cannot create index on {shown} of column {name} with non-map type"
        ))),
        Some(part) => Ok(part),
        None if column.kind.is_collection() => Ok(TargetPart::Values),
        None => Ok(TargetPart::Whole),
    }
}

/// A name that the keyspace has no index of.
fn free_name(keyspace: &Keyspace, table: &Table, target: &Target) -> String {
    let letters = |text: &str| {
        text.chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let base = format!("{}_{}_idx", letters(&table.name), letters(&target.column));
    let taken = |name: &String| keyspace.index(name).is_some();
    let numbered = (1..).map(|number: u32| format!("{base}_{number}"));
    std::iter::once(base.clone())
        .chain(numbered)
        .find(|name| !taken(name))
        .unwrap_or(base)
}
