use mesos_proto::masters::Address;

/// Why a master did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody knows who leads. Ask again later.
    #[error("no master leads")]
    NoLeader,
    /// There was no answer. What was asked may have been done, unless nobody answered at all.
    #[error("the master at {0} cannot be reached: {1}")]
    Unreachable(Address, String),
    /// It refused, with this status and text.
    #[error("the master answers {0}: {1}")]
    Answered(u16, String),
    /// Its answer is larger than this end takes.
    #[error("the master's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Its answer is none of the API.
    #[error("the master's answer cannot be read: {0}")]
    Malformed(String),
    /// The framework has no stream of events now, so nothing can be said for it.
    #[error("the framework is not subscribed")]
    NotSubscribed,
}
