use super::wire::*;
use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

fn answer(fill: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i32(7);
    bytes.put_i64(1);
    bytes.put_i32(0);
    fill(&mut bytes);
    bytes.freeze()
}

#[test]
fn the_lowest_number_leads() {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = names(&[
        "json.info_0000000012",
        "json.info_0000000003",
        "info_0000000001",
        "log_replicas",
        "json.info_x",
    ]);
    assert_eq!(leading(&all), Some("json.info_0000000003"));
    assert_eq!(leading(&names(&["log_replicas"])), None);
}

#[test]
fn what_is_asked_is_framed_as_zookeeper_reads_it() {
    let asked = get_children(5, "/mesos");
    assert_eq!(&asked[..], b"\0\0\0\x13\0\0\0\x05\0\0\0\x08\0\0\0\x06/mesos\x01");
    assert_eq!(&ping()[..], b"\0\0\0\x08\xff\xff\xff\xfe\0\0\0\x0b");
    assert_eq!(connect(10_000).len(), 4 + 45);
}

proptest! {
    #[test]
    fn names_come_back(names in prop::collection::vec("[a-z_0-9]{0,12}", 0..5)) {
        let bytes = answer(|to| {
            to.put_i32(names.len() as i32);
            for name in &names {
                to.put_i32(name.len() as i32);
                to.put_slice(name.as_bytes());
            }
        });
        let answer = Answer::parse(bytes).unwrap();
        prop_assert_eq!((answer.xid, answer.error), (7, 0));
        prop_assert_eq!(answer.children().unwrap(), names);
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = cut(&mut BytesMut::from(&bytes[..]));
        let _ = connected(Bytes::from(bytes.clone()));
        if let Ok(answer) = Answer::parse(Bytes::from(bytes)) {
            let _ = answer.clone().children();
            let _ = answer.data();
        }
    }
}

#[test]
fn counts_and_lengths_are_not_believed() {
    assert!(
        Answer::parse(answer(|to| to.put_i32(i32::MAX)))
            .unwrap()
            .children()
            .is_err()
    );
    assert!(
        Answer::parse(answer(|to| to.put_i32(i32::MAX)))
            .unwrap()
            .data()
            .is_err()
    );
    assert!(cut(&mut BytesMut::from(&[0x7f, 0, 0, 0][..])).is_err());
}
