use crate::{ClientError, Master, backoff::Backoff, http::Ask, stream::Events};
use mesos_proto::v1::master::{Call, Event, call, event};
use prost::Message;
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

/// Where operators ask.
pub(crate) const PATH: &str = "/api/v1";
/// Events that may wait for whoever listens. Who is behind holds up the stream, which the master then ends.
const EVENTS_MAX: usize = 1024;

/// What an operator hears.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are events")]
pub enum OperatorEvent {
    /// Something happened. The first event of every stream is `SUBSCRIBED`, with all that there is.
    Up(Event),
    /// The stream broke: what is known is what was. It comes back by itself.
    Down,
}

pub(crate) fn start(master: Master, stop: CancellationToken) -> mpsc::Receiver<OperatorEvent> {
    let (tell, told) = mpsc::channel(EVENTS_MAX);
    tokio::spawn(async move { stop.run_until_cancelled(follow(master, tell)).await });
    told
}

/// Follows what happens for as long as somebody listens.
async fn follow(master: Master, tell: mpsc::Sender<OperatorEvent>) {
    let mut backoff = Backoff::new();
    let mut up = true;
    loop {
        let Some(error) = stream(&master, &tell, &mut backoff, &mut up).await else {
            return;
        };
        if std::mem::take(&mut up) {
            tracing::warn!(%error, "what happens in the cluster is not heard");
            if tell.send(OperatorEvent::Down).await.is_err() {
                return;
            }
        }
        tracing::debug!(%error, "no stream of a cluster's events");
        sleep(backoff.next_pause(master.random())).await;
    }
}

/// One stream, until it breaks for a reason, or nobody listens.
async fn stream(
    master: &Master,
    tell: &mpsc::Sender<OperatorEvent>,
    backoff: &mut Backoff,
    up: &mut bool,
) -> Option<ClientError> {
    let subscribe = Call {
        r#type: Some(call::Type::Subscribe as i32),
        ..Call::default()
    };
    let ask = Ask::post(PATH, subscribe.encode_to_vec().into());
    let (connection, response) = match master.ask(&ask).await {
        Ok(answered) => answered,
        Err(error) => return Some(error),
    };
    let address = connection.address.clone();
    let mut events = Events::of(connection, response);
    loop {
        let event = tokio::select! {
            event = events.next::<Event>() => event,
            () = master.moved_from(&address) => return Some(ClientError::NoLeader),
        };
        let event = match event {
            Ok(event) => event,
            Err(error) => return Some(error),
        };
        if event.r#type() == event::Type::Heartbeat {
            continue;
        }
        if let Some(subscribed) = &event.subscribed {
            events.heartbeats(subscribed.heartbeat_interval_seconds);
            backoff.reset();
            *up = true;
        }
        if tell.send(OperatorEvent::Up(event)).await.is_err() {
            return None;
        }
    }
}
