use super::Asked;
use crate::{
    config::Soa as Origin,
    core::{
        answer::{Answer, Outcome, Record},
        zone::Zone,
    },
};
use domain::{
    base::{
        Message, MessageBuilder, Name, Serial, Ttl,
        iana::{OptRcode, Rcode},
        message_builder::{AdditionalBuilder, PushError, StaticCompressor},
    },
    rdata::{A, Aaaa, Ns, Soa, Srv},
};

/// Bytes that an answer may take over UDP here, as is told to who says what it takes itself.
const UDP_BYTES: u16 = 4096;
/// Bytes of what is said with it.
const EDNS_BYTES: usize = 11;
/// Bytes of a name at the most.
const NAME_BYTES_MAX: usize = 255;

type Target = StaticCompressor<Vec<u8>>;

/// What every answer of the zone needs beside its records.
pub(crate) struct Limits<'a> {
    pub(crate) bytes: usize,
    pub(crate) ttl: u32,
    /// Whether recursion is said to be available.
    pub(crate) recursive: bool,
    /// Whether an answer that was cut says so.
    pub(crate) tells_cut: bool,
    pub(crate) origin: &'a Origin,
}

fn builder(bytes_max: usize) -> MessageBuilder<Target> {
    let target = StaticCompressor::new(Vec::with_capacity(512));
    let mut builder = match MessageBuilder::from_target(target) {
        Ok(builder) => builder,
        // A vector grows.
        Err(never) => match never {},
    };
    builder.set_push_limit(bytes_max);
    builder
}

fn begin(message: &Message<[u8]>, rcode: Rcode, bytes_max: usize) -> MessageBuilder<Target> {
    let mut builder = builder(bytes_max);
    let asked = message.header();
    let header = builder.header_mut();
    header.set_id(asked.id());
    header.set_qr(true);
    header.set_opcode(asked.opcode());
    header.set_rd(asked.rd());
    header.set_cd(asked.cd());
    header.set_rcode(rcode);
    builder
}

/// An answer to what cannot be read any further than its head.
pub(super) fn without_question(message: &Message<[u8]>, rcode: Rcode) -> Vec<u8> {
    begin(message, rcode, usize::MAX).finish().into_target()
}

/// An answer without records.
fn empty(asked: &Asked<'_>, rcode: Rcode) -> AdditionalBuilder<Target> {
    let mut question = begin(asked.message, rcode, usize::MAX).question();
    // It was read from a message, so it has its place in one.
    let _ = question.push(asked.question);
    question.additional()
}

/// An answer to who says something of itself in a version that nobody knows here.
pub(super) fn bad_version(asked: &Asked<'_>) -> Vec<u8> {
    let mut builder = empty(asked, Rcode::NOERROR);
    let _ = builder.opt(|opt| {
        opt.set_udp_payload_size(UDP_BYTES);
        opt.set_rcode(OptRcode::BADVERS);
        Ok(())
    });
    builder.finish().into_target()
}

/// An answer to what is not this server's to know.
pub(crate) fn refuse(asked: &Asked<'_>) -> Vec<u8> {
    without_records(asked, Rcode::REFUSED)
}

/// An answer to what nobody can tell now.
pub(crate) fn fail(asked: &Asked<'_>) -> Vec<u8> {
    without_records(asked, Rcode::SERVFAIL)
}

fn without_records(asked: &Asked<'_>, rcode: Rcode) -> Vec<u8> {
    let mut builder = empty(asked, rcode);
    say_edns(asked, &mut builder);
    builder.finish().into_target()
}

fn say_edns(asked: &Asked<'_>, builder: &mut AdditionalBuilder<Target>) {
    if asked.edns.is_some() {
        builder.clear_push_limit();
        let _ = builder.opt(|opt| {
            opt.set_udp_payload_size(UDP_BYTES);
            Ok(())
        });
    }
}

