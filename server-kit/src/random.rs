use parking_lot::Mutex;
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// The only source of chance. Handed in as an argument; from a seed, a run repeats itself.
#[derive(Debug)]
pub struct Random {
    rng: Mutex<StdRng>,
}

impl Random {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        Random {
            rng: Mutex::new(StdRng::from_os_rng()),
        }
    }

    /// The same sequence for the same seed.
    pub fn from_seed(seed: u64) -> Self {
        Random {
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }

    /// A number in `0..below`; 0 where `below` is 0.
    pub fn below(&self, below: u64) -> u64 {
        if below == 0 {
            0
        } else {
            self.rng.lock().random_range(0..below)
        }
    }

    /// Any number.
    pub fn next_u64(&self) -> u64 {
        self.rng.lock().next_u64()
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.rng.lock().fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
