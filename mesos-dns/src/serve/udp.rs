use super::{Forward, Responder, Response, Transport};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::UdpSocket, task::yield_now, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Bytes of a question at the most: one with more says more of its asker than anybody wants to know.
const QUESTION_BYTES_MAX: usize = 4096;
/// Questions that are answered before others have their turn.
const TURN: usize = 128;
/// Pause after the socket failed: the cause seldom ends at once.
const PAUSE: Duration = Duration::from_millis(10);

/// Answers until `stop`.
pub(crate) async fn serve(
    socket: Arc<UdpSocket>,
    responder: Arc<Responder>,
    forward: Option<Arc<Forward>>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let serving = async {
        let mut question = vec![0; QUESTION_BYTES_MAX];
        loop {
            if let Err(error) = socket.readable().await {
                tracing::warn!(%error, "questions cannot be received");
                sleep(PAUSE).await;
                continue;
            }
            for _ in 0..TURN {
                let (length, asker) = match socket.try_recv_from(&mut question) {
                    Ok(received) => received,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An asker that is gone is told of here; the socket is as sound as before.
                    Err(error) => {
                        tracing::debug!(%error, "a question was not received");
                        continue;
                    }
                };
                let question = &question[..length];
                match responder.respond(question, Transport::Udp) {
                    Response::Answer(answer) => send(&socket, &answer, asker).await,
                    Response::Forward => {
                        if let Some(forward) = &forward {
                            forwarded(&socket, &responder, forward, &tasks, question, asker).await;
                        }
                    }
                    Response::Nothing => {}
                }
            }
            yield_now().await;
        }
    };
    stop.run_until_cancelled(serving).await;
}

/// Sends an answer. Who cannot be reached asks again.
async fn send(socket: &UdpSocket, answer: &[u8], asker: SocketAddr) {
    let sent = match socket.try_send_to(answer, asker) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.send_to(answer, asker).await,
        sent => sent,
    };
    if let Err(error) = sent {
        tracing::debug!(%asker, %error, "an answer was not sent");
    }
}

/// Has others answer a question, if they are not asked too much at the moment.
async fn forwarded(
    socket: &Arc<UdpSocket>,
    responder: &Arc<Responder>,
    forward: &Arc<Forward>,
    tasks: &TaskTracker,
    question: &[u8],
    asker: SocketAddr,
) {
    let Some(turn) = forward.turn() else {
        if let Some(answer) = responder.failed(question) {
            send(socket, &answer, asker).await;
        }
        return;
    };
    responder.metrics.non_mesos_forwarded.inc();
    let (socket, responder, question) = (socket.clone(), responder.clone(), question.to_vec());
    let forward = forward.clone();
    tasks.spawn(async move {
        let answer = forward.ask(&question, Transport::Udp).await;
        let answer = answer.or_else(|| responder.failed(&question));
        if let Some(answer) = answer {
            send(&socket, &answer, asker).await;
        }
        drop(turn);
    });
}
