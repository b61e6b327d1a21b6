use super::*;
use std::{fs, io::Read};

struct Fixture {
    dir: tempfile::TempDir,
    cache: Cache,
    stop: CancellationToken,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sandbox")).unwrap();
        let cache = Cache::new(dir.path());
        let stop = CancellationToken::new();
        Fixture { dir, cache, stop }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn fetch(&self, uri: Uri) -> Result<(), FetchError> {
        self.fetch_for(None, uri)
    }

    fn fetch_for(&self, owner: Option<Owner>, uri: Uri) -> Result<(), FetchError> {
        let folder = self.dir.path().join("sandbox");
        let log = File::create(self.dir.path().join("log")).unwrap();
        let mut sandbox = Sandbox {
            folder: &Folder::at(&folder).unwrap(),
            path: &folder,
            owner,
            log,
            stop: &self.stop,
        };
        fetch(&[uri], &mut sandbox, &self.cache)
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.dir.path().join("sandbox").join(name)).ok()
    }
}

fn uri(value: impl Into<String>) -> Uri {
    Uri {
        value: value.into(),
        ..Uri::default()
    }
}

/// Only root fetches for others.
#[test]
fn somebody_gets_what_he_may_read_himself() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let fixture = Fixture::new();
    let mode = |path: &str, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(fixture.dir.path().to_str().unwrap(), 0o755);
    let (open, shut) = (fixture.file("open", b"for all"), fixture.file("shut", b"secret"));
    mode(&shut, 0o600);
    let nobody = Some((65534, 65534));
    fixture.fetch_for(nobody, uri(&*open)).unwrap();
    assert_eq!(fixture.read("open").as_deref(), Some("for all"));
    for cache in [None, Some(true)] {
        let value = format!("file://{shut}");
        let wanted = Uri {
            value,
            cache,
            ..Uri::default()
        };
        let refused = fixture.fetch_for(nobody, wanted).unwrap_err().to_string();
        assert!(refused.starts_with("Failed to copy"), "{refused}");
        assert!(refused.ends_with("Permission denied"), "{refused}");
        assert_ne!(fixture.read("shut").as_deref(), Some("secret"));
    }
    fixture.fetch(uri(&*shut)).unwrap();
}

fn tar_of(path: &str, contents: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    // Written by hand: the library's own setter refuses what a hostile archive holds.
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_size(contents.len() as u64);
    header.set_mode(0o4755);
    header.set_cksum();
    builder.append(&header, contents).unwrap();
    builder.into_inner().unwrap()
}

fn link_to(target: &Path, then: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "way", target).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    builder.append_data(&mut header, then, &b"x"[..]).unwrap();
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    encoder.read_to_end(&mut out).unwrap();
    out
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast());
    encoder.read_to_end(&mut out).unwrap();
    out
}

