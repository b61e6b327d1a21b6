//! Who is connected, and the one clock that looks at them all: connections themselves have no timers.

use crate::config::Limits;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering},
    },
    task::Waker,
    time::Duration,
};
use tokio::sync::Semaphore;

/// How often connections are looked at; a tick.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// Ticks without a byte after which a connection gives its buffer back.
const QUIET_TICKS: u32 = 2;
/// Ticks that a peer may pause within a large request while others wait for room.
const STALL_TICKS: u32 = 10;
/// Less than this of the bytes in flight left means that others wait for room.
const SCARCE_BYTES: usize = 1 << 20;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// A request, without a buffer.
    Idle,
    /// A request, with a buffer at hand.
    Busy,
    /// The rest of a request.
    Receiving,
    /// An answer.
    Answering,
    /// The peer to take an answer.
    Writing,
}

/// What a connection was told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Told {
    Nothing,
    /// Answer what was taken, then close.
    Drain,
    /// Close.
    Close,
}

/// The outside of one connection.
pub(super) struct Watched {
    /// When it last moved a byte, in ticks.
    moved: AtomicU32,
    phase: AtomicU8,
    told: AtomicU8,
    waker: AtomicWaker,
    ticks: Arc<AtomicU32>,
}

impl Watched {
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub(super) fn told(&self) -> Told {
        match self.told.load(Ordering::Acquire) {
            0 => Told::Nothing,
            1 => Told::Drain,
            _ => Told::Close,
        }
    }

    pub(super) fn touch(&self) {
        self.moved
            .store(self.ticks.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(super) fn sleeps(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.still_for() >= QUIET_TICKS
    }

    fn still_for(&self) -> u32 {
        self.ticks
            .load(Ordering::Relaxed)
            .wrapping_sub(self.moved.load(Ordering::Relaxed))
    }

    fn tell(&self, told: Told) {
        self.told.fetch_max(told as u8, Ordering::AcqRel);
        self.waker.wake();
    }

    fn look(&self, limits: &Limits, scarce: bool) {
        let still_for = self.still_for();
        let beyond = |limit: Duration| u64::from(still_for) > limit.as_secs();
        let phase = self.phase.load(Ordering::Relaxed);
        let is = |of: Phase| phase == of as u8;
        let idle = limits.connections_idle_max.is_some_and(beyond);
        if is(Phase::Writing) && beyond(limits.write_stall_max)
            || is(Phase::Receiving) && scarce && still_for >= STALL_TICKS
            || !is(Phase::Answering) && idle
        {
            self.tell(Told::Close);
        } else if is(Phase::Busy) && still_for >= QUIET_TICKS {
            self.waker.wake();
        }
    }
}

#[derive(Default)]
struct Seats {
    by_number: HashMap<u64, Weak<Watched>>,
    by_ip: HashMap<IpAddr, usize>,
    next: u64,
    draining: bool,
}

/// All connections of a server.
pub(crate) struct Connections {
    seats: Mutex<Seats>,
    open: AtomicUsize,
    ticks: Arc<AtomicU32>,
    limits: Limits,
}

/// A connection's seat; dropping it leaves.
pub(crate) struct Place {
    connections: Arc<Connections>,
    watched: Arc<Watched>,
    number: u64,
    ip: IpAddr,
}

impl Place {
    pub(super) fn watched(&self) -> &Arc<Watched> {
        &self.watched
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut seats = self.connections.seats.lock();
        seats.by_number.remove(&self.number);
        if let Some(count) = seats.by_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                seats.by_ip.remove(&self.ip);
            }
        }
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connections {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Connections {
            seats: Mutex::default(),
            open: AtomicUsize::new(0),
            ticks: Arc::default(),
            limits,
        })
    }

    /// A seat for a connection from `ip`; `None` where there are too many already.
    pub(crate) fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Place> {
        let mut seats = self.seats.lock();
        let from_ip = seats.by_ip.get(&ip).copied().unwrap_or(0);
        let full = seats.by_number.len() >= self.limits.connections_max
            || from_ip >= self.limits.connections_per_ip_max
            || seats.draining;
        if full {
            return None;
        }
        let watched = Arc::new(Watched {
            moved: AtomicU32::new(self.ticks.load(Ordering::Relaxed)),
            phase: AtomicU8::new(Phase::Idle as u8),
            told: AtomicU8::new(Told::Nothing as u8),
            waker: AtomicWaker::new(),
            ticks: self.ticks.clone(),
        });
        let number = seats.next;
        seats.next += 1;
        seats.by_number.insert(number, Arc::downgrade(&watched));
        *seats.by_ip.entry(ip).or_insert(0) += 1;
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Place {
            connections: self.clone(),
            watched,
            number,
            ip,
        })
    }

    /// How many there are.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Lets every connection answer what it took, then close.
    pub(crate) fn drain(&self) {
        let mut seats = self.seats.lock();
        seats.draining = true;
        seats
            .by_number
            .values()
            .filter_map(Weak::upgrade)
            .for_each(|watched| watched.tell(Told::Drain));
    }

    /// Looks at every connection, once a tick. Never ends.
    pub(crate) async fn watch(self: Arc<Self>, in_flight: Arc<Semaphore>) {
        let mut interval = tokio::time::interval(TICK);
        loop {
            interval.tick().await;
            self.ticks.fetch_add(1, Ordering::Relaxed);
            let scarce = in_flight.available_permits() < SCARCE_BYTES;
            let seats = self.seats.lock();
            seats
                .by_number
                .values()
                .filter_map(Weak::upgrade)
                .for_each(|one| one.look(&self.limits, scarce));
        }
    }
}
