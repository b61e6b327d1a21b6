//! CREATE and ALTER MATERIALIZED VIEW.

use super::{
    Applied, Circumstances, change,
    create_table::{PrimaryKey, Settings, With, already_exists, check_name, primary_key, with},
    holder, keyspace_of,
};
use crate::{
    core::{
        schema::{Column, Keyspace, Role, Schema, Table, View},
        types::{marshal, names::quoted},
    },
    error::{CqlError, Result},
    statements::{
        Statement,
        select::{Selector, selection},
    },
    syntax::{
        InValues, Keyword, LiteralKind, Parsed, Property, QualifiedName, Relation, Term, Tokens, if_exists,
        if_not_exists, properties, relations, table, word,
    },
};
use std::{collections::HashSet, sync::Arc};

/// Creates a materialized view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateView {
    pub(crate) view: QualifiedName,
    pub(crate) if_not_exists: bool,
    /// Columns of the base; all where there is none.
    pub(crate) selected: Vec<String>,
    pub(crate) base: QualifiedName,
    pub(crate) relations: Vec<Relation>,
    /// The relations as they were written.
    pub(crate) restriction: String,
    pub(crate) key: PrimaryKey,
    pub(crate) with: With,
}

/// Changes the options of a materialized view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlterView {
    pub(crate) view: QualifiedName,
    pub(crate) if_exists: bool,
    pub(crate) properties: Vec<Property>,
}

/// `VIEW [IF NOT EXISTS] view AS SELECT ... FROM base WHERE ... PRIMARY KEY (...) [WITH ...]`
pub(super) fn parse(input: Tokens<'_>) -> Parsed<'_, CreateView> {
    let (input, ()) = word(Keyword::View)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, view) = table(input)?;
    let (input, ()) = word(Keyword::As)(input)?;
    let (input, ()) = word(Keyword::Select)(input)?;
    let at = input;
    let (input, selection) = selection(input)?;
    let mut selected = Vec::with_capacity(selection.len());
    for one in selection {
        match (one.selector, one.alias) {
            (Selector::Column(name), None) => selected.push(name),
            (_, Some(_)) => {
                return Err(at.refused("Cannot use alias when defining a materialized view"));
            }
            _ => return Err(at.refused("Can only select columns by name when defining a materialized view")),
        }
    }
    let (input, ()) = word(Keyword::From)(input)?;
    let (mut input, base) = table(input)?;
    let mut all = Vec::new();
    let start = input.skip();
    if input.is(Keyword::Where) {
        (input, all) = relations(start)?;
    }
    let restriction = shown(&all).unwrap_or_else(|| start.text_until(input).to_owned());
    let (input, key) = primary_key(input)?;
    let (input, with) = with(input)?;
    Ok((
        input,
        CreateView {
            view,
            if_not_exists,
            selected,
            base,
            relations: all,
            restriction,
            key,
            with,
        },
    ))
}

/// Relations as the original shows them; `None`: in a form that only the statement's own text has.
fn shown(relations: &[Relation]) -> Option<String> {
    let one = |relation: &Relation| match relation {
        Relation::IsNotNull { column } => Some(format!("{} IS NOT NULL", quoted(column))),
        Relation::Column {
            column,
            operator,
            term: Term::Literal(literal),
        } => {
            let text = match literal.kind {
                LiteralKind::String => format!("'{}'", literal.text.replace('\'', "''")),
                _ => literal.text.to_string(),
            };
            Some(format!("{} {} {text}", quoted(column), operator.sign()))
        }
        _ => None,
    };
    let all = relations.iter().map(one).collect::<Option<Vec<String>>>()?;
    Some(all.join(" AND "))
}

