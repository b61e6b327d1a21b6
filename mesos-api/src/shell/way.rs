use super::master::{Joined, MasterHandle};
use crate::{
    core::link::{ToAgent, ToMaster},
    wire::link::{self, Received},
};
use mesos_proto::masters::Address;
use std::{future::Future, pin::Pin, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

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
    /// In this process, or where the master in this process says.
    Here(MasterHandle),
    /// There, or where the master that listens there says.
    There(Address),
    /// Wherever ZooKeeper says, which somebody follows.
    Led(watch::Receiver<Option<Address>>),
}

impl Whereabouts {
    /// The way to the master that leads now, if it is known and answers.
    async fn join(&mut self) -> Option<Joined> {
        let leader = match self {
            Whereabouts::Here(master) => {
                master.looked_at();
                match master.elsewhere() {
                    None => return master.join().await.ok(),
                    Some(leader) => leader,
                }
            }
            Whereabouts::There(address) => Some(address.clone()),
            Whereabouts::Led(leader) => leader.borrow_and_update().clone(),
        };
        let Some(address) = leader else {
            tracing::info!("no master leads");
            return None;
        };
        match timeout(ANSWER_MAX, connect(&address)).await {
            Ok(Ok(socket)) => {
                let (said, says) = mpsc::channel(WAITING_MAX);
                let (tells, told) = mpsc::channel(WAITING_MAX);
                // It ends when the agent no longer listens.
                tokio::spawn(carry(socket, says, tells));
                return Some(Joined::remote(said, told));
            }
            Ok(Err(why)) => tracing::info!(%address, why, "no master yet"),
            Err(_) => tracing::info!(%address, "the master does not answer"),
        }
        None
    }

    /// Answers when another master may lead than the one that was joined last.
    async fn moved(&mut self) {
        let told = match self {
            Whereabouts::Here(master) => return master.moved().await,
            Whereabouts::There(_) => false,
            Whereabouts::Led(leader) => leader.changed().await.is_ok(),
        };
        if !told {
            std::future::pending::<()>().await;
        }
    }
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
    Seeking(Seeking),
    Found(Joined),
}

type Seeking = Pin<Box<dyn Future<Output = (Joined, Whereabouts)> + Send>>;

impl Way {
    pub(crate) fn to(whereabouts: Whereabouts) -> Self {
        let now = State::Seeking(seek(whereabouts.clone(), false));
        Way { whereabouts, now }
    }

    /// What comes next. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> News {
        match &mut self.now {
            State::Seeking(seeking) => {
                let (joined, whereabouts) = seeking.await;
                self.whereabouts = whereabouts;
                self.now = State::Found(joined);
                News::Connected
            }
            State::Found(joined) => {
                let message = tokio::select! {
                    message = joined.messages.recv() => message,
                    () = self.whereabouts.moved() => None,
                };
                if let Some(message) = message {
                    return News::Message(message);
                }
                self.now = State::Seeking(seek(self.whereabouts.clone(), true));
                News::Lost
            }
        }
    }

    /// Tells the master, if it can hear. One that is behind is left, and told everything as if it were a new one: nothing
    /// that was said to it is missed so.
    pub(crate) fn say(&mut self, message: ToMaster) {
        if let State::Found(joined) = &self.now
            && !joined.say(message)
        {
            tracing::warn!("the master does not take what the agent says; the agent comes back to it");
            self.now = State::Seeking(seek(self.whereabouts.clone(), true));
        }
    }
}

/// Looks for the master that leads for as long as it takes; at first after a pause, where one was just lost.
fn seek(mut whereabouts: Whereabouts, lost: bool) -> Seeking {
    Box::pin(async move {
        if lost {
            sleep(RETRY).await;
        }
        loop {
            if let Some(joined) = whereabouts.join().await {
                return (joined, whereabouts);
            }
            tokio::select! {
                () = sleep(RETRY) => {}
                () = whereabouts.moved() => {}
            }
        }
    })
}

/// Connects to a master, or to the leading one that it names.
async fn connect(address: &Address) -> Result<BufReader<TcpStream>, String> {
    let mut address = address.clone();
    for _ in 0..2 {
        let failed = |error: std::io::Error| error.to_string();
        let socket = TcpStream::connect((address.host.as_str(), address.port))
            .await
            .map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        let mut socket = BufReader::new(socket);
        let ask = link::upgrade_request(&address.to_string());
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
        let leader = leader.and_then(|to| Address::of_location(&to));
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
