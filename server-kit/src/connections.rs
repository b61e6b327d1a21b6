//! Who is connected to a server, and the one clock that looks at them all: connections themselves have no timers.

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    hash::Hash,
    net::IpAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering},
    },
    task::Waker,
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, futures::Notified};

/// How often connections are looked at; a tick.
const TICK: Duration = Duration::from_secs(1);
/// Ticks without a byte after which a connection gives its buffer back.
const QUIET_TICKS: u32 = 2;
/// Ticks that a peer may pause within a large request while others wait for room.
const STALL_TICKS: u32 = 10;
/// Less than this of the bytes in flight left means that others wait for room.
const SCARCE_BYTES: usize = 1 << 20;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
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
pub enum Told {
    /// Nothing.
    Nothing,
    /// Answer what was taken, then close.
    Drain,
    /// Close.
    Close,
}

/// The outside of one connection.
#[derive(Debug)]
pub struct Watched {
    /// When it last moved a byte, in ticks.
    moved: AtomicU32,
    phase: AtomicU8,
    told: AtomicU8,
    waker: AtomicWaker,
    ticks: Arc<AtomicU32>,
}

impl Watched {
    /// Has `waker` woken when the connection is told something.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// What it was told.
    pub fn told(&self) -> Told {
        match self.told.load(Ordering::Acquire) {
            0 => Told::Nothing,
            1 => Told::Drain,
            _ => Told::Close,
        }
    }

