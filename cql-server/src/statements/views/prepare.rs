use super::ViewPlan;
use crate::{
    core::schema::{Role, Schema, Table},
    error::{CqlError, Result},
    statements::{
        Statement,
        restrictions::{self, Filter, Purpose},
        terms::{Planner, Values},
    },
    syntax::{self, Relation},
};
use server_kit::Random;
use std::sync::Arc;

impl ViewPlan {
    /// The views of a table.
    pub(crate) fn all(schema: &Schema, base: &Table) -> Result<Vec<ViewPlan>> {
        let Some(keyspace) = schema.keyspaces.get(&base.keyspace) else {
            return Ok(Vec::new());
        };
        keyspace
            .views_of(&base.name)
            .map(|view| ViewPlan::of(schema, base, view))
            .collect()
    }

    /// One view of a table.
    pub(crate) fn of(schema: &Schema, base: &Table, view: &Arc<Table>) -> Result<ViewPlan> {
        let missing = || CqlError::Server(format!("the view {} does not fit its base", view.name));
        let key = view.partition_key().iter().chain(view.clustering());
        let key: Vec<usize> = key
            .map(|column| base.position(&column.name).ok_or_else(missing))
            .collect::<Result<_>>()?;
        let keys = base.partition_key().len() + base.clustering().len();
        let outside = key.iter().copied().find(|at| *at >= keys);
        let shown = |name: &str| {
            let column = view.column(name)?;
            (column.role == Role::Regular).then_some(column.id)
        };
        let in_key = |at: &usize| key.contains(at);
        let cells = base.columns.iter().enumerate().skip(keys);
        let cells = cells
            .filter(|(at, column)| !in_key(at) && !column.is_static())
            .map(|(_, column)| (column.id, shown(&column.name)))
            .collect();
        Ok(ViewPlan {
            view: view.clone(),
            filter: filter(schema, base, view)?,
            key,
            outside,
            cells,
        })
    }
}

/// What the view's WHERE asks for. That no value of its key is null is asked of every view.
fn filter(schema: &Schema, base: &Table, view: &Table) -> Result<Filter> {
    let Some(restriction) = view.view.as_ref().map(|view| &view.restriction) else {
        return Ok(Filter::default());
    };
    if restriction.is_empty() {
        return Ok(Filter::default());
    }
    let text = format!("SELECT * FROM base WHERE {restriction}");
    let Statement::Select(select) = syntax::parse(&text)?.statement else {
        return Err(CqlError::Server(format!(
            "the view {} selects nothing",
            view.name
        )));
    };
    let is_test = |relation: &Relation| !matches!(relation, Relation::IsNotNull { .. });
    let relations: Vec<Relation> = select.relations.into_iter().filter(is_test).collect();
    let mut planner = Planner::new(schema, base.keyspace.clone(), base.name.clone(), 0);
    let purpose = Purpose::Select { filtering: true };
    let restrictions = restrictions::prepare(&mut planner, base, &relations, purpose, false)?;
    let values = Values {
        bound: &[],
        now_ms: 0,
        random: &Random::from_seed(0),
    };
    restrictions.tests(base, &values)
}
