//! Chance that can be had again.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

/// Random numbers from a seed: of the environment's `SMACK_SEED`, or another one each time. A failure names it.
pub struct Dice {
    /// What they began with.
    pub seed: u64,
    state: u64,
}

impl Dice {
    /// Those of the environment's seed.
    #[expect(
        clippy::disallowed_methods,
        reason = "a seed is wanted that differs from run to run"
    )]
    pub fn new() -> Result<Self> {
        let seed = match std::env::var("SMACK_SEED") {
            Ok(seed) => seed.parse()?,
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64,
        };
        Ok(Self {
            seed,
            state: seed | 1,
        })
    }

    /// One of 0 to `below - 1`.
    pub fn below(&mut self, below: u64) -> u64 {
        // xorshift64: good enough to fall into every phase of what is disturbed.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }
}