/// `VIEW [IF EXISTS] view WITH properties`
pub(super) fn parse_alter(input: Tokens<'_>) -> Parsed<'_, AlterView> {
    let (input, ()) = word(Keyword::View)(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, view) = table(input)?;
    let (input, ()) = word(Keyword::With)(input)?;
    let (input, properties) = properties(input)?;
    Ok((
        input,
        AlterView {
            view,
            if_exists,
            properties,
        },
    ))
}

/// What the original says to every view.
const WARNING: &str = "Materialized views are experimental and are not recommended for production use.";

impl CreateView {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        if !cx.materialized_views_enabled {
            return Err(CqlError::invalid(
                "Materialized views are disabled. Enable in cassandra.yaml to use.",
            ));
        }
        if self.relations.iter().any(is_bound) {
            return Err(CqlError::invalid(
                "Bind variables are not allowed in CREATE MATERIALIZED VIEW statements",
            ));
        }
        let keyspace = schema.changeable(keyspace_of(&self.view, cx)?)?;
        let name = self.view.name.as_str();
        if self
            .base
            .keyspace
            .as_deref()
            .is_some_and(|owner| *owner != *keyspace.name)
        {
            return Err(CqlError::invalid(
                "Cannot create a materialized view on a table in a different keyspace",
            ));
        }
        if keyspace.tables.contains_key(name) {
            if self.if_not_exists {
                return Ok(Applied {
                    warnings: vec![WARNING.to_owned()],
                    ..Applied::nothing(schema)
                });
            }
            return Err(already_exists(&keyspace.name, name));
        }
        let base = self.base(keyspace)?;
        let columns = self.columns(base)?;
        check_name(&keyspace.name, name)?;
        let (id, options, time_to_live) =
            Settings::read(&self.with.properties, None)?.checked(cx.id, true)?;
        if time_to_live > 0 {
            return Err(CqlError::invalid(
                "Cannot set default_time_to_live for a materialized view. Data in a materialized view always expire at the \
                 same time than the corresponding data in the parent table.",
            ));
        }
        let mut view = Table::new(
            keyspace.name.clone(),
            name.into(),
            id,
            schema.next_number,
            columns,
        );
        view.options = options;
        view.view = Some(View {
            base: base.name.clone(),
            base_id: base.id,
            includes_all: self.selected.is_empty(),
            restriction: self.restriction.clone(),
            strict_liveness: self.has_foreign_key(base),
        });
        let change = change("CREATED", "TABLE", &keyspace.name, name);
        let mut schema = schema.with_table(keyspace, view);
        schema.next_number += 1;
        Ok(Applied {
            warnings: vec![WARNING.to_owned()],
            ..Applied::changed(schema, change)
        })
    }

    /// The table whose view it is to be.
    fn base<'k>(&self, keyspace: &'k Keyspace) -> Result<&'k Arc<Table>> {
        let name = self.base.name.as_str();
        let base = keyspace.tables.get(name).filter(|table| table.view.is_none());
        let base = base.ok_or_else(|| CqlError::invalid(format!("Base table '{name}' doesn't exist")))?;
        if base.is_counter() {
            return Err(CqlError::invalid(
                "Materialized views are not supported on counter tables",
            ));
        }
        Ok(base)
    }

    /// Whether a column of its key is no key of the base.
    fn has_foreign_key(&self, base: &Table) -> bool {
        let mut key = self.key.partition.iter().chain(&self.key.clustering);
        key.any(|name| {
            base.column(name)
                .is_some_and(|column| column.role == Role::Regular)
        })
    }

    fn columns(&self, base: &Table) -> Result<Vec<Column>> {
        let key: Vec<&String> = self.key.partition.iter().chain(&self.key.clustering).collect();
        for name in &self.selected {
            if base.column(name).is_none() {
                return Err(CqlError::invalid(format!(
                    "Undefined column name {name} in table {}.{}",
                    base.keyspace, base.name
                )));
            }
        }
        let is_wanted = |column: &&Column| {
            self.selected.is_empty() || self.selected.iter().any(|name| **name == *column.name)
        };
        if let Some(column) = base
            .columns
            .iter()
            .find(|column| column.is_static() && is_wanted(column))
        {
            return Err(CqlError::invalid(format!(
                "Cannot include static column '{}' in materialized view '{}'",
                column.name, self.view.name
            )));
        }
        let mut names = HashSet::new();
        for name in &key {
            if !names.insert(name) {
                return Err(CqlError::invalid(format!(
                    "Duplicate column '{name}' in PRIMARY KEY clause for materialized view '{}'",
                    self.view.name
                )));
            }
            if base.column(name).is_none_or(Column::is_static) {
                return Err(CqlError::invalid(format!(
                    "Unknown column '{name}' referenced in PRIMARY KEY for materialized view '{}'",
                    self.view.name
                )));
            }
        }
        for column in key.iter().filter_map(|name| base.column(name)) {
            refuse_open_collection(column)?;
        }
        let base_key: Vec<&Column> = base.partition_key().iter().chain(base.clustering()).collect();
        let missing: Vec<&str> = base_key
            .iter()
            .map(|column| &*column.name)
            .filter(|name| !key.iter().any(|k| k == name))
            .collect();
        if !missing.is_empty() {
            return Err(CqlError::invalid(format!(
                "Cannot create materialized view '{}' without primary key columns {} from base table '{}'",
                self.view.name,
                missing.join(", "),
                base.name
            )));
        }
        self.check_key(base, &key)?;
        let ordered: Vec<&String> = self.with.clustering_order.iter().map(|(name, _)| name).collect();
        if !ordered.is_empty()
            && ordered
                .iter()
                .ne(self.key.clustering.iter().collect::<Vec<_>>().iter())
        {
            return Err(CqlError::invalid(
                "Clustering key columns must exactly match columns in CLUSTERING ORDER BY directive",
            ));
        }
        Ok(self.placed(base))
    }

    fn check_key(&self, base: &Table, key: &[&String]) -> Result<()> {
        let foreign: Vec<&str> = key
            .iter()
            .filter_map(|name| base.column(name))
            .filter(|column| column.role == Role::Regular)
            .map(|column| &*column.name)
            .collect();
        if foreign.len() > 1 {
            return Err(CqlError::invalid(format!(
                "Cannot include more than one non-primary key column in materialized view primary key (got {})",
                foreign.join(", ")
            )));
        }
        let restricts = |relation: &Relation, name: &str| match relation {
            Relation::IsNotNull { column }
            | Relation::Column { column, .. }
            | Relation::In { column, .. } => column == name,
            Relation::Tuple { columns, .. } | Relation::TupleIn { columns, .. } => {
                columns.iter().any(|column| column == name)
            }
            _ => false,
        };
        let is_restricted = |name: &str| self.relations.iter().any(|relation| restricts(relation, name));
        let in_key = |name: &str| key.iter().any(|k| *k == name);
        let names = base.columns.iter().map(|column| &*column.name);
        let free: Vec<&str> = names
            .clone()
            .filter(|name| in_key(name) && !is_restricted(name))
            .collect();
        if !free.is_empty() {
            return Err(CqlError::invalid(format!(
                "Primary key columns {} must be restricted with 'IS NOT NULL' or otherwise",
                free.join(", ")
            )));
        }
        let is_test = |relation: &&Relation| !matches!(relation, Relation::IsNotNull { .. });
        let tested = |name: &str| {
            self.relations
                .iter()
                .filter(is_test)
                .any(|one| restricts(one, name))
        };
        let illegal: Vec<&str> = names.filter(|name| !in_key(name) && tested(name)).collect();
        if !illegal.is_empty() {
            return Err(CqlError::invalid(format!(
                "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: {} restricted illegally)",
                illegal.join(", ")
            )));
        }
        Ok(())
    }

    /// The view's columns: they keep the types of the base.
    fn placed(&self, base: &Table) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::new();
        let mut push = |column: &Column, role: Role| {
            let id = columns.len() as u32;
            columns.push(Column {
                role,
                id,
                ..column.clone()
            });
        };
        for name in &self.key.partition {
            base.column(name)
                .into_iter()
                .for_each(|column| push(column, Role::PartitionKey));
        }
        for name in &self.key.clustering {
            let said = self.with.clustering_order.iter().find(|(other, _)| other == name);
            let column = base.column(name);
            let descending = said.is_some_and(|(_, descending)| *descending);
            column
                .into_iter()
                .for_each(|column| push(column, Role::Clustering { descending }));
        }
        let in_key = |name: &str| {
            self.key
                .partition
                .iter()
                .chain(&self.key.clustering)
                .any(|k| k == name)
        };
        let wanted = |name: &str| self.selected.is_empty() || self.selected.iter().any(|s| s == name);
        for column in base
            .columns
            .iter()
            .filter(|column| wanted(&column.name) && !in_key(&column.name))
        {
            if !column.is_static() {
                push(column, Role::Regular);
            }
        }
        columns
    }
}

