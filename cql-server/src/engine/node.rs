//! One node: everything that statements need, and the way each of them takes.

use super::{
    Answer, Clients, Outcome, Parameters, SchemaChange, Value,
    building::Building,
    collecting::{Collecting, Garbage},
    disk::Fullness,
    locks::Stripes,
    plans::Plans,
    prepared::{self, BatchPlan, Plan, Prepared},
    roles::Access,
    running::Running,
    spread::Spread,
    syncing::Unsynced,
    time::Timestamps,
    turns::{Turns, in_time},
    usage::Usage,
    weight,
};
use crate::{
    config::{Authenticator, Authorizer, Timeouts},
    core::{
        guardrails::{Guardrails, Threshold},
        indexes::Kept,
        schema::{
            Schema, Table,
            replication::Site,
            system::{self, Told},
        },
    },
    error::{CqlError, Result},
    state::{self, rows::Writes},
    statements::{
        batch::BatchKind,
        select,
        terms::{self, Values},
        write::{Stage, Write},
    },
};
use arc_swap::ArcSwap;
use server_kit::{Clock, Random};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    pin::pin,
    sync::Arc,
};
use storage::{Durability, Kv};
use tokio::sync::{MutexGuard, broadcast};

/// Changes of the schema that a slow listener may be behind before it misses some.
const CHANGES_MAX: usize = 1024;

/// Where the ring of the one node begins: all of it is its own.
const FIRST_TOKEN: i64 = i64::MIN + 1;

/// The engine of one node.
pub(crate) struct Engine {
    pub(crate) schema: ArcSwap<Schema>,
    pub(super) kv: Arc<dyn Kv>,
    /// What the node tells of itself.
    pub(super) node: ArcSwap<system::Node>,
    /// Held while the schema changes.
    pub(super) defining: tokio::sync::Mutex<()>,
    pub(super) time: Timestamps,
    pub(super) random: Random,
    pub(super) stripes: Stripes,
    /// Among statements that do much.
    pub(super) turns: Turns,
    pub(crate) timeouts: Timeouts,
    /// Whether views may be created.
    pub(crate) materialized_views_enabled: bool,
    pub(super) guardrails: Guardrails,
    /// Whether any of them is set that is not told to everybody.
    pub(super) has_guardrails: bool,
    pub(super) fullness: Fullness,
    /// What an acknowledged write has come through.
    pub(super) durability: Durability,
    plans: Plans,
    /// Who may do what.
    pub(super) access: Access,
    pub(super) building: Building,
    pub(super) collecting: Collecting,
    pub(super) unsynced: Unsynced,
    pub(super) clients: Arc<Clients>,
    /// What tables are asked for.
    pub(super) usage: Usage,
    pub(super) running: Running,
    /// Changes of the schema, for those that listen.
    pub(super) changes: broadcast::Sender<SchemaChange>,
}

/// A write of a batch, with its values.
pub(super) struct Part<'w> {
    pub(super) write: Cow<'w, Write>,
    pub(super) bound: &'w [Value],
}

/// How a node is known to clients.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) cluster_name: String,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) site: Arc<Site>,
    /// What is set, by names of `cassandra.yaml`.
    pub(crate) settings: Arc<BTreeMap<String, Option<String>>>,
    pub(crate) authenticator: Authenticator,
    pub(crate) authorizer: Authorizer,
}

impl Engine {
    /// An engine on what is stored.
    pub(crate) async fn open(
        kv: Arc<dyn Kv>,
        clock: Arc<dyn Clock>,
        random: Random,
        durability: Durability,
        identity: Identity,
    ) -> Result<Self> {
        let schema = state::schema::load(&*kv).await?;
        let built = state::indexes::built(&*kv).await?;
        let host_id = state::node::host_id(&*kv, &random).await?;
        let mut engine = Engine::new(kv, schema, clock, random, durability);
        engine.access = Access::new(identity.authenticator, identity.authorizer);
        engine.building = Building::new(built);
        engine.collecting = Collecting::new(&engine.schema.load(), engine.time.now_s());
        engine.node.store(Arc::new(system::Node {
            cluster_name: identity.cluster_name,
            host_id,
            schema_version: state::schema::version(&engine.schema.load())?,
            tokens: vec![FIRST_TOKEN],
            address: identity.address,
            port: identity.port,
            site: identity.site,
            settings: identity.settings,
            started_s: i32::try_from(engine.time.now_s()).unwrap_or(i32::MAX),
        }));
        engine.open_roles().await?;
        Ok(engine)
    }

