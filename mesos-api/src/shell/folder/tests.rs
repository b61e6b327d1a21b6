use super::*;
use std::{fs, os::unix::fs::symlink};

/// A sandbox and a folder outside it that holds a file of somebody else.
struct Fixture {
    dir: tempfile::TempDir,
    sandbox: Folder,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("outside/c")).unwrap();
        fs::write(dir.path().join("outside/file"), "theirs").unwrap();
        fs::create_dir(dir.path().join("sandbox")).unwrap();
        let sandbox = Folder::at(&dir.path().join("sandbox")).unwrap();
        Fixture { dir, sandbox }
    }

    fn link(&self, name: &str, to: &str) {
        symlink(self.outside().join(to), self.inside(name)).unwrap();
    }

    fn inside(&self, name: &str) -> PathBuf {
        self.dir.path().join("sandbox").join(name)
    }

    fn outside(&self) -> PathBuf {
        self.dir.path().join("outside")
    }

    /// Nothing outside was touched.
    fn holds(&self) {
        let outside = fs::metadata(self.outside()).unwrap();
        assert_eq!(outside.uid(), own().0);
        let mut names: Vec<_> = fs::read_dir(self.outside())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["c", "file"]);
        assert_eq!(fs::read_to_string(self.outside().join("file")).unwrap(), "theirs");
        assert_eq!(fs::metadata(self.outside().join("file")).unwrap().uid(), own().0);
        assert_eq!(fs::read_dir(self.outside().join("c")).unwrap().count(), 0);
    }
}

fn path(name: &str) -> &Path {
    Path::new(name)
}

#[test]
fn links_lead_nobody_out() {
    let fixture = Fixture::new();
    let sandbox = &fixture.sandbox;
    fixture.link("containers", "");
    fixture.link("stdout", "file");
    for wanted in [
        "containers",
        "containers/c",
        "containers/new/c",
        "../outside",
        "..",
    ] {
        assert!(sandbox.below(path(wanted)).is_err(), "{wanted}");
        assert!(sandbox.make(path(wanted), 0o755).is_err(), "{wanted}");
        assert!(
            sandbox.make_for(path(wanted), Some((65_534, 65_534))).is_err(),
            "{wanted}"
        );
    }
    assert!(sandbox.append("stdout".as_ref()).is_err());
    assert!(sandbox.remove(path("containers/c")).is_err());
    assert!(sandbox.remove(path("../outside")).is_err());
    assert!(sandbox.symlink(path("containers/way"), path("/")).is_err());
    assert!(sandbox.link(path("linked"), path("containers/file")).is_err());
    fixture.holds();
    // What is put in place of a link, or removes it, leaves alone what it leads to.
    drop(sandbox.create("stdout".as_ref()).unwrap());
    assert_eq!(fs::read_to_string(fixture.inside("stdout")).unwrap(), "");
    fixture.link("other", "file");
    sandbox.rename("stdout".as_ref(), "other".as_ref()).unwrap();
    sandbox.remove(path("containers")).unwrap();
    fixture.holds();
}

#[test]
fn what_is_removed_is_removed_without_following_links() {
    let fixture = Fixture::new();
    let deep = "a/".repeat(100);
    fs::create_dir_all(fixture.inside(&deep)).unwrap();
    fs::create_dir_all(fixture.inside("a/.removed-1/kept")).unwrap();
    fs::create_dir_all(fixture.inside("a/b/c/d")).unwrap();
    fixture.link("a/b/c/d/way", "");
    fixture.link("a/b/file", "file");
    for number in 0..NAMES_MAX + 10 {
        fs::write(fixture.inside(&format!("a/{number}")), "x").unwrap();
    }
    fixture.sandbox.remove(path("a")).unwrap();
    assert_eq!(fs::read_dir(fixture.inside("")).unwrap().count(), 0);
    let gone = fixture.sandbox.remove(path("a")).unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    fixture.holds();
}

#[test]
fn a_tree_is_as_deep_as_it_likes() {
    let fixture = Fixture::new();
    let mut at = fixture.sandbox.again().unwrap();
    for _ in 0..5000 {
        at = at.make(path("d"), 0o755).unwrap();
    }
    fixture.sandbox.remove(path("d")).unwrap();
    assert!(!fixture.inside("d").exists());
}

#[test]
fn what_was_not_made_here_is_given_to_nobody() {
    if own().0 != 0 {
        // Only root gives anything away.
        return;
    }
    let fixture = Fixture::new();
    let user = (65_534, 65_534);
    let own_sandbox = fixture.sandbox.make_for(path("run"), Some(user)).unwrap();
    assert_eq!(own_sandbox.owner().unwrap(), user);
    let uid = |name: &str| fs::symlink_metadata(fixture.inside(name)).unwrap().uid();
    drop(own_sandbox.append("stdout".as_ref()).unwrap());
    drop(own_sandbox.append("stdout".as_ref()).unwrap());
    own_sandbox.make(path("below/lower"), 0o700).unwrap();
    assert_eq!(
        ["run/stdout", "run/below", "run/below/lower"].map(uid),
        [65_534; 3]
    );
    assert_eq!(
        fs::metadata(fixture.inside("run/below/lower")).unwrap().mode() & 0o777,
        0o700
    );
    // Somebody may have moved here what is not his.
    fs::write(fixture.inside("run/stderr"), "root's").unwrap();
    fs::create_dir(fixture.inside("run/theirs")).unwrap();
    assert!(own_sandbox.append("stderr".as_ref()).is_err());
    assert!(own_sandbox.make_for(path("theirs"), Some(user)).is_err());
    assert!(fixture.sandbox.make_for(path("run"), None).is_err());
    assert_eq!(["run/stderr", "run/theirs"].map(uid), [0; 2]);
    // Where the work directory is somebody's, what is above his sandbox is not.
    let deeper = own_sandbox.make_for(path("above/deeper"), Some(user)).unwrap();
    assert_eq!(deeper.owner().unwrap(), user);
    assert_eq!(uid("run/above"), 0);
}
