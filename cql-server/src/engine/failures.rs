//! What a failure of storage means to the client whose statement met it.

use super::{Parameters, prepared::Plan};
use crate::{core::schema::system::STORAGE_PORT, error::CqlError, statements::batch::BatchKind};
use std::net::IpAddr;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Truncating,
    /// What else `Storage` may mean is not for clients.
    Other,
    /// A conditional write: it may be stored or not.
    Deciding,
    /// A write of the kind that clients are told.
    Writing(&'static str),
}

impl Doing {
    pub(super) fn of(plan: &Plan) -> Self {
        match plan {
            Plan::Select(_) => Doing::Reading,
            Plan::Write(write) if write.conditions.is_some() => Doing::Deciding,
            Plan::Write(write) if write.table.is_counter() => Doing::Writing("COUNTER"),
            Plan::Write(_) => Doing::Writing("SIMPLE"),
            Plan::Batch(batch) => Doing::batch(
                batch.kind,
                batch.writes.iter().any(|write| write.conditions.is_some()),
            ),
            Plan::Truncate(_) => Doing::Truncating,
            Plan::Other(_) => Doing::Other,
        }
    }

    pub(super) fn batch(kind: BatchKind, is_conditional: bool) -> Self {
        match kind {
            _ if is_conditional => Doing::Deciding,
            BatchKind::Logged => Doing::Writing("BATCH"),
            BatchKind::Unlogged => Doing::Writing("UNLOGGED_BATCH"),
            BatchKind::Counter => Doing::Writing("COUNTER"),
        }
    }

    /// What a client is told whose statement took too long.
    fn timed_out(self, (consistency, serial): (u16, Option<u16>)) -> CqlError {
        let (received, required) = (0, 1);
        let write = |write_type, consistency| CqlError::WriteTimeout {
            consistency,
            received,
            required,
            write_type,
        };
        match self {
            Doing::Writing(write_type) => write(write_type, consistency),
            Doing::Deciding => write("CAS", serial.unwrap_or(consistency)),
            _ => CqlError::ReadTimeout {
                consistency,
                received,
                required,
                data_present: false,
            },
        }
    }

    /// `error` as the client is told it.
    pub(super) fn told(self, error: CqlError, parameters: (u16, Option<u16>)) -> CqlError {
        let why = match error {
            CqlError::Storage(why) => why,
            CqlError::TimedOut => return self.timed_out(parameters),
            _ => return error,
        };
        let (consistency, serial) = parameters;
        let message = format!("Operation failed - received 0 responses and 1 failures: {why}");
        let (received, required) = (0, 1);
        match self {
            Doing::Reading => CqlError::ReadFailure {
                message,
                consistency,
                received,
                required,
                data_present: false,
                overwhelmed: None,
                warnings: Vec::new(),
            },
            Doing::Truncating => CqlError::Truncate(format!("Error during truncate: {why}")),
            Doing::Deciding => CqlError::CasWriteUnknown {
                message: format!(
                    "CAS operation result is unknown - proposal accepted by 0 but not a quorum. ({why})"
                ),
                consistency: serial.unwrap_or(consistency),
                received,
                required,
            },
            Doing::Writing(write_type) => CqlError::WriteFailure {
                message,
                consistency,
                received,
                required,
                write_type,
            },
            Doing::Other => CqlError::Server(why),
        }
    }
}

/// A read that met too many tombstones on this node.
pub(super) fn overwhelmed(
    warnings: Vec<String>,
    (consistency, _): (u16, Option<u16>),
    node: IpAddr,
) -> CqlError {
    CqlError::ReadFailure {
        message: format!(
            "Operation failed - received 0 responses and 1 failures: READ_TOO_MANY_TOMBSTONES from /{node}:{STORAGE_PORT}"
        ),
        consistency,
        received: 0,
        required: 1,
        data_present: false,
        overwhelmed: Some(node),
        warnings,
    }
}

/// The levels that a failure tells.
pub(super) fn levels(parameters: &Parameters) -> (u16, Option<u16>) {
    (
        parameters.consistency as u16,
        parameters.serial_consistency.map(|level| level as u16),
    )
}