    pub(crate) fn new(
        kv: Arc<dyn Kv>,
        schema: Schema,
        clock: Arc<dyn Clock>,
        random: Random,
        durability: Durability,
    ) -> Self {
        Engine {
            schema: ArcSwap::from_pointee(schema),
            kv,
            node: ArcSwap::from_pointee(nobody()),
            defining: tokio::sync::Mutex::default(),
            time: Timestamps::new(clock),
            random,
            stripes: Stripes::new(),
            turns: Turns::default(),
            timeouts: Timeouts::default(),
            materialized_views_enabled: false,
            guardrails: Guardrails::default(),
            has_guardrails: false,
            fullness: Fullness::default(),
            durability,
            plans: Plans::default(),
            access: Access::default(),
            building: Building::default(),
            collecting: Collecting::default(),
            unsynced: Unsynced::default(),
            clients: Arc::default(),
            usage: Usage::default(),
            running: Running::default(),
            changes: broadcast::Sender::new(CHANGES_MAX),
        }
    }

    /// Prepares a text, or finds it prepared.
    pub(crate) fn prepared(&self, text: &str, keyspace: Option<&Arc<str>>) -> Result<Arc<Prepared>> {
        let schema = self.schema.load();
        if let Some(found) = self.plans.get(keyspace, text)
            && found.fits(&schema)
        {
            return Ok(found);
        }
        let prepared = Arc::new(prepared::prepare(&schema, text, keyspace)?);
        self.plans.put(&prepared);
        Ok(prepared)
    }

    /// Itself as the present schema has it.
    pub(crate) fn current(&self, prepared: &Arc<Prepared>) -> Result<Arc<Prepared>> {
        prepared.current(&self.schema.load())
    }

    /// Executes what was prepared.
    pub(crate) async fn run_plan(&self, prepared: &Arc<Prepared>, parameters: Parameters) -> Result<Answer> {
        let reads = matches!(prepared.plan, Plan::Select(_));
        let writing = (!reads).then(|| self.building.writing());
        let prepared = self.current(prepared)?;
        match &prepared.plan {
            Plan::Select(plan) => Box::pin(self.select(plan, &parameters)).await,
            Plan::Write(write) => {
                let part = self.part(write, &parameters.values)?;
                self.write(&[part], None, &parameters, None).await
            }
            Plan::Batch(batch) => Box::pin(self.batch_plan(batch, &parameters)).await,
            Plan::Truncate(table) => {
                // It waits for those who define, who wait for writes.
                drop(writing);
                Box::pin(self.truncate(table)).await
            }
            Plan::Other(_) => Err(CqlError::invalid("This statement is not supported")),
        }
    }

    async fn select(&self, plan: &select::Plan, parameters: &Parameters) -> Result<Answer> {
        let values = self.values(&parameters.values);
        let paging = select::Paging {
            page_size: parameters
                .page_size
                .and_then(|size| u64::try_from(size).ok())
                .filter(|size| *size > 0),
            state: parameters.paging_state.clone(),
            tombstones: self.guardrails.limit(Threshold::Tombstones),
        };
        let now = self.now(parameters);
        let (rows, told) = match self.derived(&plan.table, plan.is_system).await? {
            Some(rows) => (plan.execute_over(rows, &values, now, &paging)?, Vec::new()),
            None => {
                let is_built = |index| self.building.is_built(index);
                let pace = self.turns.pace();
                let steps = parameters.steps.as_ref();
                self.step(steps, || match plan.restrictions.by_key {
                    true => format!("Executing single-partition query on {}", plan.table.name),
                    false => "Computing ranges to query".to_owned(),
                });
                let read = plan
                    .execute(&self.kv, &pace, &values, now, &paging, &is_built)
                    .await
                    .map_err(|error| match error {
                        CqlError::TooManyTombstones(told) => {
                            let before = plan.warnings.iter().cloned();
                            CqlError::TooManyTombstones(before.chain(told).collect())
                        }
                        error => error,
                    })?;
                let now = self.time.elapsed();
                self.usage.met(plan.table.number, read.live, read.dead, now);
                self.step(steps, || {
                    format!("Read {} live rows and {} tombstone cells", read.live, read.dead)
                });
                (read.rows, read.warnings)
            }
        };
        let mut warnings = plan.warnings(&values, paging.page_size, parameters.consistency)?;
        warnings.extend(told);
        Ok(Answer {
            outcome: Outcome::Rows(rows),
            warnings,
        })
    }

