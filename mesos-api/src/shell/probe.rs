//! Looks at tasks as their checks ask for it: by a command in the sandbox, a request, a connection.

use super::process::{Place, start_tied};
use crate::core::agent::{Asks, Ended, Probe, Probed, Run};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::Semaphore, task::spawn_blocking, time::timeout};
use tokio_util::sync::CancellationToken;
use ureq::{Agent, tls::TlsConfig};

/// Requests under way: each has a thread to itself.
const REQUESTS_MAX: usize = 64;
/// Redirects that are followed: what curl follows, which the original asks.
const REDIRECTS_MAX: u32 = 50;
/// How long a look takes at the most where nobody bounds it.
const LOOK_MAX: Duration = Duration::from_secs(86_400);
/// How long a request takes at the most: silent servers must not keep all the threads.
const REQUEST_MAX: Duration = Duration::from_secs(60);

/// Who looks.
#[derive(Debug, Clone)]
pub(super) struct Prober {
    place: Arc<Place>,
    requests: Arc<Semaphore>,
}

impl Prober {
    pub(super) fn new(place: Arc<Place>) -> Self {
        Prober {
            place,
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
        }
    }

    /// Takes one look, which ends early where nobody wants to know any more.
    pub(super) async fn look(&self, probe: Probe, stop: &CancellationToken) -> Probed {
        let most = probe.timeout.unwrap_or(LOOK_MAX);
        match probe.asks {
            Asks::Command(run) => self.command(*run, most, stop).await,
            Asks::Http { url } => self.http(url, most.min(REQUEST_MAX), stop).await,
            Asks::Tcp { host, port } => tcp(host, port, most).await,
        }
    }

    async fn command(&self, run: Run, most: Duration, stop: &CancellationToken) -> Probed {
        let place = self.place.clone();
        let mut process = match spawn_blocking(move || start_tied(&run, &place)).await {
            Ok(Ok(process)) => process,
            Ok(Err(error)) => return Probed::Nothing(format!("Failed to create subprocess: {error}")),
            Err(_) => return Probed::Nothing("The agent is stopping".to_owned()),
        };
        let ended = stop.run_until_cancelled(timeout(most, process.ended())).await;
        process.end().await.ok();
        match ended {
            Some(Ok(Ok(Ended::Exited(code)))) => Probed::Exited(code),
            Some(Ok(Ok(Ended::OutOfMemory))) => Probed::Nothing("Memory limit exceeded".to_owned()),
            Some(Ok(Ok(Ended::Signalled(signal)))) => {
                Probed::Nothing(format!("Command terminated with signal {signal}"))
            }
            Some(Ok(Err(_))) | None => Probed::Nothing("Failed to reap the command process".to_owned()),
            Some(Err(_)) => Probed::Nothing(format!("Command timed out after {}secs", most.as_secs_f64())),
        }
    }

    async fn http(&self, url: String, most: Duration, stop: &CancellationToken) -> Probed {
        let turn = timeout(most, self.requests.clone().acquire_owned());
        let turn = match stop.run_until_cancelled(turn).await {
            Some(Ok(Ok(turn))) => turn,
            Some(Err(_)) => {
                let why = format!("HTTP request timed out after {}secs", most.as_secs_f64());
                return Probed::Nothing(why);
            }
            Some(Ok(Err(_))) | None => return Probed::Nothing("The agent is stopping".to_owned()),
        };
        let asked = spawn_blocking(move || {
            let _turn = turn;
            request(&url, most)
        });
        match stop.run_until_cancelled(asked).await {
            Some(Ok(found)) => found,
            Some(Err(_)) | None => Probed::Nothing("The agent is stopping".to_owned()),
        }
    }
}

fn request(url: &str, most: Duration) -> Probed {
    // Who listens is the task itself, whatever certificate it has made for itself.
    let anybody = TlsConfig::builder()
        .disable_verification(true)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let agent: Agent = Agent::config_builder()
        .tls_config(anybody)
        .timeout_global(Some(most))
        .max_redirects(REDIRECTS_MAX)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent("smack")
        .build()
        .into();
    match agent.get(url).call() {
        Ok(answer) => Probed::Answered(answer.status().as_u16()),
        Err(error) => Probed::Nothing(error.to_string()),
    }
}

async fn tcp(host: &str, port: u32, most: Duration) -> Probed {
    let Ok(port) = u16::try_from(port) else {
        return Probed::Connected(false);
    };
    match timeout(most, TcpStream::connect((host, port))).await {
        Ok(connected) => Probed::Connected(connected.is_ok()),
        Err(_) => Probed::Nothing(format!(
            "TCP connection timed out after {}secs",
            most.as_secs_f64()
        )),
    }
}
