use crate::Pending;

/// Who owns a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Fencing token: grows with every change of owner, and is carried by every write of the shard.
    pub epoch: u64,
    /// How to reach the owner, as it said itself.
    pub address: String,
}

/// Ownership of one shard. Dropping it gives it up.
pub trait Lease: Send + Sync {
    /// The epoch under which this process owns the shard.
    fn epoch(&self) -> u64;

    /// Who owns the shard now.
    fn owner(&self) -> Pending<'_, Option<Owner>>;

    /// Answers when this process owns the shard no more.
    fn lost(&self) -> Pending<'_, ()>;
}
