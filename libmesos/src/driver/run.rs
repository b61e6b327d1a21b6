use super::{
    backoff::Backoff,
    outbox::{NotAccepted, Outbox},
};
use crate::{
    api::{ApiError, Caller, Endpoint, Stream},
    core::{Core, Refusal, Status},
    http::{Connection, Cutter},
    log,
    master::{Address, Detector, Location, NameError},
};
use parking_lot::{Condvar, Mutex};
use std::{collections::VecDeque, io, sync::Arc, thread, time::Duration};

/// Heartbeats that may be missed.
const HEARTBEATS: f64 = 5.0;
/// How often one looks whether a connection is still there on which nothing was said yet.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Runs a driver's callbacks.
pub(crate) trait Listener<Callback>: Send + Sync {
    /// Runs one; an error is one that the framework threw.
    fn tell(&self, callback: Callback) -> Result<(), Thrown>;
}

/// The framework threw an exception, which was already told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thrown;

/// A driver: its core, and the threads that do what it wants.
pub(crate) struct Driver<C: Core> {
    listener: Box<dyn Listener<C::Callback>>,
    authorization: Option<String>,
    pub(super) outbox: Outbox,
    pub(super) state: Mutex<State<C>>,
    /// Who waits looks again: the driver ended, another master leads, or there is something to tell.
    pub(super) changed: Condvar,
}

pub(super) struct State<C: Core> {
    pub(super) core: C,
    session: Option<Cutter>,
    /// What is told though nobody sent it.
    pub(super) pending: VecDeque<C::Callback>,
}