    /// The rows of a table of the system whose rows are not stored.
    async fn derived(&self, table: &Table, is_system: bool) -> Result<Option<Vec<system::Row>>> {
        if !is_system {
            return Ok(None);
        }
        let schema = self.schema.load_full();
        Ok(match Told::by(table) {
            Some(Told::Size) => Some(system::size_rows(table, &self.estimates(&schema).await?)),
            Some(told) => Some(system::measured_rows(table, told, &self.measured(&schema))),
            None if system::is_of_estimates(table) => {
                let token = self.node.load().tokens.first().copied().unwrap_or_default();
                Some(system::estimate_rows(
                    table,
                    token,
                    &self.estimates(&schema).await?,
                ))
            }
            None if system::is_of_statements(table) => {
                Some(system::statement_rows(table, self.clients.counted()))
            }
            None if system::is_of_batches(table) => Some(system::batch_rows(table, &self.batches())),
            None if system::is_of_queries(table) => Some(system::query_rows(table, &self.queries())),
            None if system::is_of_clients(table) => Some(system::client_rows(table, &self.clients.told())),
            None => system::rows(&schema, &self.node.load(), table),
        })
    }

    async fn batch_plan(&self, batch: &BatchPlan, parameters: &Parameters) -> Result<Answer> {
        let parts = batch.writes.iter();
        let parts: Vec<Part<'_>> = parts
            .map(|write| self.part(write, &parameters.values))
            .collect::<Result<_>>()?;
        self.write(&parts, batch.timestamp.as_ref(), parameters, Some(batch.kind))
            .await
    }

    /// Executes a batch of statements with values of their own.
    pub(crate) async fn batch_of(
        &self,
        kind: BatchKind,
        statements: &[(Arc<Prepared>, Vec<Value>)],
        parameters: &Parameters,
    ) -> Result<Answer> {
        let _writing = self.building.writing();
        let mut parts = Vec::with_capacity(statements.len());
        let mut current = Vec::with_capacity(statements.len());
        for (prepared, _) in statements {
            current.push(self.current(prepared)?);
        }
        for (prepared, (_, bound)) in current.iter().zip(statements) {
            let Plan::Write(write) = &prepared.plan else {
                return Err(CqlError::invalid(
                    "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.",
                ));
            };
            parts.push(self.part(write, bound)?);
        }
        crate::statements::batch::check(kind, parts.iter().map(|part| &*part.write))?;
        self.write(&parts, None, parameters, Some(kind)).await
    }

