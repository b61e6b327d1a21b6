//! ALTER TABLE.

use super::{
    Applied, Circumstances, change,
    create_table::{Definition, Settings, definition, mask, refuse_masks, refuse_nested_udt},
    create_view::renamed_restriction,
    holder, keyspace_of,
};
use crate::{
    core::schema::{Column, Dropped, Keyspace, Role, Schema, Table},
    error::{CqlError, Result},
    syntax::{
        Keyword, Kind, Parsed, Property, QualifiedName, Tokens, ands, column, commas, if_exists,
        if_not_exists, kind, name, parenthesised, properties, table, type_name, word, words,
    },
};
use std::sync::Arc;

/// Changes a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlterTable {
    pub(crate) table: QualifiedName,
    pub(crate) if_exists: bool,
    pub(crate) alteration: Alteration,
}

/// How it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Alteration {
    Add {
        columns: Vec<Definition>,
        if_not_exists: bool,
    },
    Drop {
        columns: Vec<String>,
        if_exists: bool,
        timestamp_us: Option<i64>,
    },
    Rename {
        names: Vec<(String, String)>,
        if_exists: bool,
    },
    Options(Vec<Property>),
    /// Of a column: no longer possible.
    Type,
    /// Of a column: not to be had.
    Mask,
    DropCompactStorage,
}

/// `[IF EXISTS] table alteration`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, AlterTable> {
    let (input, if_exists) = if_exists(input)?;
    let start = input;
    let (input, table) = table(input)?;
    let rest = input.skip();
    let (input, alteration) = match input.peek() {
        Kind::Word(Keyword::Alter) => alter_column(rest)?,
        Kind::Word(Keyword::Add) => add(rest)?,
        Kind::Word(Keyword::Drop) => drop(rest)?,
        Kind::Word(Keyword::Rename) => rename(rest)?,
        Kind::Word(Keyword::With) => {
            let (input, properties) = properties(rest)?;
            (input, Alteration::Options(properties))
        }
        _ => return Err(input.no_alternative_since(start)),
    };
    Ok((
        input,
        AlterTable {
            table,
            if_exists,
            alteration,
        },
    ))
}

