//! INSERT, UPDATE and DELETE to plans.

use super::{Change, Conditions, Json, Write, conditions};
use crate::{
    core::{
        indexes::Kept,
        schema::{Column, Table, system},
        types::{CqlType, Native},
    },
    error::{CqlError, Result},
    statements::{
        attributes::Attributes,
        delete::{Delete, Target},
        insert::{Content, Document, Insert},
        restrictions::{self, Purpose, Restrictions, Test, existing},
        terms::{Planner, Prepared, Receiver, shown},
        update::{self, Update},
        views::ViewPlan,
    },
    syntax::{Comparison, Literal, LiteralKind, Relation, Term},
};
use std::sync::Arc;

/// Prepares INSERT.
pub(crate) fn insert(planner: &mut Planner<'_>, table: &Arc<Table>, insert: &Insert) -> Result<Write> {
    refuse_view(table)?;
    if table.is_counter() {
        return Err(CqlError::invalid(
            "INSERT statements are not allowed on counter tables, use UPDATE instead",
        ));
    }
    let (columns, values) = match &insert.content {
        Content::Values { columns, values } => (columns, values),
        Content::Json {
            document,
            default_unset,
        } => {
            return insert_json(planner, table, insert, document, *default_unset);
        }
    };
    if columns.len() != values.len() {
        return Err(CqlError::invalid("Unmatched column names/values"));
    }
    let mut relations = Vec::new();
    let mut changes = Vec::new();
    let keys = table.partition_key().len() + table.clustering().len();
    for (index, (name, value)) in columns.iter().zip(values).enumerate() {
        let (at, column) = existing(table, name)?;
        if columns[..index].contains(name) {
            return Err(CqlError::invalid("The column names contains duplicates"));
        }
        if at < keys {
            relations.push(Relation::Column {
                column: name.clone(),
                operator: Comparison::Equal,
                term: value.clone(),
            });
        } else {
            let receiver = Receiver::new(column.name.clone(), column.kind.clone());
            changes.push((at, Change::Set(planner.term(value, &receiver)?)));
        }
    }
    let only_statics = !changes.is_empty()
        && changes.iter().all(|(at, _)| table.columns[*at].is_static())
        && !relations.iter().any(|relation| is_clustering(table, relation));
    let restrictions = restrictions::prepare(planner, table, &relations, Purpose::Insert, only_statics)?;
    let conditions = conditions::prepare(planner, table, &insert.conditions)?;
    finish(
        planner,
        table,
        Purpose::Insert,
        restrictions,
        changes,
        &insert.attributes,
        conditions,
    )
}

fn is_clustering(table: &Table, relation: &Relation) -> bool {
    let Relation::Column { column, .. } = relation else {
        return false;
    };
    table
        .clustering()
        .iter()
        .any(|clustering| *clustering.name == **column)
}

/// Prepares UPDATE.
pub(crate) fn update(planner: &mut Planner<'_>, table: &Arc<Table>, update: &Update) -> Result<Write> {
    refuse_view(table)?;
    let mut changes = Vec::new();
    let keys = table.partition_key().len() + table.clustering().len();
    for operation in &update.operations {
        let (at, column) = existing(table, &operation.column)?;
        if at < keys {
            return Err(CqlError::invalid(format!(
                "PRIMARY KEY part {} found in SET part",
                column.name
            )));
        }
        changes.push((at, change(planner, column, &operation.change)?));
    }
    let only_statics = changes.iter().all(|(at, _)| table.columns[*at].is_static());
    let restrictions =
        restrictions::prepare(planner, table, &update.relations, Purpose::Update, only_statics)?;
    let conditions = conditions::prepare(planner, table, &update.conditions)?;
    finish(
        planner,
        table,
        Purpose::Update,
        restrictions,
        changes,
        &update.attributes,
        conditions,
    )
}