    /// Writes, all at once.
    pub(super) async fn write(
        &self,
        parts: &[Part<'_>],
        timestamp: Option<&terms::Prepared>,
        parameters: &Parameters,
        batch: Option<BatchKind>,
    ) -> Result<Answer> {
        for part in parts {
            system::refuse_derived(&part.write.table, "Modification")?;
        }
        if parts.iter().any(|part| part.write.conditions.is_some()) {
            return Box::pin(self.conditional(parts, parameters, batch.is_some())).await;
        }
        let timestamp_us = match timestamp {
            Some(term) => {
                let value = term.bytes(&self.values(&parameters.values))?;
                let bytes = value.as_deref().and_then(|bytes| bytes.try_into().ok());
                i64::from_be_bytes(bytes.ok_or_else(|| CqlError::invalid("Invalid null value of timestamp"))?)
            }
            None => parameters.timestamp_us.unwrap_or_else(|| self.time.next_us()),
        };
        let mut writes = Writes::default();
        let mut spread = Spread::default();
        let held = self.alone(parts).await?;
        let pace = self.turns.pace();
        for part in parts {
            pace.work(1).await;
            let stage = self.stage(part, parameters, timestamp_us);
            let target = part.write.target(&stage.values)?;
            if batch.is_some() {
                spread.add(&part.write, &target);
            }
            if part.write.reads() {
                let stored = self.stored(&part.write, &target).await?;
                part.write.apply(&target, &stage, stored.before(), &mut writes)?;
            } else {
                part.write
                    .apply(&target, &stage, Default::default(), &mut writes)?;
            }
        }
        let tables = parts.iter().map(|part| &*part.write.table);
        let heavy = match batch {
            Some(_) => weight::check(&self.guardrails, tables, &writes)?,
            None => None,
        };
        if parts.iter().any(|part| !part.write.views.is_empty()) {
            Box::pin(self.follow_views(parts, self.now(parameters), &mut writes)).await?;
        }
        drop(pace);
        match &parameters.gathering {
            Some(gathering) if held.is_empty() => self.commit_with_others(writes, gathering).await?,
            _ => self.commit(writes).await?,
        }
        let tables = parts.iter().map(|part| &*part.write.table);
        self.step_written(parameters.steps.as_ref(), tables);
        drop(held);
        let wide = batch.and_then(|kind| {
            let count = spread.count();
            self.usage.batch(kind, count, self.time.elapsed());
            spread.warning(kind, count, self.guardrails.limit(Threshold::UnloggedBatch).warn)
        });
        Ok(Answer {
            warnings: heavy.into_iter().chain(wide).collect(),
            ..void()
        })
    }

    /// What reads before it writes does so alone in its partitions, until the answer is dropped.
    async fn alone(&self, parts: &[Part<'_>]) -> Result<Vec<MutexGuard<'_, ()>>> {
        let reads = |part: &&Part<'_>| part.write.reads() || !part.write.views.is_empty();
        let mut partitions = Vec::new();
        for part in parts.iter().filter(reads) {
            partitions.extend(part.write.target(&self.values(part.bound))?.partitions);
        }
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        self.locked(partitions.iter().map(|one| one.identity())).await
    }

    /// Waits for others who write in those partitions, but not for ever.
    pub(super) async fn locked<'k>(
        &self,
        partitions: impl Iterator<Item = &'k [u8]>,
    ) -> Result<Vec<MutexGuard<'_, ()>>> {
        let held = pin!(self.stripes.lock(partitions));
        let held = in_time(self.timeouts.write, || false, held).await;
        held.ok_or(CqlError::TimedOut)
    }

    /// A write with its values.
    fn part<'w>(&'w self, write: &'w Write, bound: &'w [Value]) -> Result<Part<'w>> {
        Ok(Part {
            write: write.resolved(&self.values(bound))?,
            bound,
        })
    }

    pub(super) fn stage<'a>(
        &'a self,
        part: &Part<'a>,
        parameters: &Parameters,
        timestamp_us: i64,
    ) -> Stage<'a> {
        Stage {
            values: self.values(part.bound),
            timestamp_us,
            position: self.time.next_us(),
            now: self.now(parameters),
        }
    }

    pub(super) async fn commit(&self, writes: Writes) -> Result<()> {
        if writes.batch.ops.is_empty() {
            return Ok(());
        }
        let garbage = Garbage::of(&writes);
        self.kv.commit(writes.batch, self.durability).await?;
        self.note_stored(garbage);
        Ok(())
    }

    /// Notes that something was stored.
    pub(super) fn note_stored(&self, garbage: Garbage) {
        self.unsynced.note();
        self.collecting.note(garbage);
    }

    async fn truncate(&self, table: &Arc<Table>) -> Result<Answer> {
        system::refuse_derived(table, "Truncation")?;
        if table.view.is_some() {
            return Err(CqlError::invalid(
                "Cannot TRUNCATE materialized view directly; must truncate base table instead",
            ));
        }
        let _alone = self.defining.lock().await;
        let schema = self.schema.load_full();
        let keyspace = schema.keyspaces.get(&table.keyspace);
        let views: Vec<_> = keyspace
            .into_iter()
            .flat_map(|keyspace| keyspace.views_of(&table.name))
            .collect();
        // Whoever has read a row must not bring it back to a view.
        let held = match views.is_empty() {
            true => Vec::new(),
            false => self.stripes.lock_all().await,
        };
        let mut writes = Writes::default();
        writes.truncate(table.number);
        views.iter().for_each(|view| writes.truncate(view.number));
        for index in Kept::all(table) {
            state::indexes::forget(&mut writes.batch, index.number, false);
        }
        self.commit(writes).await?;
        drop(held);
        for number in std::iter::once(table.number).chain(views.iter().map(|view| view.number)) {
            self.kv.reclaim(&state::rows::table_scan(number));
        }
        for index in Kept::all(table) {
            self.kv.reclaim(&state::indexes::entries(index.number));
        }
        Ok(void())
    }

    pub(super) fn values<'a>(&'a self, bound: &'a [Value]) -> Values<'a> {
        Values {
            bound,
            now_ms: self.time.now_ms(),
            random: &self.random,
        }
    }

    /// The second at which the request is executed.
    pub(super) fn now(&self, parameters: &Parameters) -> i64 {
        parameters
            .now_in_seconds
            .map_or_else(|| self.time.now_s(), i64::from)
    }
}

/// What a node tells of itself before it knows.
fn nobody() -> system::Node {
    system::Node {
        cluster_name: String::new(),
        host_id: uuid::Uuid::nil(),
        schema_version: uuid::Uuid::nil(),
        tokens: vec![FIRST_TOKEN],
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 9042,
        site: Arc::default(),
        settings: Arc::default(),
        started_s: 0,
    }
}

/// An answer without rows.
pub(super) fn void() -> Answer {
    Answer {
        outcome: Outcome::Void,
        warnings: Vec::new(),
    }
}
