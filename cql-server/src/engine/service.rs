//! What handlers ask, answered by the engine.

use super::{
    Answer, BatchStatement, Clients, Description, Engine, Outcome, Parameters, Pending, PreparedStatement,
    SchemaChange, Session, Statements, Value,
    binding::{Came, positioned},
    consistency,
    failures::{self, Doing},
    prepared::{Plan, Prepared},
    turns::{Place, in_time, one_of_few},
    usage::Done,
};
use crate::{
    error::{CqlError, Result},
    statements::{Statement, batch::BatchKind, write::Write},
};
use server_kit::console::View;
use std::{any::Any, collections::BTreeSet, pin::pin, sync::Arc, time::Duration};
use tokio::sync::broadcast;

/// Where roles are kept: who writes there himself changes what is in force.
const AUTH_KEYSPACE: &str = "system_auth";

impl PreparedStatement for Prepared {
    fn description(&self) -> &Description {
        &self.description
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

/// The engine's own form of what it prepared.
fn own(prepared: &Arc<dyn PreparedStatement>) -> Result<Arc<Prepared>> {
    let any: Arc<dyn Any + Send + Sync> = prepared.clone();
    any.downcast()
        .map_err(|_| CqlError::Server("prepared by somebody else".to_owned()))
}

/// The keyspace of a request: its own, or the session's.
fn keyspace(parameters: &Parameters, session: &Session) -> Option<Arc<str>> {
    parameters.keyspace.clone().or_else(|| session.keyspace())
}

impl Statements for Engine {
    fn prepare(&self, text: &str, keyspace: Option<&str>) -> Result<Arc<dyn PreparedStatement>> {
        let keyspace = keyspace.map(Arc::from);
        Ok(self.prepared(text, keyspace.as_ref())?)
    }

    fn execute<'a>(
        &'a self,
        prepared: &'a Arc<dyn PreparedStatement>,
        parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            let prepared = own(prepared)?;
            let parameters = positioned(&prepared, parameters, Came::Prepared)?;
            self.run(&prepared, parameters, session).await
        })
    }

    fn query<'a>(
        &'a self,
        text: &'a str,
        parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            // What the server has for itself to say is no step of anybody's.
            if !session.is_internal() {
                self.step_parsing(parameters.steps.as_ref(), text);
            }
            let prepared = self.prepared(text, keyspace(&parameters, session).as_ref())?;
            let parameters = positioned(&prepared, parameters, Came::AsText)?;
            self.run(&prepared, parameters, session).await
        })
    }

    fn batch<'a>(
        &'a self,
        kind: BatchKind,
        statements: Vec<(BatchStatement, Vec<Value>)>,
        mut parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            parameters.gathering = Some(session.gathering.clone());
            let keyspace = keyspace(&parameters, session);
            let mut own_statements = Vec::with_capacity(statements.len());
            for (statement, values) in statements {
                let prepared = match statement {
                    BatchStatement::Text(text) => {
                        self.step_parsing(parameters.steps.as_ref(), &text);
                        self.prepared(&text, keyspace.as_ref())?
                    }
                    BatchStatement::Prepared(prepared) => own(&prepared)?,
                };
                Came::InBatch.check(&prepared, &values)?;
                own_statements.push((prepared, values));
            }
            for (prepared, _) in &own_statements {
                self.authorize(prepared, session)?;
            }
            self.run_batch(kind, &own_statements, &parameters, session).await
        })
    }

    fn log_in<'a>(&'a self, name: &'a str, password: &'a str) -> Pending<'a, Arc<str>> {
        Box::pin(self.logged_in(name, password))
    }

    fn clients(&self) -> Arc<Clients> {
        self.clients.clone()
    }

    fn show(&self, view: &mut View) {
        self.shown(view);
    }

    fn schema_changes(&self) -> broadcast::Receiver<SchemaChange> {
        self.changes.subscribe()
    }
}

impl Answer {
    /// Keeps a place until its rows have left.
    fn holding(mut self, place: Option<Place>) -> Self {
        if let (Outcome::Rows(rows), Some(place)) = (&mut self.outcome, place) {
            rows.content = place.held_by(std::mem::take(&mut rows.content));
        }
        self
    }
}

