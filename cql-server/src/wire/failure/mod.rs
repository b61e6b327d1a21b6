//! Errors, encoded.
//!
//! Knows: codes and fields, and what older versions are told in place of what they do not know. Never: why.

use super::{opcode::Opcode, response::Message, version::Version, write::Put};
use crate::error::CqlError;
use bytes::{BufMut, BytesMut};
use std::net::IpAddr;

/// Codes of errors.
mod codes {
    pub(super) const SERVER: i32 = 0x0000;
    pub(super) const PROTOCOL: i32 = 0x000a;
    pub(super) const BAD_CREDENTIALS: i32 = 0x0100;
    pub(super) const UNAVAILABLE: i32 = 0x1000;
    pub(super) const OVERLOADED: i32 = 0x1001;
    pub(super) const TRUNCATE: i32 = 0x1003;
    pub(super) const WRITE_TIMEOUT: i32 = 0x1100;
    pub(super) const READ_TIMEOUT: i32 = 0x1200;
    pub(super) const READ_FAILURE: i32 = 0x1300;
    pub(super) const FUNCTION_FAILURE: i32 = 0x1400;
    pub(super) const WRITE_FAILURE: i32 = 0x1500;
    pub(super) const CAS_WRITE_UNKNOWN: i32 = 0x1700;
    pub(super) const SYNTAX: i32 = 0x2000;
    pub(super) const UNAUTHORIZED: i32 = 0x2100;
    pub(super) const INVALID: i32 = 0x2200;
    pub(super) const CONFIG: i32 = 0x2300;
    pub(super) const ALREADY_EXISTS: i32 = 0x2400;
    pub(super) const UNPREPARED: i32 = 0x2500;
}

impl CqlError {
    /// As `version` is told.
    pub(crate) fn message(&self, version: Version) -> Message {
        let mut body = BytesMut::with_capacity(64);
        body.put_i32(self.code(version));
        body.put_string(&self.to_string());
        self.put_fields(&mut body, version);
        Message::new(Opcode::Error, body)
    }

    /// Failures are timeouts to version 3, which does not know them.
    fn code(&self, version: Version) -> i32 {
        let is_old = version < Version::V4;
        match self {
            CqlError::Server(_)
            | CqlError::Storage(_)
            | CqlError::TimedOut
            | CqlError::TooManyTombstones(_) => codes::SERVER,
            CqlError::Protocol(_) => codes::PROTOCOL,
            CqlError::BadCredentials(_) => codes::BAD_CREDENTIALS,
            CqlError::Unavailable { .. } => codes::UNAVAILABLE,
            CqlError::Overloaded(_) => codes::OVERLOADED,
            CqlError::Truncate(_) => codes::TRUNCATE,
            CqlError::WriteTimeout { .. } => codes::WRITE_TIMEOUT,
            CqlError::ReadTimeout { .. } => codes::READ_TIMEOUT,
            CqlError::ReadFailure { .. } if is_old => codes::READ_TIMEOUT,
            CqlError::ReadFailure { .. } => codes::READ_FAILURE,
            CqlError::FunctionFailure { .. } if is_old => codes::INVALID,
            CqlError::FunctionFailure { .. } => codes::FUNCTION_FAILURE,
            CqlError::WriteFailure { .. } if is_old => codes::WRITE_TIMEOUT,
            CqlError::WriteFailure { .. } => codes::WRITE_FAILURE,
            // Version 5 brought it.
            CqlError::CasWriteUnknown { .. } if version < Version::V5 => codes::WRITE_TIMEOUT,
            CqlError::CasWriteUnknown { .. } => codes::CAS_WRITE_UNKNOWN,
            CqlError::Syntax(_) => codes::SYNTAX,
            CqlError::Unauthorized(_) => codes::UNAUTHORIZED,
            CqlError::Invalid(_) | CqlError::Guardrail { .. } => codes::INVALID,
            CqlError::Config(_) => codes::CONFIG,
            CqlError::AlreadyExists { .. } => codes::ALREADY_EXISTS,
            CqlError::Unprepared { .. } => codes::UNPREPARED,
        }
    }

    fn put_fields(&self, out: &mut BytesMut, version: Version) {
        match self {
            CqlError::Unavailable {
                consistency,
                required,
                alive,
            } => {
                out.put_u16(*consistency as u16);
                out.put_i32(*required);
                out.put_i32(*alive);
            }
            CqlError::CasWriteUnknown {
                consistency,
                received,
                required,
                ..
            } => {
                put_responses(out, *consistency, *received, *required);
                if version < Version::V5 {
                    out.put_string("CAS");
                }
            }
            CqlError::WriteTimeout { .. } | CqlError::ReadTimeout { .. } => self.put_timeout(out, version),
            CqlError::ReadFailure {
                consistency,
                received,
                required,
                data_present,
                overwhelmed,
                ..
            } => {
                put_responses(out, *consistency, *received, *required);
                match overwhelmed {
                    Some(node) if version >= Version::V5 => put_overwhelmed(out, *node),
                    _ => put_failed_nodes(out, *required - *received, version),
                }
                out.put_u8(u8::from(*data_present));
            }
            CqlError::WriteFailure {
                consistency,
                received,
                required,
                write_type,
                ..
            } => {
                put_responses(out, *consistency, *received, *required);
                put_failed_nodes(out, *required - *received, version);
                out.put_string(write_type);
            }
            CqlError::FunctionFailure {
                keyspace,
                function,
                argument_types,
                ..
            } if version >= Version::V4 => {
                out.put_string(keyspace);
                out.put_string(function);
                out.put_string_list(argument_types);
            }
            CqlError::AlreadyExists { keyspace, table, .. } => {
                out.put_string(keyspace);
                out.put_string(table);
            }
            CqlError::Unprepared { id, .. } => out.put_short_bytes(id),
            _ => {}
        }
    }

    fn put_timeout(&self, out: &mut BytesMut, version: Version) {
        match self {
            CqlError::WriteTimeout {
                consistency,
                received,
                required,
                write_type,
            } => {
                put_responses(out, *consistency, *received, *required);
                out.put_string(write_type);
                // How often others came in between, from version 5 on: the one that did not end.
                if *write_type == "CAS" && version >= Version::V5 {
                    out.put_u16(1);
                }
            }
            CqlError::ReadTimeout {
                consistency,
                received,
                required,
                data_present,
            } => {
                put_responses(out, *consistency, *received, *required);
                out.put_u8(u8::from(*data_present));
            }
            _ => {}
        }
    }
}

fn put_responses(out: &mut BytesMut, consistency: u16, received: i32, required: i32) {
    out.put_u16(consistency);
    out.put_i32(received);
    out.put_i32(required);
}

/// One node that failed, with its reason: too many tombstones.
fn put_overwhelmed(out: &mut BytesMut, node: IpAddr) {
    const TOO_MANY_TOMBSTONES: u16 = 1;
    out.put_i32(1);
    match node {
        IpAddr::V4(address) => {
            out.put_u8(4);
            out.put_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            out.put_u8(16);
            out.put_slice(&address.octets());
        }
    }
    out.put_u16(TOO_MANY_TOMBSTONES);
}

/// Version 4 counts the nodes that failed; from version 5 on each is told with its reason, of which there are none here.
fn put_failed_nodes(out: &mut BytesMut, count: i32, version: Version) {
    match version {
        Version::V3 => {}
        Version::V4 => out.put_i32(count.max(0)),
        Version::V5 | Version::V6 => out.put_i32(0),
    }
}

#[cfg(test)]
mod tests;
