use crate::{
    core::tests::made::{agent, framework, state, task},
    internals::Names,
};
use domain::{
    base::{
        Message, MessageBuilder, Name, Rtype,
        iana::{Class, Opcode, Rcode},
    },
    rdata::{A, Ns, Soa, Srv},
};
use proptest::prelude::*;
use std::str::FromStr;

type Owned = Name<Vec<u8>>;

/// A name server for so many tasks `web` of the framework `f`, each with two ports.
fn names(tasks: u64) -> Names {
    let tasks = (0..tasks).map(|at| {
        task(
            &format!("web.{at}"),
            "web",
            1 + (at % 200) as u32,
            &[(2 * at, 2 * at + 1)],
        )
    });
    let agents = (1..=200).map(agent).collect();
    Names::of(&state(agents, vec![framework("f", "f", "")], tasks.collect())).unwrap()
}

/// A question; with the bytes that its asker takes, if it says so.
fn question(name: &str, rtype: Rtype, class: Class, edns: Option<u16>) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(0x1234);
    builder.header_mut().set_rd(true);
    let mut question = builder.question();
    question
        .push((Owned::from_str(name).unwrap(), rtype, class))
        .unwrap();
    let mut additional = question.additional();
    if let Some(bytes) = edns {
        let say = |opt: &mut domain::base::message_builder::OptBuilder<'_, Vec<u8>>| {
            opt.set_udp_payload_size(bytes);
            Ok(())
        };
        additional.opt(say).unwrap();
    }
    additional.finish()
}

fn asked(names: &Names, question: &[u8], tcp: bool) -> Message<Vec<u8>> {
    let answer = names.answer(question, tcp).expect("it is answered");
    let answer = Message::from_octets(answer).unwrap();
    assert!(answer.header().qr());
    assert_eq!(answer.header().id(), 0x1234);
    answer
}

fn ask(names: &Names, name: &str, rtype: Rtype) -> Message<Vec<u8>> {
    asked(names, &question(name, rtype, Class::IN, None), false)
}

#[test]
fn an_address_is_answered_with_authority() {
    let names = names(1);
    let answer = ask(&names, "WEB.f.Mesos.", Rtype::A);
    let header = answer.header();
    assert!(header.aa() && header.ra() && header.rd() && !header.tc());
    assert_eq!(header.rcode(), Rcode::NOERROR);
    let record = answer.answer().unwrap().limit_to::<A>().next().unwrap().unwrap();
    assert_eq!(record.ttl().as_secs(), 60);
    assert_eq!(record.data().addr().to_string(), "10.0.0.1");
    // The name is the one that was asked for, as it was written.
    assert_eq!(record.owner().to_string(), "WEB.f.Mesos");
    let wild = ask(&names, "web.*.f.mesos.", Rtype::A);
    assert_eq!(wild.header_counts().ancount(), 1);
}

#[test]
fn a_service_brings_its_target_and_where_that_is() {
    let answer = ask(&names(1), "_web._tcp.f.mesos.", Rtype::SRV);
    let records: Vec<_> = answer
        .answer()
        .unwrap()
        .limit_to::<Srv<_>>()
        .map(Result::unwrap)
        .collect();
    let mut ports: Vec<u16> = records.iter().map(|record| record.data().port()).collect();
    ports.sort_unstable();
    assert_eq!(ports, [0, 1]);
    let target = records[0].data().target().to_string();
    assert!(target.ends_with("-s1.f.slave.mesos"), "{target}");
    let additional = answer
        .additional()
        .unwrap()
        .limit_to::<A>()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(additional.owner().to_string(), target);
}

#[test]
fn names_that_are_not_there_are_answered_with_the_zone() {
    let names = names(1);
    let answer = ask(&names, "nobody.f.mesos.", Rtype::A);
    assert_eq!(answer.header().rcode(), Rcode::NXDOMAIN);
    let record = answer
        .authority()
        .unwrap()
        .limit_to::<Soa<_>>()
        .next()
        .unwrap()
        .unwrap();
    let soa = record.data();
    assert_eq!(soa.mname().to_string(), "ns1.mesos");
    assert_eq!(soa.rname().to_string(), "root.ns1.mesos");
    let numbers = [soa.refresh(), soa.retry(), soa.expire(), soa.minimum()].map(|ttl| ttl.as_secs());
    assert_eq!(numbers, [60, 600, 86400, 60]);
    let none = ask(&names, "web.f.mesos.", Rtype::AAAA);
    assert_eq!(none.header().rcode(), Rcode::NOERROR);
    assert_eq!(none.header_counts().ancount(), 0);
    assert_eq!(none.header_counts().nscount(), 1);
    let ns = ask(&names, "mesos.", Rtype::NS);
    let record = ns
        .authority()
        .unwrap()
        .limit_to::<Ns<_>>()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(record.data().nsdname().to_string(), "ns1.mesos");
}