impl Engine {
    pub(super) async fn run(
        &self,
        prepared: &Arc<Prepared>,
        mut parameters: Parameters,
        session: &Session,
    ) -> Result<Answer> {
        self.authorize(prepared, session)?;
        if let Plan::Other(statement) = &prepared.plan {
            return Box::pin(self.other(statement, prepared, &parameters, session)).await;
        }
        let told = self.guard(&prepared.plan, &parameters, session)?;
        consistency::check(&self.schema.load(), prepared, &parameters)?;
        let (doing, levels) = (Doing::of(&prepared.plan), failures::levels(&parameters));
        let since = self.time.elapsed();
        let answer = match &prepared.plan {
            Plan::Select(plan) => {
                let limit = self.timeouts.of_read(plan.restrictions.by_key);
                // Boxed, as what else is rare or large: each request is allocated and moved as large as the largest.
                Box::pin(self.read_in_time(prepared, parameters, session, limit)).await
            }
            // What is written is finished, whoever is left to be told.
            _ => {
                parameters.gathering = Some(session.gathering.clone());
                self.run_plan(prepared, parameters).await
            }
        };
        let mut answer = answer.map_err(|error| match error {
            CqlError::TooManyTombstones(warnings) => {
                failures::overwhelmed(warnings, levels, self.node.load().address)
            }
            error => doing.told(error, levels),
        })?;
        answer.warnings.splice(0..0, told);
        self.count(&prepared.plan, since);
        if &*prepared.description.keyspace == AUTH_KEYSPACE && !session.is_internal() {
            Box::pin(self.reload_roles()).await?;
        }
        Ok(answer)
    }

    /// A read, which ends when its time is over or its client is gone.
    async fn read_in_time(
        &self,
        prepared: &Arc<Prepared>,
        parameters: Parameters,
        session: &Session,
        limit: Duration,
    ) -> Result<Answer> {
        let work = pin!(self.run_plan(prepared, parameters));
        let work = pin!(one_of_few(&session.reads, || self.goes_on(prepared), work));
        match in_time(limit, || session.has_left(), work).await {
            Some((answer, place)) => answer.map(|answer| answer.holding(place)),
            None => Err(CqlError::TimedOut),
        }
    }

    async fn run_batch(
        &self,
        kind: BatchKind,
        statements: &[(Arc<Prepared>, Vec<Value>)],
        parameters: &Parameters,
        session: &Session,
    ) -> Result<Answer> {
        let told = self.guard_batch(statements, parameters, session)?;
        let writes = || {
            statements
                .iter()
                .filter_map(|(prepared, _)| match &prepared.plan {
                    Plan::Write(write) => Some(&**write),
                    _ => None,
                })
        };
        consistency::check_writes(&self.schema.load(), writes(), parameters)?;
        let is_conditional = writes().any(|write| write.conditions.is_some());
        let since = self.time.elapsed();
        let answer = self.batch_of(kind, statements, parameters).await;
        let failed = |error| Doing::batch(kind, is_conditional).told(error, failures::levels(parameters));
        let mut answer = answer.map_err(failed)?;
        answer.warnings.splice(0..0, told);
        self.count_writes(writes(), since);
        Ok(answer)
    }

    /// Counts what was executed, for who asks what tables are used for.
    fn count(&self, plan: &Plan, since: Duration) {
        match plan {
            // What is not stored is not told of either.
            Plan::Select(plan) if plan.is_system => {}
            Plan::Select(plan) => {
                let done = match plan.restrictions.by_key {
                    true => Done::Read,
                    false => Done::Scan,
                };
                let table = plan.table.number;
                self.usage.count(table, done, since, self.time.elapsed());
            }
            Plan::Write(write) => {
                let table = write.table.number;
                self.usage.count(table, Done::Write, since, self.time.elapsed());
            }
            Plan::Batch(batch) => self.count_writes(batch.writes.iter(), since),
            Plan::Truncate(_) | Plan::Other(_) => {}
        }
    }

    /// The same of a batch: once for each of its tables.
    fn count_writes<'w>(&self, writes: impl Iterator<Item = &'w Write>, since: Duration) {
        let now = self.time.elapsed();
        let tables: BTreeSet<u32> = writes.map(|write| write.table.number).collect();
        for table in tables {
            self.usage.count(table, Done::Write, since, now);
        }
    }

    /// Statements that change the session or the schema.
    async fn other(
        &self,
        statement: &Statement,
        prepared: &Prepared,
        parameters: &Parameters,
        session: &Session,
    ) -> Result<Answer> {
        match statement {
            Statement::Use(to) => {
                let schema = self.schema.load();
                let Some(keyspace) = schema.keyspaces.get(&*to.keyspace) else {
                    return Err(CqlError::invalid(format!(
                        "Keyspace '{}' does not exist",
                        to.keyspace
                    )));
                };
                session.set_keyspace(keyspace.name.clone());
                Ok(Answer {
                    outcome: Outcome::SetKeyspace(keyspace.name.clone()),
                    warnings: Vec::new(),
                })
            }
            Statement::Ddl(ddl) => {
                let answer = self.define(ddl, prepared.keyspace.clone(), session).await?;
                if let Outcome::SchemaChange(change) = &answer.outcome {
                    self.grants_follow(change, session).await?;
                }
                Ok(answer)
            }
            Statement::Role(role) => self.role(role, prepared.keyspace.as_deref(), session).await,
            Statement::Describe(describe) => {
                self.describe(describe, prepared.keyspace.as_deref(), parameters)
            }
            _ => Err(CqlError::invalid("This statement is not supported")),
        }
    }
}
