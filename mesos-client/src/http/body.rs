use crate::ClientError;
use bytes::{Bytes, BytesMut};
use hyper::{
    Response,
    body::{Body, Incoming},
};
use mesos_proto::masters::Address;
use std::{future::poll_fn, pin::Pin, time::Duration};
use tokio::time::timeout;

/// How long an answer may take to arrive as a whole.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// Bytes that are read of what a refusal says, and characters of it that are told.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
const REFUSAL_CHARS_MAX: usize = 1000;

/// The next piece of an answer, none at its end.
pub(crate) async fn piece(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await? {
            // What is no data is a trailer.
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}

/// All of an answer, up to a size. What is declared is not allocated: it grows as bytes arrive.
pub(crate) async fn all(
    of: &Address,
    response: Response<Incoming>,
    bytes_max: usize,
) -> Result<Bytes, ClientError> {
    let unreachable = |why: String| ClientError::Unreachable(of.clone(), why);
    let mut body = response.into_body();
    let reading = async {
        let mut read = BytesMut::new();
        while let Some(piece) = piece(&mut body).await {
            let piece = piece.map_err(|error| unreachable(error.to_string()))?;
            if read.len() + piece.len() > bytes_max {
                return Err(ClientError::TooLarge(bytes_max));
            }
            read.extend_from_slice(&piece);
        }
        Ok(read.freeze())
    };
    timeout(BODY_TIME_MAX, reading)
        .await
        .unwrap_or_else(|_| Err(unreachable("its answer does not end".to_owned())))
}

/// What a refusal says.
pub(crate) async fn text(of: &Address, response: Response<Incoming>) -> ClientError {
    let status = response.status().as_u16();
    let said = all(of, response, REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    ClientError::Answered(status, said.trim().chars().take(REFUSAL_CHARS_MAX).collect())
}

/// Reads an answer to its end, so that its connection can be asked again, where it says little. It has none otherwise.
pub(crate) async fn end(response: Response<Incoming>) {
    let mut body = response.into_body();
    let reading = async {
        let mut left = REFUSAL_BYTES_MAX;
        while let Some(Ok(piece)) = piece(&mut body).await {
            left = match left.checked_sub(piece.len()) {
                Some(left) => left,
                None => return,
            };
        }
    };
    // What an answer says beyond its status means nothing here.
    let _ = timeout(BODY_TIME_MAX, reading).await;
}
