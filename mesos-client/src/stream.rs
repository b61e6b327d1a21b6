use crate::{
    ClientError,
    http::{Connection, piece},
};
use hyper::{Response, body::Incoming};
use mesos_proto::recordio::Decoder;
use prost::Message;
use std::time::Duration;
use tokio::time::timeout;

/// Bytes of one event at the most: the first one that operators hear holds the state of a large cluster.
const EVENT_BYTES_MAX: usize = 256 << 20;
/// How long a master may say nothing before it told how often it does.
const QUIET_MAX: Duration = Duration::from_secs(60);
/// Heartbeats that may be missed.
const HEARTBEATS: f64 = 5.0;

/// A stream of events, and the connection that it comes by.
pub(crate) struct Events {
    connection: Connection,
    body: Incoming,
    records: Decoder,
    quiet_max: Duration,
}

impl Events {
    pub(crate) fn of(connection: Connection, response: Response<Incoming>) -> Self {
        Events {
            connection,
            body: response.into_body(),
            records: Decoder::new(EVENT_BYTES_MAX),
            quiet_max: QUIET_MAX,
        }
    }

    /// Takes the master at its word for how often it says something.
    pub(crate) fn heartbeats(&mut self, every_seconds: Option<f64>) {
        let every = every_seconds.filter(|every| *every > 0.0);
        let quiet = every.and_then(|every| Duration::try_from_secs_f64(every * HEARTBEATS).ok());
        self.quiet_max = quiet.map_or(QUIET_MAX, |quiet| quiet.max(Duration::from_secs(1)));
    }

    /// The next event, however often it takes to arrive as a whole. A stream never ends well.
    pub(crate) async fn next<Event: Message + Default>(&mut self) -> Result<Event, ClientError> {
        let lost = |why: &str| ClientError::Unreachable(self.connection.address.clone(), why.to_owned());
        loop {
            match self.records.next_record() {
                Ok(Some(record)) => {
                    return Event::decode(record).map_err(|error| ClientError::Malformed(error.to_string()));
                }
                Ok(None) => {}
                Err(error) => return Err(ClientError::Malformed(error.to_string())),
            }
            match timeout(self.quiet_max, piece(&mut self.body)).await {
                Ok(Some(Ok(piece))) => self.records.feed(&piece),
                Ok(Some(Err(error))) => return Err(lost(&error.to_string())),
                Ok(None) => return Err(lost("it ended the stream of events")),
                Err(_) => return Err(lost("it says nothing any more")),
            }
        }
    }
}
