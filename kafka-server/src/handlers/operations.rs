//! Which operations a client may do, as bits: all there are, where nothing is restricted.

/// On a topic: read, write, create, delete, alter, describe, describe configs, alter configs.
pub(super) const TOPIC: i32 = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11;
/// On the cluster: create, alter, describe, cluster action, describe configs, alter configs, idempotent write.
pub(super) const CLUSTER: i32 = 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;
/// On a group: read, delete, describe, describe configs, alter configs.
pub(super) const GROUP: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;
