use std::{io, sync::Arc};

/// What a storage call answers in place of a result.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Why a storage call failed, sorted by what the caller can do about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// Another owner holds a newer epoch. Stop serving this shard; do not retry.
    #[error("fenced: the shard has a newer owner")]
    Fenced,
    /// An expectation of a batch did not hold; nothing of the batch was applied. Read again and decide.
    #[error("expectation failed on operation {index} of the batch")]
    Expectation {
        /// Position of the failed expectation among the batch's expectations.
        index: usize,
    },
    /// There is no room. Refuse writes, keep serving reads, try again when space returns.
    #[error("storage is full")]
    Full,
    /// Asked for an offset the log does not hold (yet, or any more).
    #[error("offset {offset} is outside {start}..{end}")]
    OutOfRange {
        /// What was asked for.
        offset: u64,
        /// First offset held.
        start: u64,
        /// Next offset to be written.
        end: u64,
    },
    /// The log or shard was removed while the call was under way.
    #[error("removed")]
    Removed,
    /// Stored bytes do not check out. Refuse; a person must look.
    #[error("corrupt storage: {0}")]
    Corrupt(String),
    /// The operating system or the remote store failed. Refuse, and report.
    #[error("storage input/output: {0}")]
    Io(Arc<io::Error>),
    /// An engine failed in a way of its own. Refuse, and report.
    #[error("storage engine: {0}")]
    Engine(String),
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageError::Full,
            _ => StorageError::Io(Arc::new(error)),
        }
    }
}
