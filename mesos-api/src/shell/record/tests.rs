use super::*;

#[test]
fn only_the_process_that_was_noted_holds() {
    let dir = tempfile::tempdir().unwrap();
    let record = Record::new(&dir.path().join("c"));
    let own = rustix::process::getpid();
    record.note(&record.lock().unwrap(), own, own, own).unwrap();
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

#[test]
fn the_last_whole_line_counts_and_a_long_file_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.json");
    let last = || last_noted::<Vec<u64>>(&fs::read(&path).unwrap());
    for number in 0..50_000_u64 {
        note(&path, format!("[{number}]").as_bytes()).unwrap();
    }
    assert_eq!(last().unwrap(), [49_999]);
    assert!(fs::metadata(&path).unwrap().len() <= NOTED_BYTES_MAX + 100);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"\n[6").unwrap();
    assert_eq!(last().unwrap(), [49_999]);
    note(&path, b"[7]").unwrap();
    assert_eq!(last().unwrap(), [7]);
    note(&path, b"\"another kind\"").unwrap();
    assert!(last().unwrap_err().is_data());
    // As earlier versions left it.
    fs::write(&path, "[8]").unwrap();
    assert_eq!(last().unwrap(), [8]);
}

#[test]
fn a_torn_end_tells_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let record = Record::new(&dir.path().join("c"));
    for torn in ["", "{\"Of\":{\"Exi"] {
        fs::write(record.path(".end"), torn).unwrap();
        assert_eq!(record.end().unwrap(), None);
    }
    // Nobody watches and nobody knows: it is given up, for good.
    assert!(matches!(
        crate::shell::process::find(&record, crate::shell::cgroups::Group::default()).unwrap(),
        crate::shell::process::Found::Lost
    ));
    assert_eq!(record.end().unwrap(), Some(End::GivenUp));
}
