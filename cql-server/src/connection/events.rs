//! What a client registered for, as it happens.

use crate::{
    engine::SchemaChange,
    handlers::Client,
    wire::{envelope::Envelope, request::events::SCHEMA_CHANGE, response::Event},
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// The stream of what nobody asked for.
const STREAM: i16 = -1;

type Next = Pin<Box<dyn Future<Output = (Result<SchemaChange, RecvError>, Receiver<SchemaChange>)> + Send>>;

/// The events of one connection: nothing until it registers.
#[derive(Default)]
pub(super) struct Events {
    next: Option<Next>,
}

impl Events {
    /// The next event, where there is one.
    pub(super) fn poll(&mut self, task: &mut Context<'_>, client: &Client) -> Option<Envelope> {
        if client.asked_for(SCHEMA_CHANGE) && self.next.is_none() {
            self.next = client.take_changes().map(receive);
        }
        loop {
            let Poll::Ready((received, changes)) = self.next.as_mut()?.as_mut().poll(task) else {
                return None;
            };
            match received {
                Ok(change) => {
                    self.next = Some(receive(changes));
                    let version = client.version();
                    if let Some(message) = Event::Schema(change).message(version) {
                        return Some(message.into_envelope(version, STREAM));
                    }
                }
                // Who is that far behind learns of the newest schema by its version.
                Err(RecvError::Lagged(_)) => self.next = Some(receive(changes)),
                Err(RecvError::Closed) => self.next = None,
            }
        }
    }
}

fn receive(mut changes: Receiver<SchemaChange>) -> Next {
    Box::pin(async move { (changes.recv().await, changes) })
}
