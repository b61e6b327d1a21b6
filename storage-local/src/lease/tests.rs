use super::*;

#[test]
fn epochs_grow_whatever_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let epoch = || LockFile::take(dir.path()).unwrap().epoch;
    assert_eq!([epoch(), epoch()], [1, 2]);
    std::fs::remove_file(dir.path().join(NAME)).unwrap();
    assert_eq!(epoch(), 3);
    // A directory of an earlier version has no second place.
    std::fs::remove_file(dir.path().join(EPOCH_NAME)).unwrap();
    assert_eq!([epoch(), epoch()], [4, 5]);
    std::fs::write(dir.path().join(EPOCH_NAME), "").unwrap();
    assert_eq!(epoch(), 6);
}
