//! Every error of the protocol, with its fields: the only place that maps failures to codes.

use crate::engine::Consistency;
use bytes::Bytes;
use std::net::IpAddr;
use storage::StorageError;

/// What a request is answered with in place of a result. Its text is the original's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CqlError {
    /// 0x0000: a bug, or storage that failed in a way nobody foresaw.
    #[error("{0}")]
    Server(String),
    /// 0x000A: the frame or request breaks the protocol.
    #[error("{0}")]
    Protocol(String),
    /// 0x0100
    #[error("{0}")]
    BadCredentials(String),
    /// Storage failed; whoever knows the statement says what that means to its client ([`crate::engine`]'s failures).
    #[error("{0}")]
    Storage(String),
    /// What was asked took too long; told as storage's failures are.
    #[error("Operation timed out")]
    TimedOut,
    /// A read met too many of them; with what its client is warned of. Told as a failure of the node.
    #[error("READ_TOO_MANY_TOMBSTONES")]
    TooManyTombstones(Vec<String>),
    /// 0x1000: the keyspace has fewer replicas than the consistency level asks for.
    #[error("Cannot achieve consistency level {consistency}")]
    Unavailable {
        consistency: Consistency,
        required: i32,
        alive: i32,
    },
    /// 0x1001: refuse for now.
    #[error("{0}")]
    Overloaded(String),
    /// 0x1003
    #[error("{0}")]
    Truncate(String),
    /// 0x1100: it took too long, and may be stored or not.
    #[error("Operation timed out - received only {received} responses.")]
    WriteTimeout {
        consistency: u16,
        received: i32,
        required: i32,
        write_type: &'static str,
    },
    /// 0x1200: it took too long.
    #[error("Operation timed out - received only {received} responses.")]
    ReadTimeout {
        consistency: u16,
        received: i32,
        required: i32,
        data_present: bool,
    },
    /// 0x1300: tombstones or sizes beyond a limit, storage that cannot be read.
    #[error("{message}")]
    ReadFailure {
        message: String,
        consistency: u16,
        received: i32,
        required: i32,
        data_present: bool,
        /// The node that met too many tombstones.
        overwhelmed: Option<IpAddr>,
        warnings: Vec<String>,
    },
    /// 0x1400
    #[error("{message}")]
    FunctionFailure {
        message: String,
        keyspace: String,
        function: String,
        argument_types: Vec<String>,
    },
    /// 0x1500: storage refused, a full disk above all.
    #[error("{message}")]
    WriteFailure {
        message: String,
        consistency: u16,
        received: i32,
        required: i32,
        write_type: &'static str,
    },
    /// 0x1700: a conditional write of which nobody knows whether it is stored.
    #[error("{message}")]
    CasWriteUnknown {
        message: String,
        consistency: u16,
        received: i32,
        required: i32,
    },
    /// 0x2000
    #[error("{0}")]
    Syntax(String),
    /// 0x2100
    #[error("{0}")]
    Unauthorized(String),
    /// 0x2200
    #[error("{0}")]
    Invalid(String),
    /// 0x2200: a limit that whoever runs the server has set. What was warned of is told, too.
    #[error("{message}")]
    Guardrail { message: String, warnings: Vec<String> },
    /// 0x2300
    #[error("{0}")]
    Config(String),
    /// 0x2400: `table` is empty where the keyspace itself exists.
    #[error("{message}")]
    AlreadyExists {
        message: String,
        keyspace: String,
        table: String,
    },
    /// 0x2500
    #[error("{message}")]
    Unprepared { message: String, id: Bytes },
}

impl CqlError {
    /// Whether it is the server's doing, and so of interest to whoever runs it.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(
            self,
            CqlError::Server(_)
                | CqlError::Storage(_)
                | CqlError::Truncate(_)
                | CqlError::ReadFailure { .. }
                | CqlError::WriteFailure { .. }
                | CqlError::CasWriteUnknown { .. }
        )
    }

    /// What is told beside it.
    pub(crate) fn warnings(&self) -> &[String] {
        match self {
            CqlError::Guardrail { warnings, .. } | CqlError::ReadFailure { warnings, .. } => warnings,
            _ => &[],
        }
    }

    /// The most frequent one.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        CqlError::Invalid(message.into())
    }
}

impl From<StorageError> for CqlError {
    fn from(error: StorageError) -> Self {
        CqlError::Storage(error.to_string())
    }
}

/// What calls of this server answer.
pub(crate) type Result<T> = std::result::Result<T, CqlError>;
