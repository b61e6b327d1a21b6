//! Statements made ready to be executed.

use super::{ColumnSpec, Description};
use crate::{
    core::schema::{Keyspace, Schema, Table, system},
    error::{CqlError, Result},
    statements::{
        Statement,
        batch::{self, BatchKind, Modification},
        restrictions::{Restrictions, Test},
        select,
        terms::{self, Planner},
        write::{self, Write},
    },
    syntax::{self, QualifiedName},
};
use arc_swap::ArcSwapOption;
use std::sync::{Arc, Weak};

/// What the smallest statement weighs.
const WEIGHT_BYTES_MIN: usize = 2 << 10;
/// What a token becomes in a plan, at the most: a literal with its value.
const TOKEN_BYTES: usize = 96;

/// A statement that may be executed any number of times, as long as the schema stays.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) text: Arc<str>,
    /// The keyspace of names without any.
    pub(crate) keyspace: Option<Arc<str>>,
    /// What it was prepared against, which may be gone.
    basis: Basis,
    /// Bytes that it takes, about.
    pub(crate) weight: usize,
    pub(crate) plan: Plan,
    /// What clients are told of it.
    pub(crate) description: Description,
}

/// What a statement was prepared against. It keeps none of it alive.
#[derive(Debug)]
struct Basis {
    schema: Weak<Schema>,
    /// All of the schema that matters: the keyspaces of its tables.
    keyspaces: Vec<(Arc<str>, Weak<Keyspace>)>,
    /// The statement as a later schema has it.
    newer: ArcSwapOption<Prepared>,
}

impl Basis {
    fn new(schema: &Arc<Schema>, plan: &Plan) -> Self {
        let mut names: Vec<&Arc<str>> = match plan {
            Plan::Batch(batch) => batch.writes.iter().map(|write| &write.table.keyspace).collect(),
            plan => plan.table().map(|table| &table.keyspace).into_iter().collect(),
        };
        names.sort();
        names.dedup();
        let keyspace = |name: &Arc<str>| schema.keyspaces.get(name).map_or_else(Weak::new, Arc::downgrade);
        Basis {
            schema: Arc::downgrade(schema),
            keyspaces: names
                .into_iter()
                .map(|name| (name.clone(), keyspace(name)))
                .collect(),
            newer: ArcSwapOption::empty(),
        }
    }

    fn holds(&self, schema: &Arc<Schema>) -> bool {
        let is_same = |(name, keyspace): &(Arc<str>, Weak<Keyspace>)| {
            let found = schema.keyspaces.get(name);
            found.is_some_and(|found| Arc::as_ptr(found) == keyspace.as_ptr())
        };
        self.schema.as_ptr() == Arc::as_ptr(schema) || self.keyspaces.iter().all(is_same)
    }
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Plan {
    Select(Box<select::Plan>),
    Write(Box<Write>),
    Batch(BatchPlan),
    Truncate(Arc<Table>),
    /// Statements that need no preparation.
    Other(Box<Statement>),
}

/// BEGIN BATCH.
#[derive(Debug)]
pub(crate) struct BatchPlan {
    pub(crate) kind: BatchKind,
    pub(crate) timestamp: Option<terms::Prepared>,
    pub(crate) writes: Vec<Write>,
}

impl Prepared {
    /// A column for each bind marker.
    pub(crate) fn markers(&self) -> &[ColumnSpec] {
        &self.description.markers
    }

    /// Whether it is as `schema` would have it.
    pub(super) fn fits(&self, schema: &Arc<Schema>) -> bool {
        self.basis.holds(schema)
    }

    /// Itself as `schema` has it; it is prepared again once for each change of its keyspace.
    pub(super) fn current(self: &Arc<Self>, schema: &Arc<Schema>) -> Result<Arc<Prepared>> {
        if self.fits(schema) {
            return Ok(self.clone());
        }
        if let Some(newer) = self.basis.newer.load_full()
            && newer.fits(schema)
        {
            return Ok(newer);
        }
        let newer = Arc::new(prepare(schema, &self.text, self.keyspace.as_ref())?);
        self.basis.newer.store(Some(newer.clone()));
        Ok(newer)
    }
}

impl Plan {
    /// The columns of its rows; none where it gives none, or such as depend on what is stored.
    fn columns(&self) -> Arc<[ColumnSpec]> {
        match self {
            Plan::Select(plan) => plan.columns.clone(),
            _ => Arc::default(),
        }
    }

    /// The table it is about, if it is one.
    fn table(&self) -> Option<&Table> {
        match self {
            Plan::Select(plan) => Some(&plan.table),
            Plan::Write(write) => Some(&write.table),
            Plan::Truncate(table) => Some(table),
            Plan::Batch(batch) => batch.writes.first().map(|write| &*write.table),
            Plan::Other(_) => None,
        }
    }

