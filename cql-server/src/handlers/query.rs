//! QUERY: a statement in its text.

use super::{Context, Reply, Then, trace};
use crate::{
    engine::{Answer, Outcome},
    error::Result,
    wire::{
        read::Reader,
        request::Query,
        response::{Message, Metadata},
    },
};

pub(super) async fn handle(cx: Context, mut body: Reader) -> Result<Reply> {
    let mut query = Query::read(&mut body, cx.version())?;
    let traced = trace::begin(
        &cx,
        "Execute CQL3 query",
        Some(&query.text),
        Some(&query.parameters),
    );
    query.parameters.steps = trace::steps(traced.as_ref());
    let answer = cx
        .service
        .engine
        .query(&query.text, query.parameters, &cx.session)
        .await;
    trace::end(&cx, traced).await;
    let told = if query.skip_metadata {
        Metadata::Left
    } else {
        Metadata::Whole
    };
    Ok(reply(&cx, answer?, told).await)
}

/// What any statement's answer means for its session and for what is prepared.
pub(super) async fn reply(cx: &Context, answer: Answer, told: Metadata) -> Reply {
    match &answer.outcome {
        Outcome::SetKeyspace(keyspace) => cx.session.set_keyspace(keyspace.clone()),
        Outcome::SchemaChange(change) => cx.service.forget(change).await,
        Outcome::Void | Outcome::Rows(_) => {}
    }
    Reply {
        message: Message::result(answer.outcome, cx.version(), told),
        warnings: answer.warnings,
        then: Then::Nothing,
    }
}
