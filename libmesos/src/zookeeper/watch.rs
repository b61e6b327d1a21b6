use super::session::{Session, SessionError};
use crate::{
    chance,
    http::Cutter,
    log,
    master::{Address, Ensemble},
};
use mesos_proto::masters::leading;
use parking_lot::{Condvar, Mutex};
use std::{io, sync::Arc, thread, time::Duration};

/// How long to wait before one asks again, or asks another server.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows who leads, on a thread of its own.
pub(crate) struct Watch(Arc<Shared>);

struct Shared {
    ensemble: Ensemble,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Default)]
struct State {
    leader: Option<Address>,
    session: Option<Cutter>,
    stops: bool,
}

impl Watch {
    pub(crate) fn start(ensemble: Ensemble, changed: impl Fn() + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            ensemble,
            state: Mutex::default(),
            stopped: Condvar::new(),
        });
        let mine = shared.clone();
        thread::Builder::new()
            .name("mesos-zookeeper".to_owned())
            .spawn(move || mine.run(&changed))?;
        Ok(Watch(shared))
    }

    /// Who leads now. A leader stays known while ZooKeeper is away.
    pub(crate) fn leader(&self) -> Option<Address> {
        self.0.state.lock().leader.clone()
    }

    pub(crate) fn stop(&self) {
        let mut state = self.0.state.lock();
        state.stops = true;
        if let Some(session) = state.session.take() {
            session.cut();
        }
        self.0.stopped.notify_all();
    }
}

impl Shared {
    fn run(&self, changed: &dyn Fn()) {
        for server in self.ensemble.servers.iter().cycle() {
            let Err(error) = self.follow(server, changed);
            if self.pause() {
                return;
            }
            log::warning(format_args!("ZooKeeper at {server}: {error}"));
        }
    }

    /// Follows who leads for as long as a session with one server lasts.
    fn follow(&self, server: &Address, changed: &dyn Fn()) -> Result<std::convert::Infallible, SessionError> {
        let mut session = Session::open(server, &self.ensemble)?;
        {
            let mut state = self.state.lock();
            if state.stops {
                return Err(SessionError::Over);
            }
            state.session = Some(session.cutter()?);
        }
        loop {
            let names = session.children(&self.ensemble.path)?;
            let leader = match names.as_deref().and_then(leading) {
                None => None,
                Some(name) => match session.data(&format!("{}/{name}", self.ensemble.path))? {
                    Some(info) => Address::of_node(name, &info),
                    // It left between the two questions.
                    None => continue,
                },
            };
            if self.leads(leader) {
                changed();
            }
            match names {
                Some(_) => session.changed()?,
                // No watch stands on a node that is not there.
                None if self.pause() => return Err(SessionError::Over),
                None => {}
            }
        }
    }

    /// Keeps who leads, and answers whether that is news.
    fn leads(&self, leader: Option<Address>) -> bool {
        let mut state = self.state.lock();
        if state.leader == leader {
            return false;
        }
        match &leader {
            Some(leader) => log::info(format_args!("the master at {leader} leads")),
            None => log::info(format_args!("no master leads")),
        }
        state.leader = leader;
        true
    }

    /// Waits a little, and answers whether it is over.
    fn pause(&self) -> bool {
        let mut state = self.state.lock();
        if !state.stops {
            self.stopped.wait_for(&mut state, chance::jittered(PAUSE));
        }
        state.stops
    }
}
