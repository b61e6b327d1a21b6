use super::{
    Transport,
    tcp::{framed, read},
};
use server_kit::Random;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Questions that other name servers are asked at the same time.
const QUESTIONS_MAX: usize = 512;
/// Bytes of an answer over UDP at the most.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Other name servers.
pub(crate) struct Forward {
    servers: Vec<SocketAddr>,
    patience: Duration,
    random: Arc<Random>,
    turns: Arc<Semaphore>,
}

impl Forward {
    pub(crate) fn to(servers: Vec<SocketAddr>, patience: Duration, random: Arc<Random>) -> Self {
        Forward {
            servers,
            patience,
            random,
            turns: Arc::new(Semaphore::new(QUESTIONS_MAX)),
        }
    }

    /// The right to ask; none while too much is asked.
    pub(crate) fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.turns.clone().try_acquire_owned().ok()
    }

    /// What the first of the servers answers that does, under the question's own number.
    pub(crate) async fn ask(&self, question: &[u8], transport: Transport) -> Option<Vec<u8>> {
        for server in &self.servers {
            let mut own = question.to_vec();
            // Who wants to answer in a server's place has to guess this, and the port.
            let number = self.random.next_u64().to_be_bytes();
            own.get_mut(..2)?.copy_from_slice(&number[..2]);
            let asking = async {
                match transport {
                    Transport::Udp => over_udp(*server, &own).await,
                    Transport::Tcp => over_tcp(*server, &own).await,
                }
            };
            match timeout(self.patience, asking).await {
                Ok(Ok(mut answer)) => {
                    answer.get_mut(..2)?.copy_from_slice(question.get(..2)?);
                    return Some(answer);
                }
                Ok(Err(error)) => tracing::debug!(%server, %error, "a name server does not answer"),
                Err(_) => tracing::debug!(%server, "a name server does not answer in time"),
            }
        }
        None
    }
}

/// Whether a message answers a question: both have its number, and its text.
fn answers(question: &[u8], message: &[u8]) -> bool {
    const HEAD: usize = 12;
    let is_answer = message.get(2).is_some_and(|flags| flags & 0x80 != 0);
    let asked = |bytes: &[u8]| {
        let name = bytes.get(HEAD..)?;
        let end = name.iter().position(|byte| *byte == 0)?;
        name.get(..end + 5).map(<[u8]>::to_ascii_lowercase)
    };
    is_answer && message.get(..2) == question.get(..2) && asked(question) == asked(message)
}

async fn over_udp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let own = match server {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    loop {
        let length = socket.recv(&mut answer).await?;
        if answers(question, &answer[..length]) {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(server).await?;
    socket.write_all(&framed(question)).await?;
    let mut answer = Vec::new();
    match read(&mut socket, &mut answer).await? && answers(question, &answer) {
        true => Ok(answer),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}
