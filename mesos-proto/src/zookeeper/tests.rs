use super::*;
use bytes::BufMut;
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
fn what_is_asked_is_framed_as_zookeeper_reads_it() {
    let asked = get_children(5, "/mesos");
    assert_eq!(&asked[..], b"\0\0\0\x13\0\0\0\x05\0\0\0\x08\0\0\0\x06/mesos\x01");
    assert_eq!(&ping()[..], b"\0\0\0\x08\xff\xff\xff\xfe\0\0\0\x0b");
    assert_eq!(connect(&Session::default(), 0).len(), 4 + 45);
    let made = create_numbered(1, "/n", b"x", Access::Open);
    assert_eq!(
        &made[4..],
        b"\0\0\0\x01\0\0\0\x01\0\0\0\x02/n\0\0\0\x01x\0\0\0\x01\0\0\0\x1f\0\0\0\x05world\0\0\0\x06anyone\0\0\0\x03"
    );
    let path = "/n".to_owned();
    let deleted = multi(1, &[Change::Delete { path }], Access::Open);
    assert_eq!(
        &deleted[4..],
        b"\0\0\0\x01\0\0\0\x0e\0\0\0\x02\0\xff\xff\xff\xff\0\0\0\x02/n\xff\xff\xff\xff\xff\xff\xff\xff\x01\xff\xff\xff\xff"
    );
    let path = "/n".to_owned();
    let checked = multi(1, &[Change::Check { path }], Access::Open);
    assert_eq!(
        &checked[4..],
        b"\0\0\0\x01\0\0\0\x0e\0\0\0\x0d\0\xff\xff\xff\xff\0\0\0\x02/n\xff\xff\xff\xff\xff\xff\xff\xff\x01\xff\xff\xff\xff"
    );
}

#[test]
fn what_is_granted_is_what_one_goes_on_with() {
    let session = Session {
        id: 9,
        password: [3; 16],
        timeout_ms: 4000,
    };
    // A server grants in the form in which one asks, without what was seen.
    let granted = |timeout_ms| {
        let asked = connect(
            &Session {
                timeout_ms,
                ..session.clone()
            },
            0,
        );
        let mut bytes = BytesMut::from(&asked[4..8]);
        bytes.extend_from_slice(&asked[16..]);
        connected(bytes.freeze())
    };
    assert_eq!(granted(4000), Ok(Some(session.clone())));
    assert_eq!(granted(0), Ok(None));
}

#[test]
fn changes_are_all_made_or_the_first_that_could_not_be_tells_why() {
    let head = |to: &mut BytesMut, kind: i32, done: u8, error: i32| {
        to.put_i32(kind);
        to.put_u8(done);
        to.put_i32(error);
    };
    let refused = answer(|to| {
        for error in [0, NODE_EXISTS, -2] {
            head(to, -1, 0, error);
            to.put_i32(error);
        }
        head(to, -1, 1, -1);
    });
    assert_eq!(Answer::parse(refused).unwrap().changed(), Ok(Err(NODE_EXISTS)));
    let made = answer(|to| head(to, 2, 0, 0));
    assert_eq!(Answer::parse(made).unwrap().changed(), Ok(Ok(())));
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
        prop_assert_eq!((answer.xid, answer.zxid, answer.error), (7, 1, 0));
        prop_assert_eq!(answer.children().unwrap(), names);
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = cut(&mut BytesMut::from(&bytes[..]));
        let _ = connected(Bytes::from(bytes.clone()));
        if let Ok(answer) = Answer::parse(Bytes::from(bytes)) {
            let _ = answer.clone().children();
            let _ = answer.clone().path();
            let _ = answer.clone().changed();
            let _ = answer.data();
        }
    }
}

#[test]
fn counts_and_lengths_are_not_believed() {
    let answer = || Answer::parse(answer(|to| to.put_i32(i32::MAX))).unwrap();
    assert!(answer().children().is_err());
    assert!(answer().data().is_err());
    assert!(cut(&mut BytesMut::from(&[0x7f, 0, 0, 0][..])).is_err());
}
