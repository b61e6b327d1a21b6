//! One file per opcode, and THE TABLE of them.
//!
//! Knows: what each request asks, who answers it, which may come when.
//! Never: sockets, how statements are executed.
//!
//! To add an opcode: write its file with an `async fn handle(cx, body)`, and add its line to the table.

mod auth_response;
mod batch;
mod client;
mod execute;
mod options;
mod prepare;
mod prepared;
mod query;
mod register;
mod startup;
mod stored;
mod trace;

pub(crate) use client::{Client, Service, Stage};
#[cfg(any(test, feature = "internals"))]
pub(crate) use stored::stored;

use crate::{
    connection::Framing,
    error::{CqlError, Result},
    wire::{
        envelope::{Envelope, Header, Request, flags},
        opcode::Opcode,
        read::Reader,
        response::Message,
        version::Version,
    },
};
use std::{future::Future, ops::Deref, pin::Pin, sync::Arc};

/// What a handler sees besides the body: its client, and the header.
#[derive(Clone)]
pub(crate) struct Context {
    client: Arc<Client>,
    pub(crate) header: Header,
    /// Set where the client asked to have its request traced.
    pub(crate) trace: Option<uuid::Uuid>,
}

impl Deref for Context {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Context {
    pub(crate) fn version(&self) -> Version {
        self.header.version
    }
}

/// What a handler gives.
pub(crate) struct Reply {
    pub(crate) message: Message,
    pub(crate) warnings: Vec<String>,
    pub(crate) then: Then,
}

impl From<Message> for Reply {
    fn from(message: Message) -> Self {
        Reply {
            message,
            warnings: Vec::new(),
            then: Then::Nothing,
        }
    }
}

/// What a connection does once an answer is on its way.
#[derive(Debug)]
pub(crate) enum Then {
    Nothing,
    /// Speaks this version from here on.
    Start(Version, Framing),
    /// Closes.
    Close(CqlError),
}

/// An answer, and what comes with it.
pub(crate) struct Done {
    pub(crate) envelope: Envelope,
    pub(crate) then: Then,
}

/// A request being answered.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What a handler is about to give.
type Handled = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// One line of THE TABLE.
pub(crate) struct Operation {
    pub(crate) opcode: Opcode,
    /// With what, as people read it.
    pub(crate) answered: &'static str,
    call: fn(Context, Reader) -> Handled,
}

macro_rules! api {
    ($code:literal $opcode:ident => $module:ident, $answered:literal) => {
        Operation {
            opcode: Opcode::$opcode,
            answered: $answered,
            call: |cx, body| Box::pin($module::handle(cx, body)),
        }
    };
}

/// Every opcode that is answered, by its number.
pub(crate) const TABLE: &[Operation] = &[
    api!(1 Startup => startup, "READY or AUTHENTICATE; `CQL_VERSION` from 3 on, `COMPRESSION` lz4 or snappy (version 5: lz4)"),
    api!(5 Options => options, "SUPPORTED"),
    api!(7 Query => query, "RESULT; every flag"),
    api!(9 Prepare => prepare, "RESULT; ids are Cassandra's"),
    api!(10 Execute => execute, "RESULT; metadata left out, or told anew where it changed"),
    api!(11 Register => register, "READY; then EVENT for changes of the schema"),
    api!(13 Batch => batch, "RESULT; logged, unlogged, counter"),
    api!(15 AuthResponse => auth_response, "AUTH_SUCCESS; SASL PLAIN, with `authenticator = \"PasswordAuthenticator\"`"),
];

/// The line of what is not answered: CREDENTIALS, of version 1.
const REFUSED: &Operation = &Operation {
    opcode: Opcode::Credentials,
    answered: "",
    call: |_, _| Box::pin(async { Err(CqlError::Protocol("Unsupported message".to_owned())) }),
};

/// Finds the line of a request, and starts its answer.
pub(crate) fn dispatch(client: &Arc<Client>, request: Request) -> (&'static Operation, Answer) {
    let header = request.header;
    client.count_request();
    let found = TABLE.binary_search_by_key(&header.opcode, |line| line.opcode);
    let operation = found.map_or(REFUSED, |at| &TABLE[at]);
    let cx = Context {
        client: client.clone(),
        header,
        trace: (header.flags & flags::TRACING != 0 && is_traced(header.opcode))
            .then(|| client.service.trace_id()),
    };
    (
        operation,
        Box::pin(answer(operation, cx, Reader::new(request.body))),
    )
}

/// Only what executes statements is traced, whatever else is asked.
fn is_traced(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Query | Opcode::Prepare | Opcode::Execute | Opcode::Batch
    )
}

async fn answer(operation: &'static Operation, cx: Context, body: Reader) -> Done {
    let (version, stream, trace) = (cx.version(), cx.header.stream, cx.trace);
    let trace = trace.map(uuid::Uuid::into_bytes);
    let done = |message: Message, then| Done {
        envelope: message.into_envelope(version, stream),
        then,
    };
    if let Some(error) = cx.client.stage().refuses(cx.header.opcode) {
        let then = match cx.client.stage() {
            Stage::New => Then::Close(error.clone()),
            _ => Then::Nothing,
        };
        return done(error.message(version), then);
    }
    let replied = match payload(&cx, body) {
        Ok(body) => (operation.call)(cx, body).await,
        Err(error) => Err(error),
    };
    match replied {
        Ok(reply) => done(
            reply.message.preceded(version, trace, &reply.warnings),
            reply.then,
        ),
        Err(error) => {
            if error.is_failure() {
                tracing::error!(opcode = operation.opcode.name(), why = %error, "a request failed");
            }
            done(
                error.message(version).preceded(version, trace, error.warnings()),
                Then::Nothing,
            )
        }
    }
}

/// Reads past a custom payload: nothing here looks at one, nor does the original.
fn payload(cx: &Context, mut body: Reader) -> Result<Reader> {
    if cx.header.flags & flags::CUSTOM_PAYLOAD != 0 {
        if cx.version() < Version::V4 {
            return Err(CqlError::Protocol(
                "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4".to_owned(),
            ));
        }
        body.bytes_map()?;
    }
    Ok(body)
}