#[test]
fn what_is_not_ones_own_is_refused() {
    let names = names(1);
    for name in ["example.com.", "notmesos.", "xmesos.", ".", "mesos.example."] {
        let answer = ask(&names, name, Rtype::A);
        assert_eq!(answer.header().rcode(), Rcode::REFUSED, "{name}");
        assert!(!answer.header().aa(), "{name}");
        assert_eq!(answer.header_counts().qdcount(), 1, "{name}");
    }
    let chaos = question("leader.mesos.", Rtype::TXT, Class::CH, None);
    assert_eq!(asked(&names, &chaos, false).header().rcode(), Rcode::REFUSED);
}

#[test]
fn an_answer_is_cut_to_what_the_asker_takes() {
    let names = names(300);
    let sizes = [
        (None, 512),
        (Some(100), 512),
        (Some(1232), 1232),
        (Some(65535), 4096),
    ];
    for (edns, most) in sizes {
        let question = question("_web._tcp.f.mesos.", Rtype::SRV, Class::IN, edns);
        let answer = asked(&names, &question, false);
        assert!(
            answer.as_slice().len() <= most,
            "{edns:?} {}",
            answer.as_slice().len()
        );
        assert!(
            answer.as_slice().len() + 100 > most,
            "{edns:?} {}",
            answer.as_slice().len()
        );
        assert!(answer.header().tc(), "{edns:?}");
        assert_eq!(answer.opt().is_some(), edns.is_some());
        assert!(
            answer
                .answer()
                .unwrap()
                .limit_to::<Srv<_>>()
                .all(|record| record.is_ok())
        );
    }
    let question = question("_web._tcp.f.mesos.", Rtype::SRV, Class::IN, None);
    let whole = asked(&names, &question, true);
    assert!(!whole.header().tc());
    assert_eq!(whole.header_counts().ancount(), 600);
}

#[test]
fn what_is_wrong_is_told() {
    let names = names(1);
    let sound = question("leader.mesos.", Rtype::A, Class::IN, None);
    // No head, no answer; nor to what is an answer itself.
    assert!(names.answer(&sound[..11], false).is_none());
    let mut answer = sound.clone();
    answer[2] |= 0x80;
    assert!(names.answer(&answer, false).is_none());
    let rcode = |bytes: &[u8]| asked(&names, bytes, false).header().rcode();
    let mut notify = sound.clone();
    notify[2] = (Opcode::NOTIFY.to_int() << 3) | notify[2] & 0x87;
    assert_eq!(rcode(&notify), Rcode::NOTIMP);
    assert_eq!(rcode(&sound[..20]), Rcode::FORMERR);
    for count in [0, 2, 0xff] {
        let mut several = sound.clone();
        several[5] = count;
        assert_eq!(rcode(&several), Rcode::FORMERR, "{count}");
    }
    let mut behind = sound.clone();
    behind[11] = 9;
    assert_eq!(rcode(&behind), Rcode::FORMERR);
    // A name that points at itself.
    let mut endless = sound[..12].to_vec();
    endless.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
    assert_eq!(rcode(&endless), Rcode::FORMERR);
    let mut version = question("leader.mesos.", Rtype::A, Class::IN, Some(1232));
    let at = version.len() - 5;
    version[at] = 1;
    let told = asked(&names, &version, false);
    assert_eq!(told.opt_rcode().to_int(), 16);
}

proptest! {
    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), tcp: bool) {
        let names = names(1);
        if let Some(answer) = names.answer(&bytes, tcp) {
            prop_assert!(Message::from_octets(answer).unwrap().header().qr());
        }
    }

    #[test]
    fn sound_questions_with_one_wrong_byte_are_taken(at in 0_usize..40, byte: u8, tcp: bool) {
        let names = names(2);
        let mut bytes = question("_web._tcp.f.mesos.", Rtype::ANY, Class::IN, Some(1232));
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Some(answer) = names.answer(&bytes, tcp) {
            prop_assert!(tcp || answer.len() <= 4096);
            let answer = Message::from_octets(answer).unwrap();
            prop_assert!(answer.iter().all(|record| record.is_ok()));
        }
    }

    #[test]
    fn names_come_back_as_they_were(labels in prop::collection::vec("[a-z0-9_-]{1,63}", 1..4)) {
        let text = format!("{}.", labels.join("."));
        let mut bytes = [0; 255];
        match super::write::name_of(&text, &mut bytes) {
            Some(name) => prop_assert_eq!(format!("{name}."), text),
            None => prop_assert!(text.len() > 254),
        }
    }
}

#[test]
fn what_is_no_name_is_none() {
    let mut bytes = [0; 255];
    for text in [
        "",
        ".",
        "a..b.",
        &format!("{}.", "a".repeat(64)),
        &"abc.".repeat(70),
    ] {
        assert!(super::write::name_of(text, &mut bytes).is_none(), "{text}");
    }
    let name = super::write::name_of("leader.mesos.", &mut bytes).unwrap();
    assert_eq!(name.iter().count(), 3);
}
