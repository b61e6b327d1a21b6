//! BATCH: several statements at once.

use super::{Context, Reply, query, trace};
use crate::{
    engine::BatchStatement,
    error::Result,
    wire::{
        read::Reader,
        request::{Batch, Named},
        response::Metadata,
    },
};

pub(super) async fn handle(cx: Context, mut body: Reader) -> Result<Reply> {
    let mut request = Batch::read(&mut body, cx.version())?;
    let mut statements = Vec::with_capacity(request.statements.len());
    for (named, values) in request.statements {
        let statement = match named {
            Named::Text(text) => BatchStatement::Text(text),
            Named::Prepared(id) => BatchStatement::Prepared(cx.service.prepared.get(&id)?.statement.clone()),
        };
        statements.push((statement, values));
    }
    let request_name = "Execute batch of CQL3 queries";
    let traced = trace::begin(&cx, request_name, None, Some(&request.parameters));
    request.parameters.steps = trace::steps(traced.as_ref());
    let engine = &cx.service.engine;
    let answer = engine
        .batch(request.kind, statements, request.parameters, &cx.session)
        .await;
    trace::end(&cx, traced).await;
    Ok(query::reply(&cx, answer?, Metadata::Whole).await)
}
