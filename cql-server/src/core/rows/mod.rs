//! Cells, rows, deletions and collections, and how versions of them merge: last write wins per cell.
//!
//! Knows: timestamps, expiry, tombstones, the stored form of a row fragment. Never: keys, the present time but as an argument.
