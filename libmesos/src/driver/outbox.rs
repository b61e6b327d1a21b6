use crate::{
    api::{ApiError, Caller},
    log,
};
use std::{
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

/// Calls that may wait; who asks for more waits with them.
const CALLS_MAX: usize = 1024;

/// What is done about a call that was not accepted.
pub(crate) type NotAccepted = Box<dyn Fn(&[u8], &ApiError) + Send>;

enum Letter {
    /// Calls go here from now on, or nowhere.
    To(Option<(Box<Caller>, NotAccepted)>),
    Call(Vec<u8>),
    /// Say when everything before this was sent.
    Flush(SyncSender<()>),
}

/// Sends calls in their order from a thread of its own, so that nobody waits for the network.
#[derive(Debug, Clone)]
pub(crate) struct Outbox(SyncSender<Letter>);

impl Outbox {
    /// Starts to send; ends with its last clone.
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let (letters, inbox) = sync_channel(CALLS_MAX);
        thread::Builder::new()
            .name(format!("{name}-calls"))
            .spawn(move || send(&inbox))?;
        Ok(Outbox(letters))
    }

    pub(crate) fn open(&self, caller: Caller, not_accepted: NotAccepted) {
        self.put(Letter::To(Some((Box::new(caller), not_accepted))));
    }

    /// What is put in from now on is dropped.
    pub(crate) fn close(&self) {
        self.put(Letter::To(None));
    }

    pub(crate) fn call(&self, call: Vec<u8>) {
        self.put(Letter::Call(call));
    }

    /// Waits until what was put in was sent, but not for long.
    pub(crate) fn flush(&self, patience: Duration) {
        let (done, wait) = sync_channel(1);
        self.put(Letter::Flush(done));
        let _ = wait.recv_timeout(patience);
    }

    fn put(&self, letter: Letter) {
        // The thread lives as long as its letters' sender.
        let _ = self.0.send(letter);
    }
}

fn send(inbox: &Receiver<Letter>) {
    let mut to = None;
    while let Ok(letter) = inbox.recv() {
        match letter {
            Letter::To(caller) => to = caller,
            Letter::Flush(done) => {
                // Who waited may be gone.
                let _ = done.try_send(());
            }
            Letter::Call(call) => {
                let Some((caller, not_accepted)) = &mut to else {
                    continue;
                };
                if let Err(error) = caller.call(&call) {
                    log::warning(format_args!("a call was not accepted: {error}"));
                    not_accepted(&call, &error);
                    if !matches!(error, ApiError::Refused { .. }) {
                        // Nobody is there. What follows would not be heard either, and is dropped until somebody is.
                        to = None;
                    }
                }
            }
        }
    }
}
