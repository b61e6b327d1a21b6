use crate::{
    ClientError, Master,
    backoff::Backoff,
    http::{self, Ask, Connection, STREAM_ID},
    stream::Events,
};
use hyper::header::HeaderValue;
use mesos_proto::{
    masters::Address,
    v1::{
        FrameworkId, FrameworkInfo, MasterInfo,
        scheduler::{Call, Event, call, event},
    },
};
use parking_lot::Mutex;
use prost::Message;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex as Turn, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

const PATH: &str = "/api/v1/scheduler";
/// Events that may wait for the framework. One that is behind holds up its stream, which the master then ends.
const EVENTS_MAX: usize = 1024;
/// How long a connection for calls may lie still before another one is taken: less than what a server keeps it for.
const KEPT_FOR: Duration = Duration::from_secs(4);

/// What a framework hears.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are events")]
pub enum Happened {
    /// It can call. After a `Disconnected`, nobody knows what was missed: reconcile.
    Subscribed {
        /// Its id, by which it comes back: keep it.
        framework_id: FrameworkId,
        /// Who leads, as that one tells.
        master: Option<MasterInfo>,
    },
    /// An event, neither the first one of a stream nor a heartbeat.
    Event(Event),
    /// The stream broke, offers are void. It comes back by itself.
    Disconnected,
    /// The master does not want it, or not any more, and says why. Nothing follows.
    Refused(String),
}

/// A framework's subscription, which comes back whenever it breaks, with the framework's id.
#[derive(Clone)]
pub struct Framework(Arc<Shared>);

struct Shared {
    master: Master,
    stream: Mutex<Option<Stream>>,
    /// Calls leave one after the other: the order in which they are made means something. With when it was last used.
    calls: Turn<Option<(Connection, Duration)>>,
}

/// What it takes to call beside a stream.
#[derive(Clone)]
struct Stream {
    framework_id: FrameworkId,
    id: HeaderValue,
    address: Address,
    cut: CancellationToken,
}

/// Why a stream is over.
enum Ended {
    /// Try again.
    Broken(ClientError),
    Refused(String),
    /// Nobody listens.
    Unheard,
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Self {
        Ended::Broken(error)
    }
}

impl Framework {
    /// Subscribes `info` until `stop`; where it has an id, as the framework of this id.
    pub fn start(
        master: Master,
        info: FrameworkInfo,
        stop: CancellationToken,
    ) -> (Self, mpsc::Receiver<Happened>) {
        let (tell, told) = mpsc::channel(EVENTS_MAX);
        let shared = Arc::new(Shared {
            master,
            stream: Mutex::new(None),
            calls: Turn::new(None),
        });
        let run = shared.clone();
        tokio::spawn(async move {
            stop.run_until_cancelled(run.follow(info, tell)).await;
            run.stream.lock().take();
        });
        (Framework(shared), told)
    }

    /// Makes a call for the framework: its id is filled in. Calls reach the master in the order in which they are made.
    ///
    /// A call is made once. Where there is no answer it may have arrived or not, and the stream of events is ended: what was
    /// perhaps not heard is found by reconciling.
    pub async fn call(&self, mut call: Call) -> Result<(), ClientError> {
        let mut kept = self.0.calls.lock().await;
        let stream = self.0.stream.lock().clone().ok_or(ClientError::NotSubscribed)?;
        call.framework_id = Some(stream.framework_id.clone());
        let mut ask = Ask::post(PATH, call.encode_to_vec().into());
        ask.stream_id = Some(stream.id.clone());
        // Whoever drops this future in the middle drops the connection with it.
        let connection = kept.take();
        let answered = self.0.say(connection, &stream, &ask).await;
        match answered {
            Ok(connection) => {
                *kept = Some((connection, self.0.master.elapsed()));
                Ok(())
            }
            Err(error) => {
                if !matches!(error, ClientError::Answered(400..=499, _)) {
                    stream.cut.cancel();
                }
                Err(error)
            }
        }
    }
}