fn alter_column(input: Tokens<'_>) -> Parsed<'_, Alteration> {
    let (input, _) = if_exists(input)?;
    let (input, _) = column(input)?;
    if input.is(Keyword::Drop) {
        let (input, ()) = words([Keyword::Drop, Keyword::Masked])(input)?;
        return Ok((input, Alteration::Mask));
    }
    if input.is(Keyword::Masked) {
        return mask(input).map(|(input, _)| (input, Alteration::Mask));
    }
    let (input, ()) = word(Keyword::Type)(input)?;
    let (input, _) = type_name(input)?;
    Ok((input, Alteration::Type))
}

fn add(input: Tokens<'_>) -> Parsed<'_, Alteration> {
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, columns) = if input.is_sign("(") {
        parenthesised(commas(definition))(input)?
    } else {
        let (input, only) = definition(input)?;
        (input, vec![only])
    };
    Ok((
        input,
        Alteration::Add {
            columns,
            if_not_exists,
        },
    ))
}

fn drop(input: Tokens<'_>) -> Parsed<'_, Alteration> {
    if input.is(Keyword::Compact) && input.peek_at(1) == Kind::Word(Keyword::Storage) {
        return Ok((input.skip().skip(), Alteration::DropCompactStorage));
    }
    let (input, if_exists) = if_exists(input)?;
    let (input, columns) = if input.is_sign("(") {
        parenthesised(commas(name))(input)?
    } else {
        let (input, only) = name(input)?;
        (input, vec![only])
    };
    if !input.is(Keyword::Using) {
        return Ok((
            input,
            Alteration::Drop {
                columns,
                if_exists,
                timestamp_us: None,
            },
        ));
    }
    let (input, ()) = words([Keyword::Using, Keyword::Timestamp])(input)?;
    let (rest, text) = kind(Kind::Integer)(input)?;
    let Ok(timestamp) = text.parse() else {
        return Err(input.refused(format!("For input string: \"{text}\"")));
    };
    Ok((
        rest,
        Alteration::Drop {
            columns,
            if_exists,
            timestamp_us: Some(timestamp),
        },
    ))
}

/// `a TO b AND c TO d`: of columns and of fields.
pub(super) fn renames(input: Tokens<'_>) -> Parsed<'_, Vec<(String, String)>> {
    ands(|input| {
        let (input, from) = name(input)?;
        let (input, ()) = word(Keyword::To)(input)?;
        let (input, to) = name(input)?;
        Ok((input, (from, to)))
    })(input)
}

fn rename(input: Tokens<'_>) -> Parsed<'_, Alteration> {
    let (input, if_exists) = if_exists(input)?;
    let (input, names) = renames(input)?;
    Ok((input, Alteration::Rename { names, if_exists }))
}

impl AlterTable {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.table, cx)?, self.table.name.as_str());
        let found = holder(schema, owner)?.and_then(|keyspace| Some((keyspace, keyspace.tables.get(name)?)));
        let Some((keyspace, table)) = found else {
            if self.if_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!("Table '{owner}.{name}' doesn't exist")));
        };
        if table.view.is_some() {
            return Err(CqlError::invalid(
                "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead",
            ));
        }
        let table = match &self.alteration {
            Alteration::Add {
                columns,
                if_not_exists,
            } => {
                let table = added(keyspace, table, columns, *if_not_exists)?;
                let change = change("UPDATED", "TABLE", owner, name);
                let keyspace = with_wider_views(keyspace, &table);
                return Ok(Applied::changed(schema.with_table(&keyspace, table), change));
            }
            Alteration::Drop {
                columns,
                if_exists,
                timestamp_us,
            } => {
                let at_us = timestamp_us.unwrap_or(cx.now_us);
                dropped(keyspace, table, columns, *if_exists, at_us)?
            }
            // IF EXISTS is read, and changes nothing, in the original too.
            Alteration::Rename { names, .. } => return self.renamed(schema, keyspace, table, names),
            Alteration::Options(properties) => {
                let (_, options, default_time_to_live) =
                    Settings::read(properties, Some(table))?.checked(table.id, false)?;
                if table.is_counter() && default_time_to_live > 0 {
                    return Err(CqlError::invalid(
                        "Cannot set default_time_to_live on a table with counters",
                    ));
                }
                table.with_options(options, default_time_to_live)
            }
            Alteration::Type => {
                return Err(CqlError::invalid("Altering column types is no longer supported"));
            }
            Alteration::Mask => return Err(refuse_masks()),
            Alteration::DropCompactStorage => {
                return Err(CqlError::invalid(
                    "DROP COMPACT STORAGE is disabled. Enable in cassandra.yaml to use.",
                ));
            }
        };
        let change = change("UPDATED", "TABLE", owner, name);
        Ok(Applied::changed(schema.with_table(keyspace, table), change))
    }

    /// Renames key columns of a table and of its views.
    fn renamed(
        &self,
        schema: &Schema,
        keyspace: &Keyspace,
        table: &Table,
        names: &[(String, String)],
    ) -> Result<Applied> {
        let (mut table, mut keyspace) = (table.clone(), keyspace.clone());
        for (from, to) in names {
            let Some(column) = table.column(from) else {
                return Err(CqlError::invalid(format!(
                    "Undefined column name {from} in table {}.{}",
                    table.keyspace, table.name
                )));
            };
            check_rename(&table, column, to)?;
            let views: Vec<Table> = keyspace
                .views_of(&table.name)
                .map(|view| {
                    let mut view = with_renamed(view, from, to);
                    if let Some(of) = &mut view.view {
                        of.restriction = renamed_restriction(&of.restriction, from, to);
                    }
                    view
                })
                .collect();
            for view in views {
                keyspace.tables.insert(view.name.clone(), view.into());
            }
            table = with_renamed(&table, from, to);
        }
        let change = change("UPDATED", "TABLE", &keyspace.name, &table.name);
        Ok(Applied::changed(schema.with_table(&keyspace, table), change))
    }
}

fn check_rename(table: &Table, column: &Column, to: &str) -> Result<()> {
    let full = format!("{}.{}", table.keyspace, table.name);
    let from = &column.name;
    if !matches!(column.role, Role::PartitionKey | Role::Clustering { .. }) {
        return Err(CqlError::invalid(format!(
            "Cannot rename non PRIMARY KEY column {from}"
        )));
    }
    if table.column(to).is_some() {
        return Err(CqlError::invalid(format!(
            "Cannot rename column {from} to {to} in table '{full}'; another column with that name already exists"
        )));
    }
    let by: Vec<&str> = table
        .indexes
        .iter()
        .filter(|index| index.target.column == *from)
        .map(|index| index.name.as_str())
        .collect();
    if !by.is_empty() {
        return Err(CqlError::invalid(format!(
            "Can't rename column {from} because it has dependent secondary indexes ({})",
            by.join(", ")
        )));
    }
    Ok(())
}

fn with_renamed(table: &Table, from: &str, to: &str) -> Table {
    let rename = |column: &Column| {
        let name = if &*column.name == from {
            to.into()
        } else {
            column.name.clone()
        };
        Column {
            name,
            ..column.clone()
        }
    };
    table.with_columns(table.columns.iter().map(rename).collect())
}

