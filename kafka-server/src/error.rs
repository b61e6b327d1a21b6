//! Where every failure becomes a Kafka error code: the one file that maps them.

use crate::{config::alter::AlterFault, core::topics::Fault};
use crate::{core::producers::Refused, wire::records::Refusal};
use kafka_protocol::ResponseError;
use storage::StorageError;

/// What a handler answers with where it cannot do what was asked: a code, and where the protocol carries it, a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {}", message.as_deref().unwrap_or("no more detail"))]
pub(crate) struct ApiError {
    /// The protocol's code.
    pub(crate) code: ResponseError,
    /// What the original says, for protocols that carry a text.
    pub(crate) message: Option<String>,
}

impl ApiError {
    /// `code` with the words of the original.
    pub(crate) fn new(code: ResponseError, message: impl Into<String>) -> Self {
        ApiError {
            code,
            message: Some(message.into()),
        }
    }

    /// The number on the wire.
    pub(crate) fn wire(&self) -> i16 {
        self.code.code()
    }
}

impl From<ResponseError> for ApiError {
    fn from(code: ResponseError) -> Self {
        ApiError { code, message: None }
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let code = match &fault {
            Fault::Name(_) | Fault::Collision { .. } => ResponseError::InvalidTopicException,
            Fault::Exists(_) => ResponseError::TopicAlreadyExists,
            Fault::PartitionCount | Fault::Partitions(_) => ResponseError::InvalidPartitions,
            Fault::TooManyPartitions => ResponseError::PolicyViolation,
            Fault::ReplicationFactor | Fault::TooFewBrokers(_) => ResponseError::InvalidReplicationFactor,
            Fault::Assignment(_) => ResponseError::InvalidReplicaAssignment,
            Fault::Config(_) => ResponseError::InvalidConfig,
            Fault::Request(_) => ResponseError::InvalidRequest,
        };
        ApiError::new(code, fault.to_string())
    }
}

impl From<AlterFault> for ApiError {
    fn from(fault: AlterFault) -> Self {
        let code = match &fault {
            AlterFault::Request(_) => ResponseError::InvalidRequest,
            AlterFault::Config(_) => ResponseError::InvalidConfig,
        };
        ApiError::new(code, fault.to_string())
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        let code = match &error {
            StorageError::Fenced => ResponseError::NotLeaderOrFollower,
            StorageError::OutOfRange { .. } => ResponseError::OffsetOutOfRange,
            StorageError::Removed => ResponseError::UnknownTopicOrPartition,
            StorageError::Expectation { .. } => ResponseError::UnknownServerError,
            StorageError::Full | StorageError::Corrupt(_) | StorageError::Io(_) | StorageError::Engine(_) => {
                ResponseError::KafkaStorageError
            }
        };
        ApiError {
            code,
            message: Some(error.to_string()),
        }
    }
}

impl From<&Refusal> for ApiError {
    /// Only what single records are refused for comes with a text: the original keeps the others to its log.
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Corrupt(_) => ResponseError::CorruptMessage.into(),
            Refusal::Invalid(_) => ResponseError::InvalidRecord.into(),
            Refusal::Order => ResponseError::UnknownServerError.into(),
            Refusal::TooLarge(_) => ResponseError::MessageTooLarge.into(),
            Refusal::Compression(_) => ResponseError::UnsupportedCompressionType.into(),
            Refusal::Records {
                message, timestamp, ..
            } => {
                let code = match timestamp {
                    true => ResponseError::InvalidTimestamp,
                    false => ResponseError::InvalidRecord,
                };
                ApiError::new(code, message.clone())
            }
        }
    }
}

impl From<&Refused> for ApiError {
    /// Without a text, as the original answers.
    fn from(why: &Refused) -> Self {
        let code = match why {
            Refused::Epoch { .. } => ResponseError::InvalidProducerEpoch,
            Refused::Sequence { .. } | Refused::NewEpochSequence { .. } => {
                ResponseError::OutOfOrderSequenceNumber
            }
            Refused::NotTransactional { .. } => ResponseError::InvalidTxnState,
            Refused::Coordinator { .. } => ResponseError::TransactionCoordinatorFenced,
        };
        ApiError::from(code)
    }
}

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Close {
    /// The bytes are not of the protocol.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// An API key, or a version of one, that this server does not have.
    #[error("no API with key {key} and version {version}")]
    Unknown {
        /// The key asked for.
        key: i16,
        /// The version asked for.
        version: i16,
    },
    /// The peer is gone, or its socket failed.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// Stored bytes that belong to the answer could not be read.
    #[error("reading the answer: {0}")]
    Storage(#[from] StorageError),
    /// A request that asked for no answer failed.
    #[error("an unacknowledged request failed: {0}")]
    Unacknowledged(ApiError),
    /// The answer does not fit the protocol: a defect of this server.
    #[error("unencodable answer: {0}")]
    Unencodable(String),
}