impl Shared {
    /// Calls once, and answers the connection if the call was taken.
    async fn say(
        &self,
        kept: Option<(Connection, Duration)>,
        stream: &Stream,
        ask: &Ask,
    ) -> Result<Connection, ClientError> {
        let kept = kept.filter(|(connection, since)| {
            let fresh = self.master.elapsed() < *since + KEPT_FOR;
            fresh && connection.address == stream.address && connection.is_open()
        });
        let mut answered = None;
        if let Some((mut connection, _)) = kept {
            answered = connection.ask(ask).await?.map(|response| (connection, response));
        }
        let (connection, response) = match answered {
            Some(answered) => answered,
            None => {
                let mut connection = Connection::open(&stream.address).await?;
                let response = connection.ask(ask).await?;
                let closed = || {
                    let why = "it closed the connection".to_owned();
                    ClientError::Unreachable(stream.address.clone(), why)
                };
                (connection, response.ok_or_else(closed)?)
            }
        };
        if !response.status().is_success() {
            return Err(http::text(&stream.address, response).await);
        }
        http::end(response).await;
        Ok(connection)
    }

    async fn follow(&self, mut info: FrameworkInfo, tell: mpsc::Sender<Happened>) {
        let mut backoff = Backoff::new();
        loop {
            let ended = self.stream(&mut info, &tell, &mut backoff).await;
            let was_subscribed = self.stream.lock().take().is_some();
            let told = match ended {
                Ended::Unheard => return,
                Ended::Refused(why) => {
                    tracing::warn!(framework = info.name, why, "the master refuses the framework");
                    let _ = tell.send(Happened::Refused(why)).await;
                    return;
                }
                Ended::Broken(error) if was_subscribed => {
                    tracing::warn!(framework = info.name, %error, "the framework is disconnected");
                    tell.send(Happened::Disconnected).await
                }
                Ended::Broken(error) => {
                    tracing::debug!(framework = info.name, %error, "the framework is not subscribed yet");
                    Ok(())
                }
            };
            if told.is_err() {
                return;
            }
            sleep(backoff.next_pause(self.master.random())).await;
        }
    }

    /// One stream, until it ends.
    async fn stream(
        &self,
        info: &mut FrameworkInfo,
        tell: &mpsc::Sender<Happened>,
        backoff: &mut Backoff,
    ) -> Ended {
        let subscribed = self.subscribe(info).await;
        let (mut events, mut stream) = match subscribed {
            Ok(subscribed) => subscribed,
            Err(ended) => return ended,
        };
        loop {
            let event = tokio::select! {
                event = events.next::<Event>() => event,
                () = self.master.moved_from(&stream.address) => return Ended::Broken(ClientError::NoLeader),
                () = stream.cut.cancelled() => return Ended::Broken(ClientError::NotSubscribed),
            };
            let happened = match event {
                Err(error) => return Ended::Broken(error),
                Ok(event) => match event.r#type() {
                    event::Type::Heartbeat => continue,
                    event::Type::Error => return Ended::Refused(event.error.unwrap_or_default().message),
                    event::Type::Subscribed => {
                        let Some(subscribed) = event.subscribed else {
                            return Ended::Broken(ClientError::Malformed("SUBSCRIBED is empty".to_owned()));
                        };
                        events.heartbeats(subscribed.heartbeat_interval_seconds);
                        backoff.reset();
                        info.id = Some(subscribed.framework_id.clone());
                        stream.framework_id = subscribed.framework_id.clone();
                        // From here on it can call, before it is told so.
                        *self.stream.lock() = Some(stream.clone());
                        Happened::Subscribed {
                            framework_id: subscribed.framework_id,
                            master: subscribed.master_info,
                        }
                    }
                    _ => Happened::Event(event),
                },
            };
            if tell.send(happened).await.is_err() {
                return Ended::Unheard;
            }
        }
    }

    async fn subscribe(&self, info: &FrameworkInfo) -> Result<(Events, Stream), Ended> {
        let subscribe = Call {
            framework_id: info.id.clone(),
            r#type: Some(call::Type::Subscribe as i32),
            subscribe: Some(call::Subscribe {
                framework_info: info.clone(),
                ..call::Subscribe::default()
            }),
            ..Call::default()
        };
        let ask = Ask::post(PATH, subscribe.encode_to_vec().into());
        let (connection, response) = match self.master.ask(&ask).await {
            Ok(answered) => answered,
            Err(ClientError::Answered(400 | 401 | 403, why)) => return Err(Ended::Refused(why)),
            Err(error) => return Err(error.into()),
        };
        let Some(id) = response.headers().get(STREAM_ID).cloned() else {
            return Err(ClientError::Malformed("the stream has no id".to_owned()).into());
        };
        let stream = Stream {
            framework_id: FrameworkId::default(),
            id,
            address: connection.address.clone(),
            cut: CancellationToken::new(),
        };
        Ok((Events::of(connection, response), stream))
    }
}
