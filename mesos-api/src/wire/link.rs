use bytes::Bytes;
use mesos_proto::recordio::{self, Decoder};
use serde::{Serialize, de::DeserializeOwned};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Where agents connect to a master, and what the connection becomes then: records of JSON in both directions.
pub(crate) const PATH: &str = "/smack/v1/agent";
pub(crate) const PROTOCOL: &str = "smack-mesos-agent-1";

/// Bytes of one message at the most: an agent that comes back tells of all that it runs at once.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Read at a time.
const READ_BYTES: usize = 64 << 10;

/// What an agent asks of a master's HTTP port.
pub(crate) fn upgrade_request(host: &str) -> String {
    format!("POST {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: {PROTOCOL}\r\n\r\n")
}

/// A message as a record.
pub(crate) fn record(message: &impl Serialize) -> Bytes {
    // Messages have no keys that are not text, which alone could fail.
    recordio::encode(&serde_json::to_vec(message).unwrap_or_default())
}

/// Messages of a connection.
pub(crate) struct Received {
    decoder: Decoder,
    buffer: Vec<u8>,
}

impl Default for Received {
    fn default() -> Self {
        Received {
            decoder: Decoder::new(MESSAGE_BYTES_MAX),
            buffer: vec![0; READ_BYTES],
        }
    }
}

impl Received {
    /// The next message; none at the end.
    pub(crate) async fn next<T: DeserializeOwned>(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<T>> {
        let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        loop {
            let record = self.decoder.next_record().map_err(|why| wrong(why.to_string()))?;
            if let Some(record) = record {
                let message = serde_json::from_slice(&record).map_err(|why| wrong(why.to_string()))?;
                return Ok(Some(message));
            }
            let bytes = from.read(&mut self.buffer).await?;
            if bytes == 0 {
                return Ok(None);
            }
            self.decoder.feed(&self.buffer[..bytes]);
        }
    }
}
