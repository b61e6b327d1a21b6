use super::{Driver, Listener};
use crate::{
    chance,
    core::{
        Core, Status,
        executor::{Callback, Executor, Started},
    },
    machine,
    master::{Address, Location},
};
use mesos_proto::v1::TaskStatus;
use prost::Message;
use std::{io, sync::Arc, time::Duration};

/// How long a stop waits until the agent heard what was said before.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

impl Driver<Executor> {
    pub(crate) fn of_executor(
        started: Started,
        authorization: Option<String>,
        listener: Box<dyn Listener<Callback>>,
    ) -> io::Result<Arc<Self>> {
        Driver::new(Executor::new(started), authorization, listener)
    }

    /// Starts to look for the agent at an address.
    pub(crate) fn start(self: &Arc<Self>, agent: &str) -> Status {
        let place = Address::parse(agent).map(Location::At);
        self.begin(place, &format!("Cannot find the agent at '{agent}'"))
    }

    /// Ends the driver, after what was said before was sent.
    pub(crate) fn stop(&self) -> Status {
        self.outbox.flush(STOP_PATIENCE);
        let status = self.state.lock().core.end();
        self.cut();
        status
    }

    /// The executor tells how a task is.
    pub(crate) fn update(&self, status: TaskStatus) -> Status {
        let (uuid, seconds) = (chance::uuid().into_bytes(), machine::seconds());
        let updated = self.state.lock().core.update(status, uuid, seconds);
        match updated {
            Ok(call) => self.send(call.map(|call| call.encode_to_vec())),
            Err(why) => self.fail(why),
        }
        self.status()
    }

    /// The executor has something for its framework's scheduler.
    pub(crate) fn message(&self, data: Vec<u8>) -> Status {
        let call = self.state.lock().core.message(data);
        self.send(call.map(|call| call.encode_to_vec()));
        self.status()
    }

    fn send(&self, call: Option<Vec<u8>>) {
        if let Some(call) = call {
            self.outbox.call(call);
        }
    }
}
