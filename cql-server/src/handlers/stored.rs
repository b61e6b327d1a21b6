//! What was prepared, in `system.prepared_statements`: clients go on after a restart as if there had been none.
//!
//! A statement is stored with its id before its client is told the id, and taken out when it is forgotten. One that cannot be
//! prepared any more when the server starts is forgotten then.

use super::{client::Service, prepared::Entry};
use crate::{
    core::types::elements::Cursor,
    engine::{BatchStatement, Outcome, Parameters, SchemaChange, Session, Steps, Value},
    error::Result,
    statements::batch::BatchKind,
    wire::ids::{self, Id},
};
use bytes::Bytes;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

const ALL: &str = "SELECT prepared_id, logged_keyspace, query_string FROM system.prepared_statements";
const STORE: &str =
    "INSERT INTO system.prepared_statements (prepared_id, logged_keyspace, query_string) VALUES (?, ?, ?)";
const FORGET: &str = "DELETE FROM system.prepared_statements WHERE prepared_id = ?";

/// Statements that are forgotten in one batch.
const FORGOTTEN_MAX: usize = 1000;

/// The server itself.
fn own() -> Session {
    Session::internal(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

fn value(bytes: &[u8]) -> Value {
    Value::Set(Bytes::copy_from_slice(bytes))
}

impl Service {
    /// Keeps what was prepared, for good. A statement that cannot be stored is kept as long as the server runs.
    pub(super) async fn keep(
        &self,
        id: Id,
        keyspace: Option<&str>,
        entry: Entry,
        steps: Option<Steps>,
    ) -> Result<()> {
        let text = entry.text.clone();
        let is_new = !self.prepared.has(&id);
        self.prepared.insert(id, Arc::new(entry))?;
        if is_new {
            let keyspace = keyspace.map_or(Value::Null, |name| value(name.as_bytes()));
            let parameters = Parameters {
                values: vec![value(&id), keyspace, value(text.as_bytes())],
                steps,
                ..Parameters::default()
            };
            if let Err(error) = self.engine.query(STORE, parameters, &own()).await {
                tracing::warn!(%error, "a prepared statement was not stored");
            }
        }
        self.take_out().await;
        Ok(())
    }

    /// Forgets what a change of the schema may have made wrong.
    pub(super) async fn forget(&self, change: &SchemaChange) {
        self.prepared.forget(change);
        self.take_out().await;
    }

    /// Takes out of the table what is not kept any more.
    async fn take_out(&self) {
        for ids in self.prepared.take_forgotten().chunks(FORGOTTEN_MAX) {
            let one = |id: &Id| (BatchStatement::Text(FORGET.to_owned()), vec![value(id)]);
            let statements = ids.iter().map(one).collect();
            let (session, parameters) = (own(), Parameters::default());
            let done = self
                .engine
                .batch(BatchKind::Unlogged, statements, parameters, &session);
            if let Err(error) = done.await {
                tracing::warn!(%error, "prepared statements were not taken out of their table");
            }
        }
    }

    /// Prepares again what was prepared before the server ended.
    pub(crate) async fn restore(&self) {
        match self.restored().await {
            Ok(count) => tracing::debug!(count, "prepared statements are there again"),
            Err(error) => tracing::warn!(%error, "prepared statements were not read"),
        }
        self.take_out().await;
    }

    async fn restored(&self) -> Result<usize> {
        let answer = self.engine.query(ALL, Parameters::default(), &own()).await?;
        let Outcome::Rows(rows) = answer.outcome else {
            return Ok(0);
        };
        let mut count = 0;
        for (id, said) in stored(&rows.content, rows.count) {
            let entry = said.and_then(|said| self.prepared_again(said));
            let kept = entry.is_some_and(|entry| self.prepared.insert(id, Arc::new(entry)).is_ok());
            match kept {
                true => count += 1,
                false => self.prepared.note_forgotten(id),
            }
        }
        Ok(count)
    }

    fn prepared_again(&self, (keyspace, text): Said<'_>) -> Option<Entry> {
        let statement = self.engine.prepare(text, keyspace).ok()?;
        Some(Entry {
            metadata_id: ids::metadata_id(&statement.description().columns),
            statement,
            text: text.into(),
        })
    }
}

/// A keyspace, and the text of a statement.
pub(crate) type Said<'r> = (Option<&'r str>, &'r str);

/// Ids of stored statements, each with what it stands for where the id is its own: somebody may have written there.
pub(crate) fn stored(content: &[u8], count: u32) -> impl Iterator<Item = (Id, Option<Said<'_>>)> {
    let mut cells = Cursor::new(content);
    let mut row = move || {
        let mut cell = || cells.value().flatten();
        let (id, keyspace, text) = (cell(), cell(), cell());
        let id = Id::try_from(id?).ok()?;
        Some((
            id,
            said(keyspace, text).filter(|(keyspace, text)| ids::statement_id(*keyspace, text) == id),
        ))
    };
    (0..count).filter_map(move |_| row())
}

fn said<'r>(keyspace: Option<&'r [u8]>, text: Option<&'r [u8]>) -> Option<Said<'r>> {
    let keyspace = keyspace.map(std::str::from_utf8).transpose().ok()?;
    Some((keyspace, std::str::from_utf8(text?).ok()?))
}
