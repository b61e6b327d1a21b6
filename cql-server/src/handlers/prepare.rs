//! PREPARE: a statement to be executed many times.

use super::{Context, Reply, Then, prepared::Entry, trace};
use crate::{
    engine::Steps,
    error::Result,
    wire::{
        ids::{self, Id},
        read::Reader,
        request::Prepare,
        response::Prepared,
    },
};

pub(super) async fn handle(cx: Context, mut body: Reader) -> Result<Reply> {
    let request = Prepare::read(&mut body, cx.version())?;
    let traced = trace::begin(&cx, "Preparing CQL3 query", Some(&request.text), None);
    let reply = prepare(&cx, request, trace::steps(traced.as_ref())).await;
    trace::end(&cx, traced).await;
    reply
}

async fn prepare(cx: &Context, request: Prepare, steps: Option<Steps>) -> Result<Reply> {
    let session = cx.session.keyspace();
    let keyspace = request.keyspace.as_deref().or(session.as_deref());
    let prepared = cx.service.engine.prepare(&request.text, keyspace)?;
    let told = prepared.description();
    // A text that names its keyspaces has the same id wherever it is prepared.
    let keyspace = keyspace.filter(|_| !told.is_qualified);
    let id = ids::statement_id(keyspace, &request.text);
    let metadata_id = ids::metadata_id(&told.columns);
    let message = Prepared {
        id,
        metadata_id,
        markers: &told.markers,
        partition_key: &told.partition_key,
        columns: &told.columns,
    }
    .message(cx.version());
    let warnings = match told.is_qualified || is_internal(&told.keyspace) || cx.warned_of_use() {
        true => Vec::new(),
        false => vec![use_is_ambiguous(session.as_deref(), &told.keyspace, id)],
    };
    let entry = Entry {
        statement: prepared.clone(),
        metadata_id,
        text: request.text.into(),
    };
    cx.service.keep(id, keyspace, entry, steps).await?;
    Ok(Reply {
        message,
        warnings,
        then: Then::Nothing,
    })
}

/// The keyspaces of the server itself, of which there is but one each.
fn is_internal(keyspace: &str) -> bool {
    matches!(keyspace, "system" | "system_schema")
}

fn use_is_ambiguous(session: Option<&str>, keyspace: &str, id: Id) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let statement = if keyspace.is_empty() {
        session.unwrap_or("null")
    } else {
        keyspace
    };
    format!(
        "`USE <keyspace>` with prepared statements is considered to be an anti-pattern due to ambiguity in \
         non-qualified table names. Please consider removing instances of `Session#setKeyspace(<keyspace>)`, \
         `Session#execute(\"USE <keyspace>\")` and `cluster.newSession(<keyspace>)` from your code, and always use \
         fully qualified table names (e.g. <keyspace>.<table>). Keyspace used: {}, statement keyspace: {statement}, \
         statement id: {hex}",
        session.unwrap_or("null")
    )
}
