//! What the requests of one connection share, and what all connections do.

use super::prepared::PreparedCache;
use crate::{
    config::Config,
    core::schema::system,
    engine::{Clients, Present, SchemaChange, Session, Statements},
    error::CqlError,
    metrics::Metrics,
    wire::{opcode::Opcode, version::Version},
};
use parking_lot::Mutex;
use server_kit::{Clock, Random};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
};
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;

/// From the start of UUIDs' time, 15 October 1582, to 1970, in their ticks of 100 ns.
const GREGORIAN_TICKS: u64 = 0x01b2_1dd2_1381_4000;
const TICKS_PER_MS: u64 = 10_000;

/// What of a client's own words about itself is kept.
const OPTIONS_BYTES_MAX: usize = 8 << 10;
/// What each of them takes beside its bytes.
const OPTION_BYTES: usize = 128;

/// What all connections share.
pub(crate) struct Service {
    pub(crate) engine: Arc<dyn Statements>,
    pub(crate) prepared: PreparedCache,
    clients: Arc<Clients>,
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<Random>,
}

impl Service {
    pub(crate) fn new(
        engine: Arc<dyn Statements>,
        config: Config,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
    ) -> Arc<Self> {
        Arc::new(Service {
            clients: engine.clients(),
            engine,
            prepared: PreparedCache::new(config.limits.prepared_statements_cache_size),
            config,
            clock,
            random,
        })
    }

    /// Lets whoever asks know what came, as `metrics` has counted it.
    pub(crate) fn tell_counts(self: &Arc<Self>, metrics: Arc<Metrics>) {
        let service = Arc::downgrade(self);
        self.clients.count_by(Box::new(move || {
            let prepared = service.upgrade().map(|service| service.prepared.counted());
            let (prepared, evicted) = prepared.unwrap_or_default();
            system::Counted {
                prepared,
                evicted,
                executed: metrics.answered(Opcode::Execute),
                regular: metrics.answered(Opcode::Query),
            }
        }));
    }

    /// The id of a trace: a UUID of the present time.
    pub(crate) fn trace_id(&self) -> Uuid {
        self.time_id(self.clock.now_ms(), self.random.below(TICKS_PER_MS))
    }

    /// A UUID of a time: `tick` of that millisecond.
    pub(super) fn time_id(&self, at_ms: i64, tick: u64) -> Uuid {
        let ticks = GREGORIAN_TICKS + u64::try_from(at_ms).unwrap_or(0) * TICKS_PER_MS + tick;
        let chance = self.random.next_u64();
        let [a, b, c, d, e, f, ..] = chance.to_be_bytes();
        uuid::Builder::from_gregorian_timestamp(ticks, chance as u16 & 0x3fff, &[a, b, c, d, e, f])
            .into_uuid()
    }
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// Nothing agreed on yet.
    New,
    /// It has to say who it is.
    Authenticating,
    Ready,
}

impl Stage {
    /// The original's words where `opcode` may not come now.
    pub(super) fn refuses(self, opcode: Opcode) -> Option<CqlError> {
        let name = opcode.name();
        let text = match (self, opcode) {
            (Stage::New, Opcode::Startup | Opcode::Options) => return None,
            (Stage::New, _) => format!("Unexpected message {name}, expecting STARTUP or OPTIONS"),
            (Stage::Authenticating, Opcode::AuthResponse | Opcode::Credentials) => return None,
            (Stage::Authenticating, _) => format!("Unexpected message {name}, expecting SASL_RESPONSE"),
            (Stage::Ready, Opcode::Startup) => {
                "Unexpected message STARTUP, the connection is already initialized".to_owned()
            }
            (Stage::Ready, _) => return None,
        };
        Some(CqlError::Protocol(text))
    }
}

/// What the requests of one connection share.
pub(crate) struct Client {
    pub(crate) service: Arc<Service>,
    pub(crate) session: Session,
    stage: AtomicU8,
    version: AtomicU8,
    /// What it said of itself when it started.
    options: OnceLock<BTreeMap<String, String>>,
    requests: AtomicU64,
    over_tls: bool,
    /// The events it registered for, as bits.
    asked: AtomicU8,
    /// Whether it was told already what may become of statements prepared with USE.
    warned_of_use: AtomicBool,
    /// Changes of the schema since it registered, until its connection takes them.
    changes: Mutex<Option<Receiver<SchemaChange>>>,
}

impl Client {
    pub(crate) fn new(service: Arc<Service>, peer: SocketAddr, over_tls: bool) -> Arc<Self> {
        let client = Arc::new(Client {
            service,
            session: Session::new(peer),
            stage: AtomicU8::new(Stage::New as u8),
            version: AtomicU8::new(Version::CURRENT.number()),
            options: OnceLock::new(),
            requests: AtomicU64::new(0),
            over_tls,
            asked: AtomicU8::new(0),
            warned_of_use: AtomicBool::new(false),
            changes: Mutex::default(),
        });
        let present: Weak<Client> = Arc::downgrade(&client);
        client.service.clients.enter(present);
        client
    }

    /// Notes what it says of itself.
    pub(super) fn introduce(&self, options: Vec<(String, String)>) {
        let mut left = OPTIONS_BYTES_MAX;
        let fits = |(name, value): &(String, String)| {
            let rest = left.checked_sub(name.len() + value.len() + OPTION_BYTES);
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        // Who starts twice is refused.
        let _ = self.options.set(options.into_iter().take_while(fits).collect());
    }

    /// Notes that it asked for something.
    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::New,
            1 => Stage::Authenticating,
            _ => Stage::Ready,
        }
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
    }

    /// The version agreed on.
    pub(crate) fn version(&self) -> Version {
        Version::of(self.version.load(Ordering::Relaxed)).unwrap_or(Version::CURRENT)
    }

    pub(super) fn agree(&self, version: Version) {
        self.version.store(version.number(), Ordering::Relaxed);
    }

    /// Whether it registered for an event.
    pub(crate) fn asked_for(&self, event: u8) -> bool {
        self.asked.load(Ordering::Acquire) & event != 0
    }

    pub(super) fn ask_for(&self, events: u8) {
        let mut changes = self.changes.lock();
        if self.asked.fetch_or(events, Ordering::AcqRel) == 0 {
            *changes = Some(self.service.engine.schema_changes());
        }
    }

    /// Whether it was warned of USE already; from now on it was.
    pub(super) fn warned_of_use(&self) -> bool {
        self.warned_of_use.swap(true, Ordering::Relaxed)
    }

    /// The changes of the schema, once.
    pub(crate) fn take_changes(&self) -> Option<Receiver<SchemaChange>> {
        self.changes.lock().take()
    }
}

impl Present for Client {
    fn told(&self) -> system::Client {
        system::Client {
            address: self.session.peer,
            options: self.options.get().cloned().unwrap_or_default(),
            stage: match self.stage() {
                Stage::New => "established",
                Stage::Authenticating => "authenticating",
                Stage::Ready => "ready",
            },
            keyspace: self.session.keyspace(),
            protocol_version: self.version().number(),
            requests: self.requests.load(Ordering::Relaxed),
            over_tls: self.over_tls,
            role: self.session.role(),
        }
    }
}
