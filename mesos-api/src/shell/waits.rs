//! Who waits for a container to begin or to end, and the sessions that are open.

use super::session::{Held, Session};
use crate::core::agent::End;
use std::collections::HashMap;
use tokio::sync::oneshot;

/// A container that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The way to it, where it lasts as long as a connection. It comes with the news, as a quick one has ended before
    /// anybody could ask for it; and if nobody takes the news, it ends.
    pub(crate) session: Option<Held>,
}

#[derive(Debug, Default)]
pub(super) struct Waits {
    begun: HashMap<String, oneshot::Sender<Result<Begun, String>>>,
    over: HashMap<String, Vec<oneshot::Sender<End>>>,
    sessions: HashMap<String, Session>,
}

impl Waits {
    /// Answers once a container has begun, or could not.
    pub(super) fn for_begin(&mut self, container: &str) -> oneshot::Receiver<Result<Begun, String>> {
        let (sender, receiver) = oneshot::channel();
        self.begun.insert(container.to_owned(), sender);
        receiver
    }

    /// Answers once a container has ended.
    pub(super) fn for_end(&mut self, container: &str) -> oneshot::Receiver<End> {
        let (sender, receiver) = oneshot::channel();
        let waiting = self.over.entry(container.to_owned()).or_default();
        waiting.retain(|one| !one.is_closed());
        waiting.push(sender);
        receiver
    }

    pub(super) fn begun(&mut self, container: &str, failed: Option<String>) {
        if let Some(waits) = self.begun.remove(container) {
            let session = self.sessions.get(container).map(Session::held);
            let _ = waits.send(failed.map_or(Ok(Begun { session }), Err));
        }
    }

    pub(super) fn over(&mut self, container: &str, end: &End) {
        self.sessions.remove(container);
        for waits in self.over.remove(container).unwrap_or_default() {
            let _ = waits.send(end.clone());
        }
    }

    pub(super) fn opened(&mut self, container: String, session: Session) {
        self.sessions.insert(container, session);
    }

    pub(super) fn session(&self, container: &str) -> Option<Session> {
        self.sessions.get(container).cloned()
    }
}

#[cfg(test)]
mod tests;
