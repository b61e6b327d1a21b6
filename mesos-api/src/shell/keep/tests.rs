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

#[test]
fn what_was_asked_for_is_kept_until_it_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep::open(dir.path()).unwrap();
    let asked = Asked {
        container: "a.b".to_owned(),
        run: "first".to_owned(),
        ..Asked::default()
    };
    keep.keep_asked("a.b", Some(&asked)).unwrap();
    // What its supervisor writes beside it is no container.
    let record = keep.record_of_asked(&asked);
    record.give_up().unwrap();
    let names = |all: Vec<Asked>| all.into_iter().map(|one| one.container).collect::<Vec<_>>();
    assert_eq!(names(keep.asked().unwrap()), ["a.b"]);
    fs::write(dir.path().join("meta/asked/torn.json"), "{\"version\":1,").unwrap();
    assert_eq!(names(keep.asked().unwrap()), ["a.b"]);
    assert!(record.end().unwrap().is_some());
    keep.keep_asked("a.b", None).unwrap();
    assert!(keep.asked().unwrap().is_empty());
    let left = std::fs::read_dir(dir.path().join("meta/asked")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn a_name_is_free_though_its_last_container_was_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep::open(dir.path()).unwrap();
    let of = |run: &str| Asked {
        container: "name".to_owned(),
        run: run.to_owned(),
        ..Asked::default()
    };
    // The machine was started again: nobody runs it, nobody ever will, and then it is removed.
    let before = keep.record_of_asked(&of("before"));
    keep.keep_asked("name", Some(&of("before"))).unwrap();
    assert!(matches!(
        crate::shell::process::find(&before, crate::shell::cgroups::Group::default()),
        Ok(crate::shell::process::Found::Lost)
    ));
    before.remove();
    keep.keep_asked("name", None).unwrap();
    assert!(before.end().unwrap().is_some());
    // Who has the name now may begin.
    let now = keep.record_of_asked(&of("now"));
    assert!(now.lock().is_ok() && now.end().unwrap().is_none());
}
