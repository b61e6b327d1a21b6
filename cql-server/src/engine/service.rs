//! What handlers ask, answered by the engine.

use super::{
    Answer, BatchStatement, Clients, Description, Engine, Outcome, Parameters, Pending, PreparedStatement,
    SchemaChange, Session, Statements, Value,
    binding::{Came, positioned},
    consistency,
    failures::{self, Doing},
    prepared::{Plan, Prepared},
    turns::{Place, in_time, one_of_few},
};
use crate::{
    error::{CqlError, Result},
    statements::{Statement, batch::BatchKind},
};
use std::{any::Any, pin::pin, sync::Arc};
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
            let prepared = self.prepared(text, keyspace(&parameters, session).as_ref())?;
            let parameters = positioned(&prepared, parameters, Came::AsText)?;
            self.run(&prepared, parameters, session).await
        })
    }

    fn batch<'a>(
        &'a self,
        kind: BatchKind,
        statements: Vec<(BatchStatement, Vec<Value>)>,
        parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            let keyspace = keyspace(&parameters, session);
            let mut own_statements = Vec::with_capacity(statements.len());
            for (statement, values) in statements {
                let prepared = match statement {
                    BatchStatement::Text(text) => self.prepared(&text, keyspace.as_ref())?,
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
    async fn run(
        &self,
        prepared: &Arc<Prepared>,
        parameters: Parameters,
        session: &Session,
    ) -> Result<Answer> {
        self.authorize(prepared, session)?;
        if let Plan::Other(statement) = &prepared.plan {
            return self.other(statement, prepared, &parameters, session).await;
        }
        let told = self.guard(&prepared.plan, &parameters, session)?;
        consistency::check(&self.schema.load(), prepared, &parameters)?;
        let (doing, levels) = (Doing::of(&prepared.plan), failures::levels(&parameters));
        let work = pin!(self.run_plan(prepared, parameters));
        let answer = match &prepared.plan {
            Plan::Select(plan) => {
                let limit = self.timeouts.of_read(plan.restrictions.by_key);
                let work = pin!(one_of_few(&session.reads, work));
                match in_time(limit, || session.has_left(), work).await {
                    Some((answer, place)) => answer.map(|answer| answer.holding(place)),
                    None => Err(CqlError::TimedOut),
                }
            }
            // What is written is finished, whoever is left to be told.
            _ => work.await,
        };
        let mut answer = answer.map_err(|error| match error {
            CqlError::TooManyTombstones(warnings) => {
                failures::overwhelmed(warnings, levels, self.node.load().address)
            }
            error => doing.told(error, levels),
        })?;
        answer.warnings.splice(0..0, told);
        if &*prepared.description.keyspace == AUTH_KEYSPACE && !session.is_internal() {
            self.reload_roles().await?;
        }
        Ok(answer)
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
        let answer = self.batch_of(kind, statements, parameters).await;
        let failed = |error| Doing::batch(kind, is_conditional).told(error, failures::levels(parameters));
        let mut answer = answer.map_err(failed)?;
        answer.warnings.splice(0..0, told);
        Ok(answer)
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
