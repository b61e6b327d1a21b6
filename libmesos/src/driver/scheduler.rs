use super::{Driver, Listener};
use crate::{
    core::{
        Core, Status,
        scheduler::{Callback, Scheduler, Subscription},
    },
    master::Location,
};
use mesos_proto::v1::scheduler::Call;
use prost::Message;
use std::{io, sync::Arc, time::Duration};

/// How long a stop waits until the master heard of it.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

impl Driver<Scheduler> {
    pub(crate) fn of_scheduler(
        subscription: Subscription,
        authorization: Option<String>,
        listener: Box<dyn Listener<Callback>>,
    ) -> io::Result<Arc<Self>> {
        Driver::new(Scheduler::new(subscription), authorization, listener)
    }

    /// Starts to look for the master of that name.
    pub(crate) fn start(self: &Arc<Self>, master: &str) -> Status {
        let failure = format!("Failed to create a master detector for '{master}'");
        self.begin(Location::parse(master), &failure)
    }

    /// Ends the driver; without `failover` the framework with it, which the master hears before this returns.
    pub(crate) fn stop(&self, failover: bool) -> Status {
        let (status, call) = self.state.lock().core.stop(failover);
        if let Some(call) = call {
            self.outbox.call(call.encode_to_vec());
            self.outbox.flush(STOP_PATIENCE);
        }
        self.cut();
        status
    }

    /// The framework wants something of the master.
    pub(crate) fn ask(&self, call: Call) -> Status {
        let (status, call) = {
            let mut state = self.state.lock();
            let asked = state.core.ask(call);
            state.pending.extend(asked.callbacks);
            (state.core.status(), asked.call)
        };
        self.changed.notify_all();
        if let Some(call) = call {
            self.outbox.call(call.encode_to_vec());
        }
        status
    }

    /// Whether statuses are acknowledged for the framework.
    pub(crate) fn acknowledges_for_it(&self) -> bool {
        self.state.lock().core.acknowledges_for_it()
    }
}
