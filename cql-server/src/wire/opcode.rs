//! What an envelope is.

/// Every opcode of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Opcode {
    Error = 0,
    Startup = 1,
    Ready = 2,
    Authenticate = 3,
    /// Of version 1, and known only to be refused.
    Credentials = 4,
    Options = 5,
    Supported = 6,
    Query = 7,
    Result = 8,
    Prepare = 9,
    Execute = 10,
    Register = 11,
    Event = 12,
    Batch = 13,
    AuthChallenge = 14,
    AuthResponse = 15,
    AuthSuccess = 16,
}

use Opcode::*;

/// By their numbers, with the names that error texts and metrics use.
const ALL: [(Opcode, &str); 17] = [
    (Error, "ERROR"),
    (Startup, "STARTUP"),
    (Ready, "READY"),
    (Authenticate, "AUTHENTICATE"),
    (Credentials, "CREDENTIALS"),
    (Options, "OPTIONS"),
    (Supported, "SUPPORTED"),
    (Query, "QUERY"),
    (Result, "RESULT"),
    (Prepare, "PREPARE"),
    (Execute, "EXECUTE"),
    (Register, "REGISTER"),
    (Event, "EVENT"),
    (Batch, "BATCH"),
    (AuthChallenge, "AUTH_CHALLENGE"),
    (AuthResponse, "AUTH_RESPONSE"),
    (AuthSuccess, "AUTH_SUCCESS"),
];

impl Opcode {
    pub(crate) fn of(number: u8) -> Option<Self> {
        ALL.get(usize::from(number)).map(|(opcode, _)| *opcode)
    }

    pub(crate) fn name(self) -> &'static str {
        ALL[self as usize].1
    }

    /// Whether clients send it.
    pub(crate) fn is_request(self) -> bool {
        matches!(
            self,
            Startup | Credentials | Options | Query | Prepare | Execute | Register | Batch | AuthResponse
        )
    }
}
