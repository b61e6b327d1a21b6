use super::*;
use std::{fs, sync::mpsc};

#[test]
fn the_newest_is_kept_and_nothing_beyond_the_last_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stdout");
    let (from, mut to) = io::pipe().unwrap();
    let kept = Kept {
        file: Folder::at(dir.path()).unwrap().append("stdout".as_ref()).unwrap(),
        folder: Folder::at(dir.path()).unwrap(),
        name: "stdout",
        bytes_max: 10,
    };
    let (ends, ended) = mpsc::sync_channel(0);
    kept.take(from, ends);
    for text in ["one two ", "three ", "four "] {
        to.write_all(text.as_bytes()).unwrap();
        // Each is taken by itself; for a moment there is no file.
        while !fs::read_to_string(&path).unwrap_or_default().ends_with(text) {
            std::thread::yield_now();
        }
    }
    drop(to);
    assert!(ended.recv().is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "four ");
    assert_eq!(fs::read_to_string(dir.path().join("stdout.1")).unwrap(), "three ");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}
