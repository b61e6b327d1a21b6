//! Micro-benchmarks of the hot paths. Side-by-side load against the originals is `cargo xtask bench`.
//!
//! Knows: the crates it measures. Never: a timed test.
