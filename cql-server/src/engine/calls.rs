//! What handlers ask of the engine.

use super::{Answer, Clients, ColumnSpec, Parameters, SchemaChange, Session, Value};
use crate::{error::Result, statements::batch::BatchKind};
use server_kit::console::View;
use std::{future::Future, pin::Pin, sync::Arc};
use tokio::sync::broadcast;

/// A statement that was prepared, as clients are told of it.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    /// The keyspace and table it is about; empty where it is about none.
    pub(crate) keyspace: Arc<str>,
    pub(crate) table: Arc<str>,
    /// Whether its text names every keyspace itself, so that the session's does not matter.
    pub(crate) is_qualified: bool,
    /// Whether it has conditions: its result's columns then differ from one execution to the next.
    pub(crate) is_conditional: bool,
    /// A column for each bind marker.
    pub(crate) markers: Arc<[ColumnSpec]>,
    /// Which markers make up the partition key, in its order; empty where some of it is not bound.
    pub(crate) partition_key: Arc<[u16]>,
    /// Of its rows; empty where it gives none.
    pub(crate) columns: Arc<[ColumnSpec]>,
}

/// A statement of a batch: its text, or what was prepared.
#[derive(Clone)]
pub(crate) enum BatchStatement {
    Text(String),
    Prepared(Arc<dyn PreparedStatement>),
}

/// A statement that was prepared.
pub(crate) trait PreparedStatement: std::any::Any + Send + Sync {
    /// What clients are told of it.
    fn description(&self) -> &Description;

    /// Bytes that it takes, about.
    fn weight(&self) -> usize;
}

/// A call under way.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Everything that handlers ask.
pub(crate) trait Statements: Send + Sync {
    /// Prepares `text`; `keyspace` is the one of names without any.
    fn prepare(&self, text: &str, keyspace: Option<&str>) -> Result<Arc<dyn PreparedStatement>>;

    /// Executes what was prepared.
    fn execute<'a>(
        &'a self,
        prepared: &'a Arc<dyn PreparedStatement>,
        parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer>;

    /// Executes a text.
    fn query<'a>(
        &'a self,
        text: &'a str,
        parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer>;

    /// Executes a batch; `parameters` has no values, each statement has its own.
    fn batch<'a>(
        &'a self,
        kind: BatchKind,
        statements: Vec<(BatchStatement, Vec<Value>)>,
        parameters: Parameters,
        session: &'a Session,
    ) -> Pending<'a, Answer>;

    /// Answers the role that may log in with this name and password.
    fn log_in<'a>(&'a self, name: &'a str, password: &'a str) -> Pending<'a, Arc<str>>;

    /// Where those who connect are to enter.
    fn clients(&self) -> Arc<Clients> {
        Arc::default()
    }

    /// Adds to `view` what there is, for operators.
    fn show(&self, _view: &mut View) {}

    /// Every change of the schema from now on.
    fn schema_changes(&self) -> broadcast::Receiver<SchemaChange>;
}
