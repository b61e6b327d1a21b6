//! EXECUTE: a prepared statement with its values.

use super::{Context, Reply, prepared::Entry, query, trace};
use crate::{
    engine::{Outcome, Rows},
    error::Result,
    wire::{ids, read::Reader, request::Execute, response::Metadata},
};
use bytes::Bytes;

pub(super) async fn handle(cx: Context, mut body: Reader) -> Result<Reply> {
    let mut request = Execute::read(&mut body, cx.version())?;
    let entry = cx.service.prepared.get(&request.id)?;
    let mut traced = trace::begin(
        &cx,
        "Execute CQL3 prepared query",
        Some(&entry.text),
        Some(&request.parameters),
    );
    if let Some(traced) = &mut traced {
        let markers = &entry.statement.description().markers;
        traced.bind(markers, &request.parameters.values);
    }
    request.parameters.steps = trace::steps(traced.as_ref());
    let engine = &cx.service.engine;
    let answer = engine
        .execute(&entry.statement, request.parameters, &cx.session)
        .await;
    trace::end(&cx, traced).await;
    let answer = answer?;
    let told = match &answer.outcome {
        Outcome::Rows(rows) => metadata(&entry, rows, request.metadata_id.as_ref(), request.skip_metadata),
        _ => Metadata::Whole,
    };
    Ok(query::reply(&cx, answer, told).await)
}

/// How much of its columns a result tells. `known`: the id of the metadata that the client has, from version 5 on.
/// Without one, a client that wants none gets none as long as the columns are those it was told when it prepared.
fn metadata(entry: &Entry, rows: &Rows, known: Option<&Bytes>, skip: bool) -> Metadata {
    let told = entry.statement.description();
    if told.is_conditional {
        return Metadata::Whole;
    }
    let as_prepared = std::ptr::eq(&*rows.columns, &*told.columns) || rows.columns == told.columns;
    match known {
        Some(known) => {
            let id = if as_prepared {
                entry.metadata_id
            } else {
                ids::metadata_id(&rows.columns)
            };
            match known[..] == id {
                true if skip => Metadata::Left,
                true => Metadata::Whole,
                false => Metadata::Changed(id),
            }
        }
        None if skip && as_prepared => Metadata::Left,
        None => Metadata::Whole,
    }
}
