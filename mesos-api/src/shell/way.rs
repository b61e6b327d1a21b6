use super::master::{Joined, MasterHandle};
use crate::{
    core::link::{ToAgent, ToMaster},
    wire::link::{self, Received},
};
use std::{future::Future, pin::Pin, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Messages that may wait on either side of a connection.
const WAITING_MAX: usize = 4096;
/// How long a master may take to answer an agent that connects.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Between two attempts to connect.
const RETRY: Duration = Duration::from_secs(1);
/// Lines of an answer's head at the most.
const HEAD_LINES_MAX: usize = 64;

/// Where an agent's master is.
#[derive(Clone)]
pub(crate) enum Whereabouts {
    /// In this process.
    Here(MasterHandle),
    /// Listening at `host:port`.
    There {
        address: String,
        tasks: TaskTracker,
        stop: CancellationToken,
    },
}

/// What an agent hears.
pub(crate) enum News {
    /// It can tell a master something.
    Connected,
    Message(ToAgent),
    /// The master is out of hearing; it is looked for.
    Lost,
}

/// An agent's way to its master, looked for wherever it is lost.
pub(crate) struct Way {
    whereabouts: Whereabouts,
    now: State,
}

enum State {
    Seeking(Pin<Box<dyn Future<Output = Joined> + Send>>),
    Found(Joined),
}

impl Way {
    pub(crate) fn to(whereabouts: Whereabouts) -> Self {
        let now = State::Seeking(Box::pin(seek(whereabouts.clone())));
        Way { whereabouts, now }
    }

    /// What comes next. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> News {
        match &mut self.now {
            State::Seeking(seeking) => {
                self.now = State::Found(seeking.await);
                News::Connected
            }
            State::Found(joined) => match joined.messages.recv().await {
                Some(message) => News::Message(message),
                None => {
                    let whereabouts = self.whereabouts.clone();
                    self.now = State::Seeking(Box::pin(async {
                        sleep(RETRY).await;
                        seek(whereabouts).await
                    }));
                    News::Lost
                }
            },
        }
    }

    /// Tells the master, if it can hear; what matters is told again.
    pub(crate) fn say(&self, message: ToMaster) {
        if let State::Found(joined) = &self.now {
            joined.say(message);
        }
    }
}

async fn seek(whereabouts: Whereabouts) -> Joined {
    match whereabouts {
        Whereabouts::Here(master) => match master.join().await {
            Ok(joined) => joined,
            // It stops, and so does all of this process.
            Err(_) => std::future::pending().await,
        },
        Whereabouts::There { address, tasks, stop } => loop {
            match timeout(ANSWER_MAX, connect(&address)).await {
                Ok(Ok(socket)) => {
                    let (said, says) = mpsc::channel(WAITING_MAX);
                    let (tells, told) = mpsc::channel(WAITING_MAX);
                    let ends = stop.clone();
                    tasks.spawn(async move { ends.run_until_cancelled(carry(socket, says, tells)).await });
                    return Joined::remote(said, told);
                }
                Ok(Err(why)) => tracing::info!(address, why, "no master yet"),
                Err(_) => tracing::info!(address, "the master does not answer"),
            }
            sleep(RETRY).await;
        },
    }
}

/// Connects to a master, or to the leading one that it names.
async fn connect(address: &str) -> Result<BufReader<TcpStream>, String> {
    let mut address = address.to_owned();
    for _ in 0..2 {
        let failed = |error: std::io::Error| error.to_string();
        let socket = TcpStream::connect(&address).await.map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        let mut socket = BufReader::new(socket);
        let ask = link::upgrade_request(&address);
        socket.write_all(ask.as_bytes()).await.map_err(failed)?;
        let mut lines = Vec::new();
        while lines.len() < HEAD_LINES_MAX {
            let mut line = String::new();
            socket.read_line(&mut line).await.map_err(failed)?;
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let status = lines.first().cloned().unwrap_or_default();
        if status.contains(" 101 ") {
            return Ok(socket);
        }
        let leader = lines.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("location").then(|| value.to_owned())
        });
        let leader = leader.and_then(|to| Some(to.trim_start_matches("//").split('/').next()?.to_owned()));
        address = leader.ok_or_else(|| format!("the master answers: {status}"))?;
    }
    Err("the leading master is not the one that is named".to_owned())
}

/// Carries records between a connection and the two ends of it that are in this process, until either ends.
pub(crate) async fn carry<Socket, Sent, Got>(
    socket: Socket,
    mut outgoing: mpsc::Receiver<Sent>,
    incoming: mpsc::Sender<Got>,
) where
    Socket: AsyncRead + AsyncWrite + Unpin,
    Sent: serde::Serialize,
    Got: serde::de::DeserializeOwned,
{
    let (mut reader, mut writer) = tokio::io::split(socket);
    let reading = async {
        let mut received = Received::default();
        while let Ok(Some(message)) = received.next(&mut reader).await {
            if incoming.send(message).await.is_err() {
                return;
            }
        }
    };
    let writing = async {
        while let Some(message) = outgoing.recv().await {
            let record = link::record(&message);
            if writer.write_all(&record).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}