/// Prepares DELETE.
pub(crate) fn delete(planner: &mut Planner<'_>, table: &Arc<Table>, delete: &Delete) -> Result<Write> {
    refuse_view(table)?;
    let mut changes = Vec::new();
    let keys = table.partition_key().len() + table.clustering().len();
    for target in &delete.targets {
        let (Target::Column(name)
        | Target::Element { column: name, .. }
        | Target::Field { column: name, .. }) = target;
        let (at, column) = existing(table, name)?;
        if at < keys {
            return Err(CqlError::invalid(format!(
                "Invalid identifier {} for deletion (should not be a PRIMARY KEY part)",
                column.name
            )));
        }
        changes.push((at, removal(planner, column, target)?));
    }
    let only_statics = !changes.is_empty() && changes.iter().all(|(at, _)| table.columns[*at].is_static());
    let restrictions =
        restrictions::prepare(planner, table, &delete.relations, Purpose::Delete, only_statics)?;
    let touches_rows = changes.iter().any(|(at, _)| !table.columns[*at].is_static());
    if touches_rows && !restrictions.is_full_row(table) {
        return Err(CqlError::invalid(
            "Range deletions are not supported for specific columns",
        ));
    }
    let conditions = conditions::prepare(planner, table, &delete.conditions)?;
    if conditions.is_some() && !only_statics && !restrictions.is_full_row(table) {
        return Err(CqlError::invalid(
            "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to delete non static columns",
        ));
    }
    finish(
        planner,
        table,
        Purpose::Delete,
        restrictions,
        changes,
        &delete.attributes,
        conditions,
    )
}

/// What all three have in common.
fn finish(
    planner: &mut Planner<'_>,
    table: &Arc<Table>,
    purpose: Purpose,
    restrictions: Restrictions,
    mut changes: Vec<(usize, Change)>,
    attributes: &Attributes,
    conditions: Conditions,
) -> Result<Write> {
    if conditions.is_some() {
        if table.is_counter() {
            return Err(CqlError::invalid("Conditions on counters are not supported"));
        }
        if attributes.timestamp.is_some() {
            return Err(CqlError::invalid(
                "Cannot provide custom timestamp for conditional updates",
            ));
        }
        refuse_in(&restrictions)?;
    }
    if table.is_counter() && attributes.timestamp.is_some() {
        return Err(CqlError::invalid(
            "Cannot provide custom timestamp for counter updates",
        ));
    }
    if table.is_counter() && attributes.ttl.is_some() {
        return Err(CqlError::invalid("Cannot provide custom TTL for counter updates"));
    }
    if system::is_virtual(&table.keyspace) {
        refuse_attributes(attributes)?;
    }
    let mut attribute = |term: &Option<Term>, name: &str, native| match term {
        Some(term) => planner.attribute(term, name, native).map(Some),
        None => Ok(None),
    };
    let timestamp = attribute(&attributes.timestamp, "[timestamp]", Native::Bigint)?;
    let ttl = attribute(&attributes.ttl, "[ttl]", Native::Int)?;
    // In the order in which cells are stored, so that fragments need no sorting.
    changes.sort_by_key(|(at, _)| table.columns[*at].id);
    let (statics, changes) = changes
        .into_iter()
        .partition(|(at, _)| table.columns[*at].is_static());
    Ok(Write {
        table: table.clone(),
        indexes: Kept::all(table).into(),
        views: ViewPlan::all(planner.schema, table)?.into(),
        purpose,
        restrictions,
        changes,
        statics,
        timestamp,
        ttl,
        conditions,
        json: None,
    })
}

fn refuse_view(table: &Table) -> Result<()> {
    match table.view {
        Some(_) => Err(CqlError::invalid("Cannot directly modify a materialized view")),
        None => Ok(()),
    }
}

/// What is virtual knows neither when it was written nor until when it holds.
fn refuse_attributes(attributes: &Attributes) -> Result<()> {
    let refused = match attributes {
        Attributes {
            timestamp: Some(_), ..
        } => "Custom timestamp is not supported by virtual tables",
        Attributes { ttl: Some(_), .. } => "Expiring columns are not supported by virtual tables",
        _ => return Ok(()),
    };
    Err(CqlError::invalid(refused))
}

