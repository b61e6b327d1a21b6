//! What is said to the master, one after the other: their order is part of what they mean.

use mesos_client::{ClientError, Framework};
use mesos_proto::v1::scheduler::Call;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Calls that may wait. What does not fit is not said: after the end of the stream that follows, the master is asked.
const CALLS_MAX: usize = 65_536;

/// The way to the master.
pub(super) struct Calls(mpsc::Sender<Call>);

impl Calls {
    /// Says what it is given until `stop`.
    pub(super) fn start(framework: Framework, stop: CancellationToken) -> Self {
        let (say, mut said) = mpsc::channel::<Call>(CALLS_MAX);
        let saying = async move {
            while let Some(call) = said.recv().await {
                let kind = call.r#type();
                match framework.call(call).await {
                    Ok(()) => {}
                    // Whatever it was about is asked for after the next subscription.
                    Err(ClientError::NotSubscribed) => tracing::debug!(?kind, "not said: not subscribed"),
                    Err(error) => tracing::warn!(?kind, %error, "the master was not told"),
                }
            }
        };
        tokio::spawn(async move { stop.run_until_cancelled(saying).await });
        Calls(say)
    }

    pub(super) fn say(&self, call: Call) {
        if self.0.try_send(call).is_err() {
            tracing::warn!("the master does not take what it is told");
        }
    }
}
