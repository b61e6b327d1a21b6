//! Changes of the schema: computed, stored, in force, announced. And what DESCRIBE tells of it.

use super::{Answer, ColumnSpec, Engine, Outcome, Parameters, Session, building, node::void};
use crate::{
    core::{
        schema::{Schema, system},
        types::{CqlType, Native},
    },
    error::{CqlError, Result},
    state::{self, rows::Writes},
    statements::{
        ddl::{Applied, Circumstances, Ddl},
        describe::Describe,
    },
    wire::rows::RowsWriter,
};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc};
use storage::{Batch, Durability, Op, Scan};

impl Engine {
    /// Executes a statement that defines something. One at a time.
    pub(super) async fn define(
        &self,
        ddl: &Ddl,
        keyspace: Option<Arc<str>>,
        session: &Session,
    ) -> Result<Answer> {
        let _alone = self.defining.lock().await;
        let before = self.schema.load_full();
        let node = self.node.load();
        let circumstances = Circumstances {
            keyspace,
            now_us: self.time.next_us(),
            id: self.random.uuid(),
            materialized_views_enabled: self.materialized_views_enabled,
            site: node.site.clone(),
        };
        let applied = self.applied(ddl, &before, &circumstances, session)?;
        let Some(change) = applied.change else {
            return Ok(Answer {
                warnings: applied.warnings,
                ..void()
            });
        };
        let mut writes = Writes {
            batch: state::schema::difference(&before, &applied.schema)?,
            ..Writes::default()
        };
        if writes.batch.ops.is_empty() {
            // It found everything as it wanted it.
            return Ok(Answer {
                warnings: applied.warnings,
                ..void()
            });
        }
        let gone = forgotten(&before, &applied.schema);
        writes.batch.ops.extend(gone.ops.iter().cloned());
        self.kv
            .commit(writes.batch, self.durability.max(Durability::Written))
            .await?;
        self.node.store(Arc::new(system::Node {
            schema_version: state::schema::version(&applied.schema)?,
            ..system::Node::clone(&self.node.load())
        }));
        self.schema.store(Arc::new(applied.schema));
        self.building.settled().await;
        // What writes that knew the schema before have brought since.
        if !gone.ops.is_empty() {
            let ranges = gone.ops.clone();
            self.kv.commit(gone, self.durability).await?;
            for op in ranges {
                if let Op::DeleteRange(from, to) = op {
                    self.kv.reclaim(&Scan::range(from, to));
                }
            }
        }
        let indexes = building::numbers(&self.schema.load());
        self.building
            .change(|built| built.retain(|index| indexes.contains(index)));
        self.begin_building().await?;
        // Nobody may be listening.
        let _ = self.changes.send(change.clone());
        Ok(Answer {
            outcome: Outcome::SchemaChange(change),
            warnings: applied.warnings,
        })
    }

    /// What a statement makes of the schema, if guardrails let it pass.
    fn applied(
        &self,
        ddl: &Ddl,
        before: &Schema,
        circumstances: &Circumstances,
        session: &Session,
    ) -> Result<Applied> {
        let Some(mut watch) = self.watch(session) else {
            return ddl.apply(before, circumstances);
        };
        let keyspace = circumstances.keyspace.as_deref();
        let ddl = ddl.guarded(before, keyspace, &circumstances.site, &mut watch)?;
        let mut applied = ddl.apply(before, circumstances)?;
        applied.warnings.splice(0..0, watch.warnings);
        Ok(applied)
    }

    /// Executes DESCRIBE.
    pub(super) fn describe(
        &self,
        describe: &Describe,
        keyspace: Option<&str>,
        parameters: &Parameters,
    ) -> Result<Answer> {
        let described = describe.rows(&self.schema.load(), &self.node.load(), keyspace)?;
        let spec = |name: &&'static str| ColumnSpec {
            keyspace: "system".into(),
            table: "describe".into(),
            name: Arc::from(*name),
            kind: CqlType::Native(Native::Text),
        };
        let columns: Vec<ColumnSpec> = described.columns.iter().map(spec).collect();
        // A paging state is how many rows the pages before had.
        let broken = || CqlError::Protocol("Invalid value for the paging state".to_owned());
        let from = match &parameters.paging_state {
            None => 0,
            Some(state) => u32::from_be_bytes(state[..].try_into().map_err(|_| broken())?) as usize,
        };
        let page = parameters.page_size.and_then(|size| usize::try_from(size).ok());
        let page = page.filter(|size| *size > 0).unwrap_or(usize::MAX);
        let mut out = RowsWriter::default();
        for row in described.rows.iter().skip(from).take(page) {
            row.iter().for_each(|cell| out.cell(Some(cell.as_bytes())));
            out.end_row();
        }
        let count = out.count() as usize;
        let next = u32::try_from(from.saturating_add(count))
            .ok()
            .filter(|_| count == page);
        let state = next.map(|next| Bytes::copy_from_slice(&next.to_be_bytes()));
        Ok(Answer {
            outcome: Outcome::Rows(out.finish(columns.into(), state)),
            warnings: Vec::new(),
        })
    }
}

/// What goes with tables and indexes that are dropped: their rows and entries.
fn forgotten(before: &Schema, after: &Schema) -> Batch {
    let mut writes = Writes::default();
    for table in numbers(before).difference(&numbers(after)) {
        writes.truncate(*table);
    }
    for index in building::numbers(before).difference(&building::numbers(after)) {
        state::indexes::forget(&mut writes.batch, *index, true);
    }
    writes.batch
}

/// The numbers of all tables.
fn numbers(schema: &Schema) -> BTreeSet<u32> {
    let tables = schema
        .keyspaces
        .values()
        .flat_map(|keyspace| keyspace.tables.values());
    tables.map(|table| table.number).collect()
}
