use super::*;
use std::{fs::File, io::Write};

/// Both ends of what a nursery is asked by.
fn ends() -> (OwnedFd, OwnedFd) {
    socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap()
}

#[test]
fn descriptors_arrive_with_their_message() {
    let (near, far) = ends();
    let (mut reads, writes) = io::pipe().unwrap();
    send(&near, 7, &[writes.as_fd()]).unwrap();
    send(&near, 8, &[]).unwrap();
    drop((near, writes));
    let (number, mut descriptors) = receive(&far).unwrap().unwrap();
    assert_eq!((number, descriptors.len()), (7, 1));
    let mut writes = File::from(descriptors.remove(0));
    writes.write_all(b"here").unwrap();
    drop(writes);
    assert_eq!(io::read_to_string(&mut reads).unwrap(), "here");
    let (number, descriptors) = receive(&far).unwrap().unwrap();
    assert_eq!((number, descriptors.len()), (8, 0));
    assert!(receive(&far).unwrap().is_none());
}

#[test]
fn a_program_that_is_none_is_told() {
    let nursery = Nursery::new("/nowhere".into());
    let null = File::open("/dev/null").unwrap();
    let given = [null.as_fd(); GIVEN];
    let told = nursery.supervisor(&Among::Ours, given).unwrap_err();
    assert_eq!(told.kind(), io::ErrorKind::NotFound);
}

#[test]
fn one_that_does_not_serve_is_told_and_another_started() {
    let nursery = Nursery::new("/bin/true".into());
    let null = File::open("/dev/null").unwrap();
    for _ in 0..2 {
        assert!(nursery.supervisor(&Among::Ours, [null.as_fd(); GIVEN]).is_err());
    }
}