/// Writes an answer, cut to what may be sent: what is additional goes first, then as many records as it takes.
pub(crate) fn reply(asked: &Asked<'_>, zone: &Zone, answer: &Answer<'_>, limits: &Limits<'_>) -> Vec<u8> {
    let rcode = match answer.outcome {
        Outcome::NoName => Rcode::NXDOMAIN,
        Outcome::Found | Outcome::NoData => Rcode::NOERROR,
    };
    let room = match asked.edns {
        Some(_) => limits.bytes - EDNS_BYTES,
        None => limits.bytes,
    };
    let mut builder = begin(asked.message, rcode, room);
    let header = builder.header_mut();
    header.set_aa(true);
    header.set_ra(limits.recursive);
    let owner = asked.question.qname();
    let mut question = builder.question();
    let mut cut = question.push(asked.question).is_err();
    let mut answers = question.answer();
    for record in &answer.answers {
        let pushed = match record {
            Record::A(address) => answers.push((owner, limits.ttl, A::new(*address))),
            Record::Aaaa(address) => answers.push((owner, limits.ttl, Aaaa::new(*address))),
            Record::Srv(service) => {
                let mut bytes = [0; NAME_BYTES_MAX];
                // What is no name is none that anybody could ask for.
                let Some(target) = name_of(&service.target, &mut bytes) else {
                    continue;
                };
                let srv = Srv::new(0, 0, service.port, target);
                answers.push((owner, limits.ttl, srv))
            }
        };
        if pushed.is_err() {
            cut = true;
            break;
        }
    }
    let mut authority = answers.authority();
    for _ in 0..answer.soa {
        cut |= push_soa(&mut authority, asked, zone, limits).is_err();
    }
    if answer.ns {
        let mut bytes = [0; NAME_BYTES_MAX];
        if let Some(server) = name_of(&limits.origin.mname, &mut bytes) {
            cut |= authority.push((owner, limits.ttl, Ns::new(server))).is_err();
        }
    }
    let mut additional = authority.additional();
    cut |= push_additional(&mut additional, answer, limits).is_err();
    if cut {
        additional.rewind();
        additional.header_mut().set_tc(limits.tells_cut);
    }
    say_edns(asked, &mut additional);
    additional.finish().into_target()
}

fn push_soa(
    authority: &mut domain::base::message_builder::AuthorityBuilder<Target>,
    asked: &Asked<'_>,
    zone: &Zone,
    limits: &Limits<'_>,
) -> Result<(), PushError> {
    let (mut mname, mut rname) = ([0; NAME_BYTES_MAX], [0; NAME_BYTES_MAX]);
    let origin = limits.origin;
    let names = name_of(&origin.mname, &mut mname).zip(name_of(&origin.rname, &mut rname));
    let Some((mname, rname)) = names else {
        return Ok(());
    };
    let soa = Soa::new(
        mname,
        rname,
        Serial(zone.serial),
        Ttl::from_secs(origin.refresh),
        Ttl::from_secs(origin.retry),
        Ttl::from_secs(origin.expire),
        // The original says its time to live here, too.
        Ttl::from_secs(limits.ttl),
    );
    authority.push((asked.question.qname(), limits.ttl, soa))
}

fn push_additional(
    additional: &mut AdditionalBuilder<Target>,
    answer: &Answer<'_>,
    limits: &Limits<'_>,
) -> Result<(), PushError> {
    for (name, record) in &answer.additional {
        let mut bytes = [0; NAME_BYTES_MAX];
        let Some(owner) = name_of(name, &mut bytes) else {
            continue;
        };
        match record {
            Record::A(address) => additional.push((owner, limits.ttl, A::new(*address)))?,
            Record::Aaaa(address) => additional.push((owner, limits.ttl, Aaaa::new(*address)))?,
            Record::Srv(_) => {}
        }
    }
    Ok(())
}

/// A name from its text, whose parts are what stands between the dots.
pub(super) fn name_of<'b>(text: &str, bytes: &'b mut [u8; NAME_BYTES_MAX]) -> Option<Name<&'b [u8]>> {
    let mut at = 0;
    for label in text.strip_suffix('.').unwrap_or(text).split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        *bytes.get_mut(at)? = length;
        let end = at + 1 + label.len();
        bytes.get_mut(at + 1..end)?.copy_from_slice(label.as_bytes());
        at = end;
    }
    *bytes.get_mut(at)? = 0;
    Name::from_octets(&bytes[..=at]).ok()
}
