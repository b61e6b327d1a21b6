//! Fetch (1): batches from the offsets a client asks for, now or as soon as there are enough of them.
//!
//! Knows: sessions, limits, waiting. Never: polls: it waits until an append says that there is more.

mod gather;
mod interest;

use super::{Context, Reply};
use crate::{
    core::fetch_sessions::{NO_SESSION, Wish},
    error::Close,
    partition::Waiter,
    wire::{
        self, ResponseError,
        fetch::{Endpoint, Fetched, FetchedPartition, FetchedTopic},
        messages::FetchRequest,
        text,
    },
};
use bytes::Bytes;
use gather::{Gathered, Limits};
use interest::Interest;
use std::{pin::pin, sync::Arc, time::Duration};
use storage::Slice;
use tokio::{sync::Mutex, time::sleep};

/// Kafka's default of `fetch.max.bytes` of brokers: what one answer holds at the most, but for a single larger batch.
const FETCH_BYTES_MAX: usize = 57_671_680;

/// What the session cache holds: the partitions read in a session. Locked by the session's request under way.
pub(crate) type SessionHandle = Arc<Mutex<Interest>>;

pub(crate) async fn answer(cx: Context, body: Bytes) -> Result<Reply, Close> {
    let request: FetchRequest = wire::decode(body, cx.version())?;
    let now_ms = cx.broker.clock.now_ms();
    let wish = {
        let mut sessions = cx.broker.fetch_sessions.lock();
        sessions.find(request.session_id, request.session_epoch, now_ms)
    };
    let response = match wish {
        Wish::Full => full(&cx, &request, true).await,
        Wish::Sessionless => full(&cx, &request, false).await,
        Wish::Incremental(session) => incremental(&cx, &request, session).await,
        Wish::Unknown => refused(ResponseError::FetchSessionIdNotFound),
        Wish::WrongEpoch => refused(ResponseError::InvalidFetchSessionEpoch),
    };
    cx.broker.errors.count(super::FETCH, &response);
    let frame = wire::fetch::encode(cx.header.correlation_id, cx.version(), response, Slice::Memory)?;
    Ok(Reply::Frame(frame))
}

/// Everything that is read is in the request; the answer names all of it.
async fn full(cx: &Context, request: &FetchRequest, with_session: bool) -> Fetched<Slice> {
    let mut interest = Interest::of(cx.version());
    interest.update(request);
    let gathered = wait(cx, request, &mut interest, false).await;
    let topics = topics(&mut interest, gathered);
    let mut session_id = NO_SESSION;
    if with_session && cx.version() >= 7 {
        let size = interest.len();
        let held = Arc::new(Mutex::new(interest));
        let now_ms = cx.broker.clock.now_ms();
        let chance = || cx.broker.random.next_u64();
        session_id = cx.broker.fetch_sessions.lock().open(held, size, now_ms, chance);
    }
    Fetched {
        error_code: 0,
        session_id,
        endpoints: endpoints(cx, &topics),
        topics,
    }
}

/// The request says what changed since the last one; the answer names what has news.
async fn incremental(cx: &Context, request: &FetchRequest, session: SessionHandle) -> Fetched<Slice> {
    let mut interest = session.lock().await;
    if !interest.is_named_as_in(cx.version()) {
        return refused(ResponseError::FetchSessionTopicIdError);
    }
    interest.update(request);
    interest.forget(request);
    let size = interest.len();
    // A session that is closed is told so, and its client opens another one.
    let session_id = match cx.broker.fetch_sessions.lock().resize(request.session_id, size) {
        true => request.session_id,
        false => NO_SESSION,
    };
    let gathered = wait(cx, request, &mut interest, true).await;
    let topics = topics(&mut interest, gathered);
    Fetched {
        error_code: 0,
        session_id,
        endpoints: endpoints(cx, &topics),
        topics,
    }
}

/// Reads until there is enough, something to tell at once, or the time is over.
async fn wait(cx: &Context, request: &FetchRequest, interest: &mut Interest, news_only: bool) -> Gathered {
    let allowed = cx.broker.config.property("fetch.max.bytes");
    let max_bytes = usize::try_from(request.max_bytes)
        .unwrap_or(0)
        .min(allowed.unwrap_or(FETCH_BYTES_MAX));
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0).min(max_bytes);
    let limits = Limits {
        bytes_max: max_bytes,
        committed: request.isolation_level == 1,
        news_only,
    };
    let wait_ms = u64::try_from(request.max_wait_ms).unwrap_or(0);
    let (mut over, mut waited) = (wait_ms == 0, pin!(sleep(Duration::from_millis(wait_ms))));
    let waiter = interest.waiter();
    loop {
        let gathered = gather::gather(cx, interest, &limits).await;
        let enough = gathered.bytes >= min_bytes || gathered.at_once || interest.len() == 0;
        if enough || over {
            return gathered;
        }
        let missing = min_bytes.saturating_sub(gathered.bytes);
        waiter.want(i64::try_from(missing).unwrap_or(i64::MAX));
        if gather::watch(interest, &waiter, &limits, gathered.seen) {
            continue; // more came between the read and the watch
        }
        over = tokio::select! {
            () = woken(&waiter) => false,
            () = waited.as_mut() => true,
        };
        if over && gathered.bytes > 0 {
            // A little is there: it was read, and is told as it was.
            return gathered;
        }
    }
}

async fn woken(waiter: &Waiter) {
    waiter.woken().await;
}

/// The answer's topics; neighbours of one topic share an entry.
fn topics(interest: &mut Interest, gathered: Gathered) -> Vec<FetchedTopic<Slice>> {
    let mut topics: Vec<FetchedTopic<Slice>> = Vec::new();
    let mut last_key = None;
    for (at, partition) in gathered.partitions {
        let Some(key) = interest.told(at, &partition) else {
            continue;
        };
        if last_key.as_ref() != Some(key) || topics.is_empty() {
            topics.push(FetchedTopic {
                name: text(key.name()),
                id: key.id(),
                partitions: Vec::new(),
            });
            last_key = Some(key.clone());
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(partition);
        }
    }
    topics
}

/// Where the leaders are that the answer names.
fn endpoints(cx: &Context, topics: &[FetchedTopic<Slice>]) -> Vec<Endpoint> {
    let mut parts = topics.iter().flat_map(|topic| &topic.partitions);
    if !parts.any(|part| part.current_leader.is_some()) {
        return Vec::new();
    }
    let (host, port) = cx.broker.address(&cx.listener);
    vec![Endpoint {
        node_id: cx.broker.config.node_id,
        host: text(host),
        port: i32::from(port),
        rack: None,
    }]
}

fn refused(error: ResponseError) -> Fetched<Slice> {
    Fetched {
        error_code: error.code(),
        session_id: NO_SESSION,
        topics: Vec::<FetchedTopic<Slice>>::new(),
        endpoints: Vec::new(),
    }
}

/// A partition's part of an answer.
type Part = FetchedPartition<Slice>;

#[cfg(test)]
mod tests;
