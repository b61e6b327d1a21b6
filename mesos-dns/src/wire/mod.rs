//! Messages of DNS: questions to their names, answers to bytes.
//!
//! Rooms: `write` (answers, cut to what the asker takes). Knows: `domain`'s codecs, which are named nowhere else; what is wrong
//! with a message. Never: which records there are.

#[cfg(test)]
mod tests;
mod write;

pub(crate) use write::{Limits, fail, refuse, reply};

use crate::core::{
    answer::Kind,
    labels::{looked_up, push_byte},
};
use domain::base::{
    Message, ParsedName, Question, Rtype,
    iana::{Class, Opcode, Rcode},
    name::ToLabelIter,
};

/// Bytes of an answer over UDP where the asker does not say what it takes; the least that anybody may say.
const UDP_BYTES: u16 = 512;
/// Bytes of an answer over UDP at the most, whatever the asker says that it takes.
const UDP_BYTES_MAX: u16 = 4096;

/// What an asker says of itself beside its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edns {
    /// Bytes that it takes over UDP.
    pub(crate) bytes: u16,
    version: u8,
}

/// A question, and where it stands.
pub(crate) struct Asked<'m> {
    pub(crate) message: &'m Message<[u8]>,
    question: Question<ParsedName<&'m [u8]>>,
    pub(crate) edns: Option<Edns>,
    /// In lower case, with the dot of the root, without wildcards.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a message is.
pub(crate) enum Received<'m> {
    Asked(Box<Asked<'m>>),
    /// It is answered with what is wrong with it.
    Wrong(Vec<u8>),
    /// It is none that is answered.
    Nothing,
}

impl Asked<'_> {
    /// Bytes that the asker takes over UDP.
    pub(crate) fn udp_bytes(&self) -> usize {
        let takes = self.edns.map_or(UDP_BYTES, |edns| edns.bytes);
        usize::from(takes.clamp(UDP_BYTES, UDP_BYTES_MAX))
    }
}

/// Reads a message as a question.
pub(crate) fn read(bytes: &[u8]) -> Received<'_> {
    let Ok(message) = Message::from_slice(bytes) else {
        return Received::Nothing;
    };
    let header = message.header();
    // What answers is never answered, else two servers could talk for ever.
    if header.qr() {
        return Received::Nothing;
    }
    if header.opcode() != Opcode::QUERY {
        return Received::Wrong(write::without_question(message, Rcode::NOTIMP));
    }
    let formless = || Received::Wrong(write::without_question(message, Rcode::FORMERR));
    let Ok(question) = message.sole_question() else {
        return formless();
    };
    let Ok(edns) = edns(message) else {
        return formless();
    };
    let asked = Asked {
        message,
        edns,
        name: name(question.qname()),
        kind: kind(question.qtype()),
        question,
    };
    if asked.edns.is_some_and(|edns| edns.version > 0) {
        return Received::Wrong(write::bad_version(&asked));
    }
    if ![Class::IN, Class::ANY].contains(&asked.question.qclass()) {
        return Received::Wrong(refuse(&asked));
    }
    Received::Asked(Box::new(asked))
}

/// What the asker says of itself; nothing may stand behind the question that cannot be read.
fn edns(message: &Message<[u8]>) -> Result<Option<Edns>, ()> {
    let counts = message.header_counts();
    if counts.ancount() == 0 && counts.nscount() == 0 && counts.arcount() == 0 {
        return Ok(None);
    }
    for record in message.iter() {
        record.map_err(|_| ())?;
    }
    Ok(message.opt().map(|opt| Edns {
        bytes: opt.udp_payload_size(),
        version: opt.version(),
    }))
}

fn kind(rtype: Rtype) -> Kind {
    match rtype {
        Rtype::A => Kind::A,
        Rtype::AAAA => Kind::Aaaa,
        Rtype::SRV => Kind::Srv,
        Rtype::SOA => Kind::Soa,
        Rtype::NS => Kind::Ns,
        Rtype::ANY => Kind::Any,
        _ => Kind::Other,
    }
}

/// A name as text, as it is looked up.
fn name(name: &ParsedName<&[u8]>) -> String {
    let mut text = String::with_capacity(usize::from(name.compose_len()));
    let mut wild = false;
    for label in name.iter().filter(|label| !label.is_root()) {
        for byte in label.as_slice() {
            wild |= *byte == b'*';
            push_byte(&mut text, *byte);
        }
        text.push('.');
    }
    match wild || text.is_empty() {
        true => looked_up(&text),
        false => text,
    }
}
