use super::{Forward, MESSAGE_BYTES_MAX, Responder, Response, Transport};
use server_kit::Listener;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connections at the same time: who comes beyond them waits in the backlog.
const CONNECTIONS_MAX: usize = 512;
/// How long a peer may take for a question, or for taking an answer.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Answers until `stop`.
pub(crate) async fn serve(
    listener: Listener,
    responder: Arc<Responder>,
    forward: Option<Arc<Forward>>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Some(Ok(seat)) = stop.run_until_cancelled(seats.clone().acquire_owned()).await
        && let Some((socket, peer)) = listener.accept(&stop).await
    {
        let (responder, forward, stop) = (responder.clone(), forward.clone(), stop.clone());
        tasks.spawn(async move {
            let serving = connection(socket, &responder, forward.as_deref());
            if let Some(Err(error)) = stop.run_until_cancelled(serving).await {
                tracing::debug!(%peer, %error, "a connection ended");
            }
            drop(seat);
        });
    }
}

/// Answers one question after the other, each within its time.
async fn connection(
    mut socket: TcpStream,
    responder: &Responder,
    forward: Option<&Forward>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut question = Vec::new();
    loop {
        if !timeout(TIME_MAX, read(&mut socket, &mut question)).await?? {
            return Ok(());
        }
        let answer = match responder.respond(&question, Transport::Tcp) {
            Response::Answer(answer) => Some(answer),
            Response::Forward => match forward.zip(forward.and_then(Forward::turn)) {
                Some((forward, _turn)) => {
                    responder.metrics.non_mesos_forwarded.inc();
                    let answer = forward.ask(&question, Transport::Tcp).await;
                    answer.or_else(|| responder.failed(&question))
                }
                None => responder.failed(&question),
            },
            Response::Nothing => None,
        };
        let Some(answer) = answer else {
            return Ok(());
        };
        timeout(TIME_MAX, socket.write_all(&framed(&answer))).await??;
    }
}

/// A message with its length.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let mut framed = Vec::with_capacity(message.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// Reads the next message; there is none at the end of the connection.
pub(super) async fn read(socket: &mut TcpStream, message: &mut Vec<u8>) -> io::Result<bool> {
    let mut length = [0; 2];
    match socket.read_exact(&mut length).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        read => read?,
    };
    let length = usize::from(u16::from_be_bytes(length)).min(MESSAGE_BYTES_MAX);
    message.clear();
    // It grows as bytes arrive.
    let read = socket.take(length as u64).read_to_end(message).await?;
    match read == length {
        true => Ok(true),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