/// Whether a value of the relation is still to come.
fn is_bound(relation: &Relation) -> bool {
    let is_marker = |term: &Term| matches!(term, Term::Marker(_));
    match relation {
        Relation::Column { term, .. } | Relation::Tuple { term, .. } => is_marker(term),
        Relation::In { values, .. } | Relation::TupleIn { values, .. } => match values {
            InValues::List(terms) => terms.iter().any(is_marker),
            InValues::Marker(_) => true,
        },
        _ => false,
    }
}

/// Collections whose elements are cells are no keys.
fn refuse_open_collection(column: &Column) -> Result<()> {
    if !(column.kind.is_collection() && column.kind.is_multi_cell()) {
        return Ok(());
    }
    Err(CqlError::invalid(format!(
        "Invalid non-frozen collection type '{}' for PRIMARY KEY column '{}'",
        marshal::class_name(&column.kind),
        column.name
    )))
}

/// The relations of a view with a column renamed.
pub(super) fn renamed_restriction(restriction: &str, from: &str, to: &str) -> String {
    let parsed = crate::syntax::parse(&format!("SELECT * FROM base WHERE {restriction}"));
    let Ok(Statement::Select(select)) = parsed.map(|parsed| parsed.statement) else {
        return restriction.to_owned();
    };
    let rename = |mut relation: Relation| {
        let (Relation::IsNotNull { column } | Relation::Column { column, .. } | Relation::In { column, .. }) =
            &mut relation
        else {
            return relation;
        };
        if column == from {
            to.clone_into(column);
        }
        relation
    };
    let relations: Vec<Relation> = select.relations.into_iter().map(rename).collect();
    shown(&relations).unwrap_or_else(|| restriction.to_owned())
}

