//! Who is connected, for `system_views.clients`, and what came from them all, for `cql_metrics`.

use crate::core::schema::system;
use parking_lot::Mutex;
use std::sync::{OnceLock, Weak};

/// Those that may be gone are looked for each time that there are twice as many, and from so many on.
const LOOKED_FOR_MIN: usize = 64;

/// Somebody who is connected.
pub(crate) trait Present: Send + Sync {
    /// As the table tells it.
    fn told(&self) -> system::Client;
}

/// Who counts what came.
type Count = Box<dyn Fn() -> system::Counted + Send + Sync>;

/// Everybody who is connected.
#[derive(Default)]
pub(crate) struct Clients {
    entered: Mutex<Entered>,
    count: OnceLock<Count>,
}

#[derive(Default)]
struct Entered {
    all: Vec<Weak<dyn Present>>,
    /// How many there were when those that were gone were left out.
    kept: usize,
}

impl Clients {
    /// Somebody is there, as long as it is held elsewhere.
    pub(crate) fn enter(&self, client: Weak<dyn Present>) {
        let mut entered = self.entered.lock();
        if entered.all.len() >= (2 * entered.kept).max(LOOKED_FOR_MIN) {
            entered.all.retain(|one| one.strong_count() > 0);
            entered.kept = entered.all.len();
        }
        entered.all.push(client);
    }

    /// What came is told by `count`, once and for all.
    pub(crate) fn count_by(&self, count: Count) {
        let _ = self.count.set(count);
    }

    pub(super) fn counted(&self) -> system::Counted {
        self.count.get().map(|count| count()).unwrap_or_default()
    }

    pub(super) fn told(&self) -> Vec<system::Client> {
        let present: Vec<_> = self.entered.lock().all.iter().filter_map(Weak::upgrade).collect();
        present.iter().map(|one| one.told()).collect()
    }
}