fn zip_of(path: &str, contents: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file(path, options).unwrap();
    writer.write_all(contents).unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn archives_are_unpacked_by_their_names() {
    let tar = tar_of("folder/file", b"hello");
    for (name, bytes) in [
        ("a.tar", tar.clone()),
        ("a.tgz", gzip(&tar)),
        ("a.tar.gz", gzip(&tar)),
        ("a.tar.bz2", bzip2(&tar)),
        ("a.tbz2", bzip2(&tar)),
        ("a.zip", zip_of("folder/file", b"hello")),
    ] {
        let fixture = Fixture::new();
        fixture.fetch(uri(fixture.file(name, &bytes))).unwrap();
        assert_eq!(fixture.read("folder/file").as_deref(), Some("hello"), "{name}");
        assert!(fixture.dir.path().join("sandbox").join(name).is_file(), "{name}");
    }
    let fixture = Fixture::new();
    fixture
        .fetch(uri(fixture.file("text.gz", &gzip(b"text"))))
        .unwrap();
    assert_eq!(fixture.read("text").as_deref(), Some("text"));
}

#[test]
fn what_is_not_to_be_unpacked_is_copied() {
    let fixture = Fixture::new();
    let path = fixture.file("a.tar", &tar_of("file", b"hello"));
    let whole = Uri {
        extract: Some(false),
        output_file: Some("below/b.tar".to_owned()),
        ..uri(format!("file://{path}"))
    };
    fixture.fetch(whole).unwrap();
    let copied = fixture.dir.path().join("sandbox/below/b.tar");
    assert_eq!(fs::read(copied).unwrap(), fs::read(&path).unwrap());
    assert_eq!(fixture.read("below/file"), None);
    let program = Uri {
        executable: Some(true),
        ..uri(path)
    };
    fixture.fetch(program).unwrap();
    let mode = fs::metadata(fixture.dir.path().join("sandbox/a.tar"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn nothing_leaves_the_sandbox() {
    let fixture = Fixture::new();
    let outside = fixture.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let hostile = [
        ("up.tar", tar_of("../outside/x", b"x")),
        ("root.tar", tar_of(&format!("{}/x", outside.display()), b"x")),
        ("link.tar", link_to(&outside, "way/x")),
        ("up.zip", zip_of("../outside/x", b"x")),
        ("root.zip", zip_of(&format!("{}/x", outside.display()), b"x")),
    ];
    for (name, bytes) in hostile {
        // Some libraries leave such an entry out, some refuse the archive.
        let _ = fixture.fetch(uri(fixture.file(name, &bytes)));
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{name}");
    }
    // `way` leads out by now.
    let path = fixture.file("plain", b"x");
    for output_file in ["../outside/x", "way/x", "/tmp/x", ".."] {
        let output_file = Some(output_file.to_owned());
        let fetched = fixture.fetch(Uri {
            output_file,
            ..uri(path.clone())
        });
        assert!(matches!(fetched, Err(FetchError::Outside(_))), "{fetched:?}");
    }
    std::os::unix::fs::symlink(outside.join("x"), fixture.dir.path().join("sandbox/plain")).unwrap();
    fixture.fetch(uri(path)).unwrap();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(fixture.read("plain").as_deref(), Some("x"));
}

#[test]
fn what_is_cached_is_fetched_once() {
    let fixture = Fixture::new();
    let cached = Uri {
        cache: Some(true),
        ..uri(fixture.file("data", b"first"))
    };
    fixture.fetch(cached.clone()).unwrap();
    fixture.file("data", b"second");
    fixture.fetch(cached.clone()).unwrap();
    assert_eq!(fixture.read("data").as_deref(), Some("first"));
    fixture
        .fetch(Uri {
            cache: None,
            ..cached
        })
        .unwrap();
    assert_eq!(fixture.read("data").as_deref(), Some("second"));
}

#[test]
fn what_is_not_there_says_so() {
    let fixture = Fixture::new();
    let told = |value: &str| fixture.fetch(uri(value)).unwrap_err().to_string();
    assert_eq!(told("http://host"), "Malformed URI (missing path): http://host");
    assert_eq!(
        told("a'b"),
        "URI contains illegal characters, refusing to proceed"
    );
    assert!(told("/nowhere/at/all").starts_with("Failed to copy '/nowhere/at/all': "));
    assert_eq!(told("s3://bucket/key"), "Unsupported URI scheme: s3://bucket/key");
    let cut = fixture.file("cut.tar.gz", &gzip(&tar_of("file", b"hello"))[..40]);
    assert!(told(&cut).starts_with("Failed to extract 'cut.tar.gz': "));
    assert!(told(&fixture.file("bad.tar.xz", b"no")).starts_with("Failed to extract 'bad.tar.xz': "));
}

#[test]
fn names_take_no_more_memory_than_names_need() {
    let fixture = Fixture::new();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    let name = vec![b'n'; 3 << 20];
    header.set_size(name.len() as u64);
    header.set_cksum();
    builder.append(&header, &name[..]).unwrap();
    let archive = fixture.file("long.tar", &builder.into_inner().unwrap());
    let refused = fixture.fetch(uri(archive)).unwrap_err().to_string();
    assert!(
        refused.contains("a name or its attributes take more"),
        "{refused}"
    );
    // What is long, and no name, is taken; what is left out does not count as one.
    let mut two = tar_of("../out", &vec![b'x'; 2 << 20]);
    two.truncate(two.len() - 1024);
    two.extend(tar_of("large", &vec![b'y'; 2 << 20]));
    let archive = fixture.file("two.tar", &two);
    fixture.fetch(uri(archive)).unwrap();
    assert_eq!(fixture.read("large").map(|text| text.len()), Some(2 << 20));
}

#[test]
fn what_nobody_wants_any_more_is_not_fetched() {
    let fixture = Fixture::new();
    let file = fixture.file("file", b"hello");
    fixture.stop.cancel();
    let refused = fixture.fetch(uri(file)).unwrap_err().to_string();
    assert!(refused.contains("the container is killed"), "{refused}");
}