impl AlterView {
    pub(super) fn apply(&self, schema: &Schema, cx: &Circumstances) -> Result<Applied> {
        let (owner, name) = (keyspace_of(&self.view, cx)?, self.view.name.as_str());
        let found = holder(schema, owner)?.and_then(|keyspace| {
            Some((
                keyspace,
                keyspace.tables.get(name).filter(|table| table.view.is_some())?,
            ))
        });
        let Some((keyspace, view)) = found else {
            if self.if_exists {
                return Ok(Applied::nothing(schema));
            }
            return Err(CqlError::invalid(format!(
                "Materialized view '{owner}.{name}' doesn't exist"
            )));
        };
        let (_, options, default_time_to_live) =
            Settings::read(&self.properties, Some(view))?.checked(view.id, false)?;
        if options.gc_grace_seconds == 0 {
            return Err(CqlError::invalid(
                "Cannot alter gc_grace_seconds of a materialized view to 0, since this value is used to TTL undelivered \
                 updates. Setting gc_grace_seconds too low might cause undelivered updates to expire before being replayed.",
            ));
        }
        if default_time_to_live > 0 {
            return Err(CqlError::invalid(
                "Forbidden default_time_to_live detected for a materialized view. Data in a materialized view always expire \
                 at the same time than the corresponding data in the parent table. default_time_to_live must be set to zero, \
                 see CASSANDRA-12868 for more information",
            ));
        }
        let view = view.with_options(options, 0);
        let change = change("UPDATED", "TABLE", owner, name);
        Ok(Applied::changed(schema.with_table(keyspace, view), change))
    }
}
