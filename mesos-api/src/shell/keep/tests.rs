use super::*;

#[test]
fn a_torn_file_is_removed_and_the_folder_is_private() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("meta")).unwrap();
    let keep = Keep::open(dir.path()).unwrap();
    let mode = fs::metadata(dir.path().join("meta"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    for text in ["", "{\"version\":1,", "\0\0"] {
        fs::write(keep.path("c"), text).unwrap();
        assert!(keep.executors().unwrap().is_empty());
        assert!(!keep.path("c").exists());
    }
    fs::write(keep.path("c"), "{\"version\":2}").unwrap();
    assert!(keep.executors().is_err());
}