fn refuse_in(restrictions: &Restrictions) -> Result<()> {
    let is_in = |one: &restrictions::Restriction| matches!(one.test, Test::In(_));
    if restrictions.partition.iter().any(is_in) {
        return Err(CqlError::invalid(
            "IN on the partition key is not supported with conditional updates",
        ));
    }
    if restrictions.clustering.iter().any(is_in) {
        return Err(CqlError::invalid(
            "IN on the clustering key columns is not supported with conditional updates",
        ));
    }
    Ok(())
}

/// An assignment of UPDATE.
fn change(planner: &mut Planner<'_>, column: &Column, change: &update::Change) -> Result<Change> {
    let whole = Receiver::new(column.name.clone(), column.kind.clone());
    let named = |what: &str, kind: &CqlType| Receiver::new(format!("{what}({})", column.name), kind.clone());
    let multi_cell = column.kind.is_multi_cell();
    let collection = is_collection(column);
    match change {
        update::Change::Set(_) if column.is_counter() => Err(CqlError::invalid(format!(
            "Cannot set the value of counter column {} (counters can only be incremented/decremented, not set)",
            column.name
        ))),
        update::Change::Set(term) => Ok(Change::Set(planner.term(term, &whole)?)),
        update::Change::Add(term) => operand(planner, column, term, '+').map(Change::Add),
        update::Change::Subtract(term) => operand(planner, column, term, '-').map(Change::Subtract),
        update::Change::Prepend(term) => {
            // The original shows another sign than was written.
            let refused = |kind: &str| {
                CqlError::invalid(format!(
                    "Invalid operation ({0} = {1} - {0}) for {kind} list column {0}",
                    column.name,
                    shown(term)
                ))
            };
            match column.kind {
                CqlType::List { frozen: false, .. } => {}
                CqlType::List { .. } => return Err(refused("frozen")),
                _ => return Err(refused("non")),
            }
            Ok(Change::Prepend(planner.term(term, &whole)?))
        }
        update::Change::SetElement { key, value } => match &column.kind {
            _ if collection && !multi_cell => Err(CqlError::invalid(format!(
                "Invalid operation ({0}[{1}] = {2}) for frozen collection column {0}",
                column.name,
                shown(key),
                shown(value)
            ))),
            CqlType::List { of, .. } => {
                let key = planner.term(key, &named("idx", &CqlType::Native(Native::Int)))?;
                Ok(Change::SetElement(key, planner.term(value, &named("value", of))?))
            }
            CqlType::Map {
                key: of, value: held, ..
            } => {
                let key = planner.term(key, &named("key", of))?;
                Ok(Change::SetElement(
                    key,
                    planner.term(value, &named("value", held))?,
                ))
            }
            CqlType::Set { .. } => Err(CqlError::invalid(format!(
                "Invalid operation ({0}[{1}] = {2}) for set column {0}",
                column.name,
                shown(key),
                shown(value)
            ))),
            _ => Err(CqlError::invalid(format!(
                "Invalid operation ({0}[{1}] = {2}) for non collection column {0}",
                column.name,
                shown(key),
                shown(value)
            ))),
        },
        update::Change::SetField { field, value } => {
            let (at, kind) = user_field(column, field, &format!("= {}", shown(value)))?;
            let receiver = Receiver::new(format!("{}.{field}", column.name), kind);
            Ok(Change::SetField(at, planner.term(value, &receiver)?))
        }
    }
}

fn is_collection(column: &Column) -> bool {
    matches!(
        column.kind,
        CqlType::List { .. } | CqlType::Set { .. } | CqlType::Map { .. }
    )
}

