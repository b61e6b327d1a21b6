//! What goes in, and what comes out.

use super::model::{Cause, Kept, Run};
use crate::core::{constraints::Attribute, job::Job};

/// How jobs are dealt with that say nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// How long after a failure it is tried again.
    pub(crate) failure_retry_ms: i64,
    /// After how many failures in a row a job is disabled; 0: never.
    pub(crate) disable_after_failures: u64,
    pub(crate) jobs_max: usize,
}

/// What an agent offers, as far as nobody has reserved it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    pub(crate) id: String,
    pub(crate) agent: String,
    pub(crate) host: String,
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
    pub(crate) gpus: f64,
    pub(crate) attributes: Vec<Attribute>,
}

/// How a task is. States of the same meaning here are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskState {
    Staging,
    Running,
    Finished,
    Failed,
    Killed,
    /// It never ran, for certain.
    Dropped,
    /// Its agent does not know it, and would if it had got it.
    Unknown,
    /// Nothing will be heard of it any more; it may have run.
    Lost,
}

/// What a master tells of a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Status {
    pub(crate) task: String,
    pub(crate) agent: Option<String>,
    pub(crate) state: TaskState,
    /// By which it is acknowledged, where it is to be.
    pub(crate) uuid: Option<Vec<u8>>,
    pub(crate) message: String,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    /// A job that is new, or in place of the one of its name.
    Put(Box<Job>),
    Delete(String),
    /// A run, now, with these arguments.
    Trigger {
        name: String,
        arguments: Option<String>,
    },
    /// It counts as having ended well.
    Succeed(String),
    /// All tasks of a job are to end.
    Kill(String),
    /// An asynchronous run has ended, well or not.
    Ended {
        task: String,
        well: bool,
    },
    /// A run has got on.
    Progress {
        name: String,
        task: String,
        more: i64,
    },
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// Time goes by.
    Tick,
    Subscribed {
        framework: String,
    },
    Disconnected,
    /// The master does not want the framework of this id any more: its tasks are gone.
    Banished,
    Offers(Vec<Offer>),
    Rescinded(String),
    Status(Status),
    Command(Box<Command>),
}

/// What is to be stored, all of a step or none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    Job(Box<Kept>),
    NoJob(String),
    Run(Run),
    NoRun(String),
    Framework(Option<String>),
}

/// A task that is to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Launch {
    pub(crate) task: String,
    pub(crate) job: Job,
    pub(crate) due: i64,
    pub(crate) attempt: u32,
    pub(crate) arguments: Option<String>,
    pub(crate) cause: Cause,
}

/// What is to be done, in order, once the changes of its step are stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    Accept {
        offer: Offer,
        launches: Vec<Launch>,
    },
    /// Offers that are of no use, and for how many seconds they will not be.
    Decline {
        offers: Vec<String>,
        seconds: f64,
    },
    /// Offers are wanted.
    Revive,
    /// None are.
    Suppress,
    Kill {
        task: String,
        agent: Option<String>,
    },
    Acknowledge {
        task: String,
        agent: String,
        uuid: Vec<u8>,
    },
    /// Tasks, and their agents; none stands for all that the master has.
    Reconcile(Vec<(String, String)>),
}

/// What follows from an input.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) changes: Vec<Change>,
    pub(crate) effects: Vec<Effect>,
    /// What a command is answered.
    pub(crate) answer: Result<(), Refused>,
}

/// Why a command has no effect. Texts are the original's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It is told so, in a sentence.
    #[error("{0}")]
    Plain(String),
    /// What the original requires does not hold.
    #[error("requirement failed: {0}")]
    Requirement(String),
    /// What the original calls its own fault, though it is the client's.
    #[error("{0}")]
    Fault(String),
}