    fn is_conditional(&self) -> bool {
        match self {
            Plan::Write(write) => write.conditions.is_some(),
            Plan::Batch(batch) => batch.writes.iter().any(|write| write.conditions.is_some()),
            _ => false,
        }
    }
}

/// Prepares a text.
pub(crate) fn prepare(schema: &Arc<Schema>, text: &str, keyspace: Option<&Arc<str>>) -> Result<Prepared> {
    let parsed = syntax::parse(text)?;
    let (markers, weight) = (parsed.markers.len(), weight(text, parsed.tokens));
    let is_qualified = is_qualified(&parsed.statement);
    let mut partition_key = Vec::new();
    let table_of = |name: &QualifiedName| table(schema, name, keyspace);
    let planner = |table: &Table| Planner::new(schema, table.keyspace.clone(), table.name.clone(), markers);
    let (plan, specs) = match parsed.statement {
        Statement::Select(select) => {
            let table = table_of(&select.table)?;
            let mut planner = planner(&table);
            let plan = select::prepare(&mut planner, &table, &select)?;
            partition_key = bound_key(&plan.restrictions);
            (Plan::Select(Box::new(plan)), planner.markers()?)
        }
        Statement::Insert(insert) => {
            let table = table_of(&insert.table)?;
            let mut planner = planner(&table);
            let write = alone(write::insert(&mut planner, &table, &insert)?)?;
            partition_key = bound_key(&write.restrictions);
            (Plan::Write(Box::new(write)), planner.markers()?)
        }
        Statement::Update(update) => {
            let table = table_of(&update.table)?;
            let mut planner = planner(&table);
            let write = alone(write::update(&mut planner, &table, &update)?)?;
            partition_key = bound_key(&write.restrictions);
            (Plan::Write(Box::new(write)), planner.markers()?)
        }
        Statement::Delete(delete) => {
            let table = table_of(&delete.table)?;
            let mut planner = planner(&table);
            let write = alone(write::delete(&mut planner, &table, &delete)?)?;
            partition_key = bound_key(&write.restrictions);
            (Plan::Write(Box::new(write)), planner.markers()?)
        }
        Statement::Batch(batch) => {
            let mut planner = Planner::new(schema, "".into(), "".into(), markers);
            let plan = batch::prepare(&mut planner, &batch, &table_of)?;
            partition_key = bound_key_of_batch(&plan);
            (Plan::Batch(plan), planner.markers()?)
        }
        Statement::Truncate(truncate) => {
            let table = table_of(&truncate.table)?;
            (Plan::Truncate(table), Vec::new())
        }
        other => (Plan::Other(Box::new(other)), Vec::new()),
    };
    let name =
        |of: fn(&Table) -> &Arc<str>| plan.table().map_or_else(Arc::default, |table| of(table).clone());
    let description = Description {
        keyspace: name(|table| &table.keyspace),
        table: name(|table| &table.name),
        is_qualified,
        is_conditional: plan.is_conditional(),
        markers: specs.into(),
        partition_key: partition_key.into(),
        columns: plan.columns(),
    };
    Ok(Prepared {
        text: text.into(),
        keyspace: keyspace.cloned(),
        basis: Basis::new(schema, &plan),
        weight,
        plan,
        description,
    })
}

/// What a plan weighs whose text has so many tokens.
fn weight(text: &str, tokens: usize) -> usize {
    WEIGHT_BYTES_MIN + 3 * text.len() + TOKEN_BYTES * tokens
}

/// Whether every name of a statement says its keyspace.
fn is_qualified(statement: &Statement) -> bool {
    let name = match statement {
        Statement::Select(select) => &select.table,
        Statement::Insert(insert) => &insert.table,
        Statement::Update(update) => &update.table,
        Statement::Delete(delete) => &delete.table,
        Statement::Truncate(truncate) => &truncate.table,
        Statement::Batch(batch) => {
            return batch.statements.iter().all(|one| {
                let name = match one {
                    Modification::Insert(insert) => &insert.table,
                    Modification::Update(update) => &update.table,
                    Modification::Delete(delete) => &delete.table,
                };
                name.keyspace.is_some()
            });
        }
        _ => return true,
    };
    name.keyspace.is_some()
}

/// A write that is not part of a batch.
fn alone(write: Write) -> Result<Write> {
    if write.conditions.is_some() && system::is_virtual(&write.table.keyspace) {
        return Err(CqlError::invalid(
            "Conditional updates are not supported by virtual tables",
        ));
    }
    Ok(write)
}

/// The table that a name means.
pub(crate) fn table(schema: &Schema, name: &QualifiedName, session: Option<&Arc<str>>) -> Result<Arc<Table>> {
    let keyspace = name.keyspace.as_deref().or(session.map(|keyspace| &**keyspace));
    let keyspace = keyspace.ok_or_else(|| {
        CqlError::invalid(
            "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename",
        )
    })?;
    if !schema.keyspaces.contains_key(keyspace) {
        return Err(CqlError::invalid(format!("keyspace {keyspace} does not exist")));
    }
    let found = schema.table(keyspace, &name.name).cloned();
    found.ok_or_else(|| CqlError::invalid(format!("table {} does not exist", name.name)))
}

/// The markers that the partition key is bound to, if all of it is.
fn bound_key(restrictions: &Restrictions) -> Vec<u16> {
    let marker = |test: &Test| match test {
        Test::Equal(terms::Prepared::Marker { index, .. }) => u16::try_from(*index).ok(),
        _ => None,
    };
    let bound: Option<Vec<u16>> = restrictions
        .partition
        .iter()
        .map(|one| marker(&one.test))
        .collect();
    bound.unwrap_or_default()
}

/// The markers that the partition key of a batch's last statement with one is bound to; of several tables none is told.
fn bound_key_of_batch(batch: &BatchPlan) -> Vec<u16> {
    let first = batch.writes.first().map(|write| write.table.number);
    if batch.writes.iter().any(|write| Some(write.table.number) != first) {
        return Vec::new();
    }
    let mut keys = batch
        .writes
        .iter()
        .rev()
        .map(|write| bound_key(&write.restrictions));
    keys.find(|key| !key.is_empty()).unwrap_or_default()
}