impl<C: Core> Driver<C> {
    pub(crate) fn new(
        core: C,
        authorization: Option<String>,
        listener: Box<dyn Listener<C::Callback>>,
    ) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Driver {
            listener,
            authorization,
            outbox: Outbox::start(C::NAME)?,
            state: Mutex::new(State {
                core,
                session: None,
                pending: VecDeque::new(),
            }),
            changed: Condvar::new(),
        }))
    }

    /// Starts the driver, whose other end is where it is said to be; `failure` is what is told where that says nothing.
    pub(super) fn begin(self: &Arc<Self>, place: Result<Location, NameError>, failure: &str) -> Status {
        if self.state.lock().core.start() {
            let started = place
                .map_err(|error| error.to_string())
                .and_then(|location| self.spawn(location).map_err(|error| error.to_string()));
            if let Err(why) = started {
                self.fail(format!("{failure}: {why}"));
            }
        }
        self.status()
    }

    /// Starts the driver's thread.
    fn spawn(self: &Arc<Self>, location: Location) -> io::Result<()> {
        let (mine, watcher) = (self.clone(), Arc::downgrade(self));
        let detector = Detector::start(location, move || {
            // A new leader ends the stream of the one before.
            if let Some(driver) = watcher.upgrade() {
                driver.cut();
            }
        })?;
        let thread = thread::Builder::new().name(C::NAME.to_owned());
        thread.spawn(move || mine.run(&detector)).map(drop)
    }

    pub(crate) fn status(&self) -> Status {
        self.state.lock().core.status()
    }

    fn runs(&self) -> bool {
        self.state.lock().core.runs()
    }

    /// Waits until the driver is stopped or aborted.
    pub(crate) fn join(&self) -> Status {
        let mut state = self.state.lock();
        while state.core.runs() {
            self.changed.wait(&mut state);
        }
        state.core.status()
    }

    pub(crate) fn abort(&self) -> Status {
        let status = self.state.lock().core.abort();
        self.cut();
        status
    }

    /// Ends the stream, and wakes whoever waits.
    pub(super) fn cut(&self) {
        if let Some(session) = self.state.lock().session.take() {
            session.cut();
        }
        self.changed.notify_all();
    }

    fn run(self: &Arc<Self>, detector: &Detector) {
        let (mut backoff, mut redirected) = (Backoff::new(), None);
        while self.runs() {
            let leader = redirected.take().or_else(|| detector.leader());
            match leader.map(|leader| self.session(&leader, &mut backoff)) {
                Some(Err(ApiError::Redirected(leader))) => redirected = Some(leader),
                Some(Err(error)) => log::warning(format_args!("{}: {error}", C::NAME)),
                // Nobody leads, or the driver ended.
                None | Some(Ok(())) => {}
            }
            let (runs, told) = {
                let mut state = self.state.lock();
                state.session = None;
                (state.core.runs(), state.core.disconnected())
            };
            if runs {
                // What a stop has to say still goes out.
                self.outbox.close();
            }
            self.tell_all(told);
            self.pause(backoff.next_pause());
        }
        detector.stop();
    }

    /// Connects, subscribes, and takes events until the stream or the driver ends.
    fn session(self: &Arc<Self>, server: &Address, backoff: &mut Backoff) -> Result<(), ApiError> {
        let endpoint = Endpoint {
            address: server.clone(),
            path: C::PATH,
            authorization: self.authorization.clone(),
        };
        let Some(mut stream) = self.subscribe(&endpoint)? else {
            return Ok(());
        };
        self.outbox.open(
            Caller::new(endpoint, stream.id.clone()),
            self.not_accepted(&stream)?,
        );
        backoff.reset();
        let server = server.to_string();
        loop {
            let record = stream.next_event();
            let received = {
                let mut state = self.state.lock();
                if !state.core.runs() {
                    return Ok(());
                }
                state.core.received(&record?, &server)?
            };
            if let Some(patience) = received.heartbeat_seconds.and_then(patience) {
                stream.set_patience(Some(patience))?;
            }
            self.tell_all(received.callbacks);
            self.tell_pending();
        }
    }

    /// Connects, and opens the stream of events. There is none where the driver or the connection ended before.
    fn subscribe(&self, endpoint: &Endpoint) -> Result<Option<Stream>, ApiError> {
        let connection = Connection::open(&endpoint.address)?;
        let told = {
            let mut state = self.state.lock();
            if !state.core.runs() {
                return Ok(None);
            }
            state.session = Some(connection.cutter()?);
            state.core.connected()
        };
        self.tell_all(told);
        let Some(call) = self.subscription(&connection) else {
            return Ok(None);
        };
        let subscribed = endpoint.subscribe(connection, &call, C::QUIET_MAX);
        if let Some(why) = subscribed.as_ref().err().and_then(refused_for_good) {
            let told = self.state.lock().core.subscription_refused(why);
            self.tell_all(told);
        }
        subscribed.map(Some)
    }

    /// Waits until there is a subscription to be sent.
    fn subscription(&self, connection: &Connection) -> Option<Vec<u8>> {
        let mut state = self.state.lock();
        while state.core.runs() && state.session.is_some() && connection.is_quiet() {
            if let Some(call) = state.core.subscribe() {
                return Some(call);
            }
            self.changed.wait_for(&mut state, LOOK_AGAIN);
        }
        None
    }

    /// What is done about a call beside a stream: who says no is understood, and who says nothing is lost. So is the
    /// stream then: on a new one the other end tells what it holds, and what was perhaps not heard is found out.
    fn not_accepted(self: &Arc<Self>, stream: &Stream) -> Result<NotAccepted, ApiError> {
        let (driver, stream) = (Arc::downgrade(self), stream.cutter()?);
        Ok(Box::new(move |call, error| match error {
            ApiError::Refused { .. } => {
                if let (Some(driver), Some(why)) = (driver.upgrade(), refused_for_good(error)) {
                    let mut state = driver.state.lock();
                    let told = state.core.call_refused(call, why);
                    // Whoever reads the stream tells it, with what comes next: a heartbeat at the latest.
                    state.pending.extend(told);
                }
            }
            _ => stream.cut(),
        }))
    }

    /// The driver ends, and the framework learns why.
    pub(super) fn fail(&self, why: String) {
        let told = self.state.lock().core.failed(why);
        self.tell_all(told);
        self.cut();
    }

    /// Runs callbacks and what follows from each: a call, or the driver's end.
    fn tell_all(&self, callbacks: impl IntoIterator<Item = C::Callback>) {
        for callback in callbacks {
            if self.listener.tell(callback.clone()).is_err() {
                self.abort();
                return;
            }
            let follows = {
                let mut state = self.state.lock();
                let follows = state.core.told(&callback);
                follows.filter(|_| state.core.runs())
            };
            if let Some(call) = follows {
                self.outbox.call(call);
            }
        }
        if !self.runs() {
            self.cut();
        }
    }

    fn tell_pending(&self) {
        loop {
            let next = {
                let mut state = self.state.lock();
                let runs = state.core.runs();
                state.pending.pop_front().filter(|_| runs)
            };
            match next {
                Some(callback) => self.tell_all([callback]),
                None => return,
            }
        }
    }

    /// Waits before the next try; what is to be told meanwhile is told.
    fn pause(&self, pause: Duration) {
        self.tell_pending();
        let told = {
            let mut state = self.state.lock();
            if state.core.runs() && state.pending.is_empty() {
                self.changed.wait_for(&mut state, pause);
            }
            state.core.waited(pause)
        };
        self.tell_all(told);
        self.tell_pending();
    }
}

/// How long a stream may say nothing whose server says something so often.
fn patience(heartbeat_seconds: f64) -> Option<Duration> {
    let patience = Duration::try_from_secs_f64(heartbeat_seconds * HEARTBEATS).ok();
    patience.filter(|patience| !patience.is_zero())
}

/// Why the other end says no for good, if it does. What is 5xx, or asks for patience, is no such answer.
fn refused_for_good(error: &ApiError) -> Option<Refusal> {
    match error {
        ApiError::Refused { status, reason, text } if (400..500).contains(status) => {
            let passing = [404, 408, 429].contains(status);
            (!passing).then(|| Refusal {
                status: format!("{status} {reason}"),
                text: text.clone(),
            })
        }
        _ => None,
    }
}