fn added(keyspace: &Keyspace, table: &Table, columns: &[Definition], if_not_exists: bool) -> Result<Table> {
    let mut table = table.clone();
    for definition in columns {
        let name = definition.name.as_str();
        if table.column(name).is_some() {
            if if_not_exists {
                continue;
            }
            return Err(CqlError::invalid(format!(
                "Column with name '{name}' already exists"
            )));
        }
        if definition.is_masked {
            return Err(refuse_masks());
        }
        let kind = keyspace.resolve(&definition.kind)?;
        refuse_nested_udt(&kind)?;
        let role = if definition.is_static {
            Role::Static
        } else {
            Role::Regular
        };
        if definition.is_static && table.clustering().is_empty() {
            return Err(CqlError::invalid(
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column",
            ));
        }
        let column = Column {
            name: name.into(),
            kind,
            role,
            // What was written after a column of that name was dropped is there again.
            id: table
                .dropped_named(name)
                .map_or(table.next_column, |dropped| dropped.column.id),
        };
        check_counter(&table, &column)?;
        check_dropped(&table, &column)?;
        let columns = table.columns.iter().cloned().chain([column]).collect();
        table = table.with_columns(columns);
    }
    Ok(table)
}

/// `keyspace` with the columns of `table` in those of its views that show all.
fn with_wider_views(keyspace: &Keyspace, table: &Table) -> Keyspace {
    let mut wider = keyspace.clone();
    let shows_all = |view: &&Arc<Table>| view.view.as_ref().is_some_and(|view| view.includes_all);
    for view in keyspace.views_of(&table.name).filter(shows_all) {
        let mut columns = view.columns.clone();
        let missing = table
            .columns
            .iter()
            .filter(|column| view.column(&column.name).is_none());
        for (column, id) in missing
            .filter(|column| !column.is_static())
            .zip(view.next_column..)
        {
            columns.push(Column { id, ..column.clone() });
        }
        let view = view.with_columns(columns);
        wider.tables.insert(view.name.clone(), view.into());
    }
    wider
}

fn check_counter(table: &Table, column: &Column) -> Result<()> {
    if column.is_counter() == table.is_counter() {
        return Ok(());
    }
    let (is, of) = if column.is_counter() {
        ("a counter", "non counter")
    } else {
        ("a non counter", "counter")
    };
    Err(CqlError::Config(format!(
        "{}.{}: Cannot have {is} column (\"{}\") in a {of} table",
        table.keyspace, table.name, column.name
    )))
}

/// Whether a column may come back after one of its name was dropped.
fn check_dropped(table: &Table, column: &Column) -> Result<()> {
    let name = &column.name;
    let Some(before) = table.dropped_named(name) else {
        return Ok(());
    };
    if before.column.is_counter() {
        return Err(CqlError::invalid(format!(
            "Cannot re-add previously dropped counter column {name}"
        )));
    }
    if before.column.kind != column.kind {
        return Err(CqlError::invalid(format!(
            "Cannot add a column '{name}' of type {}, incompatible with previously dropped column '{name}' of type {}",
            column.kind, before.column.kind
        )));
    }
    if before.column.is_static() != column.is_static() {
        let kind = |column: &Column| if column.is_static() { "static" } else { "regular" };
        return Err(CqlError::invalid(format!(
            "Cannot re-add previously dropped column '{name}' of kind {}, incompatible with previous kind {}",
            kind(column).to_uppercase(),
            kind(&before.column).to_uppercase()
        )));
    }
    Ok(())
}

fn dropped(
    keyspace: &Keyspace,
    table: &Table,
    columns: &[String],
    if_exists: bool,
    at_us: i64,
) -> Result<Table> {
    let full = format!("{}.{}", table.keyspace, table.name);
    let mut table = table.clone();
    for name in columns {
        let Some(column) = table.column(name).cloned() else {
            if if_exists {
                continue;
            }
            return Err(CqlError::invalid(format!(
                "Column {name} was not found in table '{full}'"
            )));
        };
        if matches!(column.role, Role::PartitionKey | Role::Clustering { .. }) {
            return Err(CqlError::invalid(format!(
                "Cannot drop PRIMARY KEY column {name}"
            )));
        }
        let by: Vec<&str> = table
            .indexes
            .iter()
            .filter(|index| *index.target.column == **name)
            .map(|index| index.name.as_str())
            .collect();
        if !by.is_empty() {
            return Err(CqlError::invalid(format!(
                "Cannot drop column {name} because it has dependent secondary indexes ({})",
                by.join(", ")
            )));
        }
        let views: Vec<&str> = keyspace.views_of(&table.name).map(|view| &*view.name).collect();
        if !views.is_empty() {
            return Err(CqlError::invalid(format!(
                "Cannot drop column {name} on base table {} with materialized views",
                table.name
            )));
        }
        let columns = table
            .columns
            .iter()
            .filter(|other| other.name != column.name)
            .cloned()
            .collect();
        let mut next = table.with_columns(columns);
        next.dropped.retain(|dropped| dropped.column.name != column.name);
        next.dropped.push(Dropped { column, at_us });
        table = next;
    }
    Ok(table)
}
