use super::{Driver, Listener};
use crate::{
    core::{
        Core,
        library::{Callback, Library},
    },
    log,
    master::Location,
};
use mesos_proto::v1::{FrameworkInfo, scheduler::Call};
use prost::Message;
use std::{io, sync::Arc, time::Duration};

/// How long a driver that ends waits until the master heard of it.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

impl Driver<Library> {
    pub(crate) fn of_library(
        driver_of: Option<FrameworkInfo>,
        authorization: Option<String>,
        listener: Box<dyn Listener<Callback>>,
    ) -> io::Result<Arc<Self>> {
        Driver::new(Library::new(driver_of), authorization, listener)
    }

    /// Starts to look for the master.
    pub(crate) fn start(self: &Arc<Self>, master: Location) {
        self.begin(Ok(master), "Failed to create a master detector");
    }

    /// The framework says something. What cannot be said now is dropped.
    pub(crate) fn send(&self, call: Call) {
        let (sent, runs) = {
            let mut state = self.state.lock();
            (state.core.send(call), state.core.runs())
        };
        self.changed.notify_all();
        match sent {
            Ok(Some(call)) => self.outbox.call(call.encode_to_vec()),
            Ok(None) => {}
            Err(why) => log::warning(format_args!("a call is dropped: {why}")),
        }
        if !runs {
            self.outbox.flush(STOP_PATIENCE);
            self.cut();
        }
    }

    /// The framework does not believe that its master is still there.
    pub(crate) fn reconnect(&self) {
        if self.state.lock().core.is_connected() {
            self.cut();
        }
    }
}
