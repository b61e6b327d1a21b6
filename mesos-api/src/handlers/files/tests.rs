use super::*;

#[test]
fn nothing_outside_of_the_sandboxes_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let work = dir.path().join("work");
    let (sandbox, secret) = (work.join("slaves/s0"), work.join("meta"));
    fs::create_dir_all(&sandbox).unwrap();
    fs::write(&secret, "s").unwrap();
    std::os::unix::fs::symlink(&secret, sandbox.join("link")).unwrap();
    fs::write(sandbox.join("stdout"), "hello").unwrap();
    let wanted = |path: &str| resolve(&work, Some(path));
    assert!(wanted(sandbox.join("stdout").to_str().unwrap()).is_ok());
    for path in [
        "/etc/passwd",
        work.to_str().unwrap(),
        secret.to_str().unwrap(),
        sandbox.join("link").to_str().unwrap(),
    ] {
        assert_eq!(wanted(path), Err(Refused::NotFound), "{path}");
    }
    assert_eq!(
        wanted(&format!("{}/../../meta", sandbox.display())),
        Err(Refused::NotFound)
    );
    assert_eq!(
        resolve(&work, None),
        Err(Refused::BadRequest(
            "Expecting 'path=value' in query.\n".to_owned()
        ))
    );
}

#[test]
fn a_file_is_read_in_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stdout");
    fs::write(&path, "hello").unwrap();
    let read = |offset: Option<&str>, length: Option<&str>| {
        let wanted = Wanted {
            path: None,
            offset: offset.map(str::to_owned),
            length: length.map(str::to_owned),
        };
        let root = fs::canonicalize(dir.path()).unwrap();
        let path = path.clone();
        piece(&Place { root, path }, &wanted)
    };
    assert_eq!(read(None, None), Ok(json!({"data": "", "offset": 5})));
    assert_eq!(
        read(Some("1"), Some("3")),
        Ok(json!({"data": "ell", "offset": 1}))
    );
    assert_eq!(read(Some("9"), None), Ok(json!({"data": "", "offset": 9})));
    assert!(matches!(read(Some("-2"), None), Err(Refused::BadRequest(_))));
    assert!(matches!(read(Some("x"), None), Err(Refused::BadRequest(_))));
}

#[test]
fn what_is_no_file_below_the_root_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(dir.path()).unwrap();
    let (pipe, link) = (root.join("pipe"), root.join("link"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    fs::write(root.join("file"), "f").unwrap();
    std::os::unix::fs::symlink("file", &link).unwrap();
    for path in [pipe, link, root.clone(), "/etc/passwd".into()] {
        let root = root.clone();
        assert_eq!(Place { root, path }.open().map(drop), Err(Refused::NotFound));
    }
}

#[test]
fn modes_look_as_in_a_shell() {
    assert_eq!(mode(0o100_644), "-rw-r--r--");
    assert_eq!(mode(0o040_755), "drwxr-xr-x");
}
