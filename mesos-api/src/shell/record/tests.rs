use super::*;

#[test]
fn only_the_process_that_was_noted_holds() {
    let dir = tempfile::tempdir().unwrap();
    let record = Record::new(&dir.path().join("c"));
    let own = rustix::process::getpid();
    record.note(&record.lock().unwrap(), own, own).unwrap();
    let mut watch = record.watch().unwrap();
    assert!(watch.holds());
    if let Some(begun) = &mut watch.begun {
        begun.at += 1;
    }
    assert!(!watch.holds());
    let earlier: Watch = serde_json::from_str(r#"{"supervisor":1,"process":1}"#).unwrap();
    assert!(!earlier.holds());
}

#[test]
fn what_was_given_up_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let record = Record::new(&dir.path().join("c"));
    record.give_up().unwrap();
    record.remove();
    assert_eq!(record.end().unwrap(), Some(End::GivenUp));
    record.finish(Ended::Exited(0)).unwrap();
    record.remove();
    assert_eq!(record.end().unwrap(), None);
}
