//! What goes into and comes out of a container that lasts as long as a connection.
//!
//! Knows: pipes, and who is attached to them. Never: what the bytes mean, or how they are sent.

use parking_lot::Mutex;
use std::{io, os::fd::OwnedFd, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
    sync::{Mutex as Turn, OwnedMutexGuard, mpsc, watch},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Bytes of one piece of output at the most.
const PIECE_BYTES_MAX: usize = 16 << 10;
/// Pieces that may wait for who reads them: the process waits then.
const PIECES_MAX: usize = 16;
/// How long one who is attached may take nothing before it is left behind.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

/// Those who are attached, until there is nothing more to hear.
type Listeners = Arc<Mutex<Option<Vec<mpsc::Sender<Output>>>>>;

/// The ends of a session's pipes that the agent has.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// The way to a session. It is over when its output has ended.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    listeners: Listeners,
    /// Somebody has attached: what is written is read only then, so that nothing of it is lost.
    heard: watch::Sender<bool>,
    /// Locked by whoever writes to the process; nothing, once nothing more is to come.
    input: Arc<Turn<Option<pipe::Sender>>>,
    stop: CancellationToken,
}

impl Session {
    /// Carries what a process writes to whoever is attached. Within a runtime.
    pub(super) fn begin(pipes: Pipes, stop: CancellationToken) -> io::Result<Self> {
        let (heard, _) = watch::channel(false);
        let session = Session {
            listeners: Arc::new(Mutex::new(Some(Vec::new()))),
            heard,
            input: Arc::new(Turn::new(Some(pipe::Sender::from_owned_fd(pipes.stdin)?))),
            stop,
        };
        let stdout = pipe::Receiver::from_owned_fd(pipes.stdout)?;
        let stderr = pipe::Receiver::from_owned_fd(pipes.stderr)?;
        let (listeners, mut heard) = (session.listeners.clone(), session.heard.subscribe());
        tokio::spawn(async move {
            if heard.wait_for(|heard| *heard).await.is_err() {
                return;
            }
            tokio::join!(
                carry(stdout, &listeners, Output::Stdout),
                carry(stderr, &listeners, Output::Stderr)
            );
            // Whoever is attached sees the end by this; whoever comes later does at once.
            listeners.lock().take();
        });
        Ok(session)
    }

    /// What is written from now on.
    pub(crate) fn attach(&self) -> mpsc::Receiver<Output> {
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        if let Some(listeners) = &mut *self.listeners.lock() {
            listeners.push(sender);
        }
        self.heard.send_replace(true);
        receiver
    }

    /// For whoever wanted the session.
    pub(super) fn held(&self) -> Held {
        Held {
            session: self.clone(),
            _ends: self.stop.clone().drop_guard(),
        }
    }

    /// The way in, which one at a time has.
    pub(crate) fn input(&self) -> Option<Input> {
        self.input.clone().try_lock_owned().ok().map(Input)
    }
}

/// A session that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    session: Session,
    _ends: DropGuard,
}

impl Held {
    pub(crate) fn attach(&self) -> mpsc::Receiver<Output> {
        self.session.attach()
    }
}

async fn carry(mut from: pipe::Receiver, to: &Listeners, of: fn(Vec<u8>) -> Output) {
    let mut piece = vec![0; PIECE_BYTES_MAX];
    loop {
        let read = match from.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        let now = to.lock().clone();
        for listener in now.into_iter().flatten() {
            let sent = listener
                .send_timeout(of(piece[..read].to_vec()), SILENCE_MAX)
                .await;
            if sent.is_err() {
                let mut all = to.lock();
                all.iter_mut()
                    .for_each(|all| all.retain(|one| !one.same_channel(&listener)));
            }
        }
    }
}

/// Writes to a process for as long as it is held. Who comes next goes on, also where one left in the middle of a write.
#[derive(Debug)]
pub(crate) struct Input(OwnedMutexGuard<Option<pipe::Sender>>);

impl Input {
    /// Writes all of it, or fails where nobody reads any more.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let pipe = self.0.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let written = pipe.write_all(bytes).await;
        if written.is_err() {
            self.end();
        }
        written
    }

    /// Nothing more is to come.
    pub(crate) fn end(&mut self) {
        self.0.take();
    }
}

#[cfg(test)]
mod tests;