    /// It moved a byte.
    pub fn touch(&self) {
        self.moved
            .store(self.ticks.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// It waits for what `phase` says.
    pub fn sleeps(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Whether it moved nothing for so long that it should give its buffer back.
    pub fn is_quiet(&self) -> bool {
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

    fn look(&self, patience: &Patience, scarce: bool) {
        let still_for = self.still_for();
        let beyond = |limit: Duration| u64::from(still_for) > limit.as_secs();
        let phase = self.phase.load(Ordering::Relaxed);
        let is = |of: Phase| phase == of as u8;
        let idle = patience.idle_max.is_some_and(beyond);
        if is(Phase::Writing) && beyond(patience.write_stall_max)
            || is(Phase::Receiving) && scarce && still_for >= STALL_TICKS
            || !is(Phase::Answering) && idle
        {
            self.tell(Told::Close);
        } else if is(Phase::Busy) && still_for >= QUIET_TICKS {
            self.waker.wake();
        }
    }
}

/// How many connections there may be at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// Which of the server's listeners this is.
    pub listener: usize,
    /// In total.
    pub connections_max: usize,
    /// By this listener.
    pub of_listener_max: usize,
    /// From the address that knocks.
    pub from_ip_max: usize,
    /// Who comes by this listener is let in where all seats are taken, too: somebody of another one goes for it.
    pub is_protected: bool,
}

impl Default for Door {
    /// One that is open to everybody.
    fn default() -> Self {
        Door {
            listener: 0,
            connections_max: usize::MAX,
            of_listener_max: usize::MAX,
            from_ip_max: usize::MAX,
            is_protected: false,
        }
    }
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSeat {
    /// All are taken; one may become free.
    Full,
    /// The address has all that it may.
    Address,
    /// The server stops, or the listener closed.
    Draining,
}

/// How long connections are borne with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long one may be silent; for ever where absent.
    pub idle_max: Option<Duration>,
    /// How long a peer may take no answer.
    pub write_stall_max: Duration,
}

#[derive(Debug, Default)]
struct Seats {
    by_number: BTreeMap<u64, Seat>,
    by_ip: HashMap<IpAddr, usize>,
    by_listener: HashMap<usize, usize>,
    next: u64,
    /// Listeners that closed: who was on the way in by one of them comes too late.
    dismissed: HashSet<usize>,
    draining: bool,
}

#[derive(Debug)]
struct Seat {
    watched: Weak<Watched>,
    listener: usize,
}

impl Seats {
    fn watched(&self) -> impl Iterator<Item = Arc<Watched>> {
        self.by_number.values().filter_map(|seat| seat.watched.upgrade())
    }

    /// Why `door` stays shut to `ip`, if it does.
    fn refuse(&self, ip: IpAddr, door: &Door) -> Option<NoSeat> {
        let of = |count: Option<&usize>| count.copied().unwrap_or(0);
        let all_taken = self.by_number.len() >= door.connections_max && !door.is_protected;
        if self.draining || self.dismissed.contains(&door.listener) {
            Some(NoSeat::Draining)
        } else if all_taken || of(self.by_listener.get(&door.listener)) >= door.of_listener_max {
            Some(NoSeat::Full)
        } else if of(self.by_ip.get(&ip)) >= door.from_ip_max {
            Some(NoSeat::Address)
        } else {
            None
        }
    }

    /// Closes those silent for longest until no more than `connections_max` are left, but nobody of the listener `spared`.
    fn shrink(&self, connections_max: usize, spared: Option<usize>) {
        if self.by_number.len() <= connections_max {
            return;
        }
        let staying = |watched: &Arc<Watched>| watched.told() != Told::Close;
        let too_many = self
            .watched()
            .filter(staying)
            .count()
            .saturating_sub(connections_max);
        if too_many == 0 {
            return;
        }
        let others = self
            .by_number
            .values()
            .filter(|seat| Some(seat.listener) != spared);
        let mut others: Vec<_> = others
            .filter_map(|seat| seat.watched.upgrade())
            .filter(staying)
            .collect();
        // Of equals, who came first. Each is asked once: what it says may change while they are put in order.
        others.sort_by_cached_key(|watched| Reverse(watched.still_for()));
        others
            .iter()
            .take(too_many)
            .for_each(|watched| watched.tell(Told::Close));
    }
}

fn one_less<K: Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}

/// All connections of a server.
#[derive(Debug)]
pub struct Connections {
    seats: Mutex<Seats>,
    open: AtomicUsize,
    ticks: Arc<AtomicU32>,
    patience: Patience,
    /// Told when one has left.
    left: Notify,
}

/// A connection's seat; dropping it leaves.
#[derive(Debug)]
pub struct Place {
    connections: Arc<Connections>,
    watched: Arc<Watched>,
    number: u64,
    ip: IpAddr,
    listener: usize,
}

impl Place {
    /// What of the connection is seen from outside.
    pub fn watched(&self) -> &Arc<Watched> {
        &self.watched
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut seats = self.connections.seats.lock();
        seats.by_number.remove(&self.number);
        one_less(&mut seats.by_ip, &self.ip);
        one_less(&mut seats.by_listener, &self.listener);
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
        drop(seats);
        self.connections.left.notify_waiters();
    }
}

impl Connections {
    /// None yet.
    pub fn new(patience: Patience) -> Arc<Self> {
        Arc::new(Connections {
            seats: Mutex::default(),
            open: AtomicUsize::new(0),
            ticks: Arc::default(),
            patience,
            left: Notify::new(),
        })
    }

    /// A seat for a connection from `ip`, as far as `door` lets it in.
    pub fn enter(self: &Arc<Self>, ip: IpAddr, door: Door) -> Result<Place, NoSeat> {
        let mut seats = self.seats.lock();
        if let Some(why) = seats.refuse(ip, &door) {
            return Err(why);
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
        let seat = Seat {
            watched: Arc::downgrade(&watched),
            listener: door.listener,
        };
        seats.by_number.insert(number, seat);
        *seats.by_ip.entry(ip).or_insert(0) += 1;
        *seats.by_listener.entry(door.listener).or_insert(0) += 1;
        if door.is_protected {
            seats.shrink(door.connections_max, Some(door.listener));
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Place {
            connections: self.clone(),
            watched,
            number,
            ip,
            listener: door.listener,
        })
    }

    /// Where there are more than `connections_max`, closes those silent for longest, but nobody of the listener `spared`.
    pub fn shrink(&self, connections_max: usize, spared: Option<usize>) {
        self.seats.lock().shrink(connections_max, spared);
    }

    /// Answers once a connection has left since this was called.
    pub fn left(&self) -> Notified<'_> {
        self.left.notified()
    }

    /// How many there are.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Lets every connection answer what it took, then close.
    pub fn drain(&self) {
        let mut seats = self.seats.lock();
        seats.draining = true;
        seats.watched().for_each(|watched| watched.tell(Told::Drain));
    }

    /// Lets every connection that came in by `listener` answer what it took, then close. Nobody comes in by it any more.
    pub fn dismiss(&self, listener: usize) {
        let mut seats = self.seats.lock();
        seats.dismissed.insert(listener);
        let of_it = seats.by_number.values().filter(|seat| seat.listener == listener);
        of_it
            .filter_map(|seat| seat.watched.upgrade())
            .for_each(|watched| watched.tell(Told::Drain));
    }

    /// Looks at every connection, once a tick. Never ends.
    pub async fn watch(self: Arc<Self>, in_flight: Arc<Semaphore>) {
        let mut interval = tokio::time::interval(TICK);
        loop {
            interval.tick().await;
            self.ticks.fetch_add(1, Ordering::Relaxed);
            let scarce = in_flight.available_permits() < SCARCE_BYTES;
            let seats = self.seats.lock();
            seats.watched().for_each(|one| one.look(&self.patience, scarce));
        }
    }
}

#[cfg(test)]
mod tests;