/// What is added to a column or taken from it.
fn operand(planner: &mut Planner<'_>, column: &Column, term: &Term, sign: char) -> Result<Prepared> {
    let name = &column.name;
    let whole = Receiver::new(name.clone(), column.kind.clone());
    if column.is_counter() {
        if *term == Term::Null {
            return Err(CqlError::invalid(
                "Invalid null value for counter increment/decrement",
            ));
        }
        return planner.term(term, &whole);
    }
    let text = format!("{name} = {name} {sign} {}", shown(term));
    if !is_collection(column) {
        return Err(CqlError::invalid(format!(
            "Invalid operation ({text}) for non counter column {name}"
        )));
    }
    if !column.kind.is_multi_cell() {
        return Err(CqlError::invalid(format!(
            "Invalid operation ({text}) for frozen collection column {name}"
        )));
    }
    match &column.kind {
        // Of a map, keys are taken away.
        CqlType::Map { key, .. } if sign == '-' => {
            let keys = CqlType::Set {
                of: key.clone(),
                frozen: false,
            };
            planner
                .term(term, &Receiver::new(name.clone(), keys))
                .map_err(|_| {
                    CqlError::invalid(format!(
                        "Value for a map substraction has to be a set, but was: '{}'",
                        shown(term)
                    ))
                })
        }
        _ => planner.term(term, &whole),
    }
}

fn user_field(column: &Column, field: &str, shape: &str) -> Result<(usize, CqlType)> {
    let CqlType::Udt { of, frozen } = &column.kind else {
        return Err(CqlError::invalid(format!(
            "Invalid operation ({}.{field} {shape}) for non-UDT column {}",
            column.name, column.name
        )));
    };
    if *frozen {
        return Err(CqlError::invalid(format!(
            "Invalid operation ({}.{field} {shape}) for frozen UDT column {}",
            column.name, column.name
        )));
    }
    let at = of.fields.iter().position(|(name, _)| **name == *field);
    let at = at.ok_or_else(|| {
        CqlError::invalid(format!(
            "UDT column {} does not have a field named {field}",
            column.name
        ))
    })?;
    Ok((at, of.fields[at].1.clone()))
}

/// What DELETE takes away of a row.
fn removal(planner: &mut Planner<'_>, column: &Column, target: &Target) -> Result<Change> {
    let named = |what: &str, kind: &CqlType| Receiver::new(format!("{what}({})", column.name), kind.clone());
    match target {
        Target::Column(_) => Ok(Change::Delete),
        Target::Field { .. } if matches!(column.kind, CqlType::Udt { frozen: true, .. }) => {
            Err(CqlError::invalid(format!(
                "Frozen UDT column {} does not support field deletions",
                column.name
            )))
        }
        Target::Field { field, .. } => Ok(Change::DeleteField(user_field(column, field, "")?.0)),
        Target::Element { key, .. } => {
            let receiver = match &column.kind {
                CqlType::List { .. } => named("idx", &CqlType::Native(Native::Int)),
                CqlType::Set { of, .. } => named("value", of),
                CqlType::Map { key, .. } => named("key", key),
                _ => {
                    return Err(CqlError::invalid(format!(
                        "Invalid deletion operation for non collection column {}",
                        column.name
                    )));
                }
            };
            if !column.kind.is_multi_cell() {
                return Err(CqlError::invalid(format!(
                    "Invalid deletion operation for frozen collection column {}",
                    column.name
                )));
            }
            Ok(Change::DeleteElement(planner.term(key, &receiver)?))
        }
    }
}

/// INSERT JSON: every column is a field of the document.
fn insert_json(
    planner: &mut Planner<'_>,
    table: &Arc<Table>,
    insert: &Insert,
    document: &Document,
    default_unset: bool,
) -> Result<Write> {
    let receiver = Receiver::new("[json]", CqlType::Native(Native::Text));
    let document = match document {
        Document::Marker(marker) => planner.marker(marker, &receiver),
        Document::Literal(text) => {
            let literal = Literal {
                kind: LiteralKind::String,
                text: text.as_str().into(),
            };
            planner.term(&Term::Literal(literal), &receiver)?
        }
    };
    let conditions = conditions::prepare(planner, table, &insert.conditions)?;
    let mut write = finish(
        planner,
        table,
        Purpose::Insert,
        Restrictions::default(),
        Vec::new(),
        &insert.attributes,
        conditions,
    )?;
    write.json = Some(Json {
        document,
        default_unset,
    });
    Ok(write)
}
