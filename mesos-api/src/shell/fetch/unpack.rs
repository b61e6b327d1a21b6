use super::{ENTRIES_MAX, FETCHED_BYTES_MAX, FetchError, Folder, Wanted};
use std::{
    cell::Cell,
    fs::{File, Permissions},
    io::{self, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
    rc::Rc,
    time::{Duration, UNIX_EPOCH},
};
use tokio_util::sync::CancellationToken;

/// Bytes of a name with all that an archive says of it: what a tar may have the library hold in memory.
const HEAD_BYTES_MAX: usize = 1 << 20;
/// Longest target of a link in a zip file.
const LINK_BYTES_MAX: u64 = 4096;
/// When a file may have been changed at the latest: beyond it some file systems count wrong.
const CHANGED_MAX: Duration = Duration::from_secs(1 << 32);
/// Memory that unpacking a tar.xz may take, which the archive itself chooses.
const XZ_MEMORY_KIB_MAX: u32 = 256 << 10;

/// What a file is by its name, which is all the original looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tar,
    TarGz,
    TarBz2,
    TarXz,
    /// One file.
    Gz,
    Zip,
}

pub(super) fn kind(name: &str) -> Option<Kind> {
    let ends = [
        (".tar", Kind::Tar),
        (".tgz", Kind::TarGz),
        (".tar.gz", Kind::TarGz),
        (".tbz2", Kind::TarBz2),
        (".tar.bz2", Kind::TarBz2),
        (".txz", Kind::TarXz),
        (".tar.xz", Kind::TarXz),
        (".gz", Kind::Gz),
        (".zip", Kind::Zip),
    ];
    ends.into_iter()
        .find(|(end, _)| name.ends_with(end))
        .map(|(_, kind)| kind)
}

/// Unpacks `archive`, which is called `name`, into a folder, and nowhere else.
pub(super) fn unpack(
    archive: File,
    name: &str,
    folder: &Folder,
    stop: &CancellationToken,
) -> Result<(), FetchError> {
    let unpacked = || -> io::Result<()> {
        let kind = kind(name);
        if kind == Some(Kind::Zip) {
            return zip(BufReader::new(archive), folder, stop);
        }
        let source = archive;
        let file = BufReader::new(Wanted { source, stop });
        match kind {
            Some(Kind::Tar) => tar(file, folder),
            Some(Kind::TarGz) => tar(flate2::bufread::MultiGzDecoder::new(file), folder),
            Some(Kind::TarBz2) => tar(bzip2::bufread::MultiBzDecoder::new(file), folder),
            Some(Kind::TarXz) => tar(
                lzma_rust2::XzReader::new_mem_limit(file, true, XZ_MEMORY_KIB_MAX),
                folder,
            ),
            Some(Kind::Gz) => {
                let plain = name.strip_suffix(".gz").unwrap_or(name);
                let (folder, name) = folder.place(Path::new(plain))?;
                let mut target = folder.create(&name)?;
                io::copy(
                    &mut Bounded::new(flate2::bufread::MultiGzDecoder::new(file)),
                    &mut target,
                )?;
                Ok(())
            }
            Some(Kind::Zip) | None => Ok(()),
        }
    };
    unpacked().map_err(|source| FetchError::Unpack {
        name: name.to_owned(),
        source,
    })
}

/// Paths with `..` are left out, those that lead through a link are errors. Owners and special bits of the archive are not
/// taken. The library holds in memory what comes before an entry's bytes, long names and attributes, which is why that is
/// bounded by itself.
fn tar(source: impl Read, folder: &Folder) -> io::Result<()> {
    let head = Rc::new(Cell::new(None));
    let source = Head {
        source: Bounded::new(source),
        left: head.clone(),
    };
    let mut archive = tar::Archive::new(source);
    let mut left = Left::new();
    let mut entries = archive.entries()?;
    loop {
        head.set(Some(HEAD_BYTES_MAX));
        let Some(entry) = entries.next() else {
            return Ok(());
        };
        let mut entry = entry?;
        head.set(None);
        // What a sparse file will be is not what the archive holds of it.
        left.take(entry.size())?;
        put(&mut entry, folder)?;
        // What was not taken is not the next one's head.
        io::copy(&mut entry, &mut io::sink())?;
    }
}

/// Puts one entry where its path says.
fn put(entry: &mut tar::Entry<'_, impl Read>, folder: &Folder) -> io::Result<()> {
    let Some(path) = below(&entry.path()?) else {
        return Ok(());
    };
    let mode = entry.header().mode().unwrap_or(0o644) & 0o777;
    match entry.header().entry_type() {
        tar::EntryType::Directory => drop(folder.make(&path, mode | 0o700)?),
        tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
            let (folder, name) = folder.place(&path)?;
            let mut file = folder.create(&name)?;
            io::copy(entry, &mut file)?;
            file.set_permissions(Permissions::from_mode(mode))?;
            if let Some(changed) = entry.header().mtime().ok().map(Duration::from_secs) {
                let _ = file.set_modified(UNIX_EPOCH + changed.min(CHANGED_MAX));
            }
        }
        tar::EntryType::Symlink => {
            let to = entry.link_name()?.ok_or(io::ErrorKind::InvalidData)?;
            folder.symlink(&path, &to)?;
        }
        tar::EntryType::Link => {
            let to = entry.link_name()?.and_then(|to| below(&to));
            folder.link(&path, &to.ok_or(io::ErrorKind::InvalidData)?)?;
        }
        // Devices and the like are nobody's to make.
        _ => {}
    }
    Ok(())
}

/// A path of an archive, which begins in the folder whatever it says; none, where it leads up.
fn below(path: &Path) -> Option<PathBuf> {
    let mut names = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => return None,
            _ => {}
        }
    }
    (!names.as_os_str().is_empty()).then_some(names)
}

/// Reads no more than may come before an entry's bytes, while those are what is read.
struct Head<R> {
    source: R,
    left: Rc<Cell<Option<usize>>>,
}

impl<R: Read> Read for Head<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get() else {
            return self.source.read(buffer);
        };
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other(format!(
                "a name or its attributes take more than {HEAD_BYTES_MAX} bytes"
            )));
        }
        let most = buffer.len().min(left);
        let read = self.source.read(&mut buffer[..most])?;
        self.left.set(Some(left - read));
        Ok(read)
    }
}

fn zip(source: BufReader<File>, folder: &Folder, stop: &CancellationToken) -> io::Result<()> {
    let mut archive = zip::ZipArchive::new(source)?;
    let mut left = Left::new();
    for at in 0..archive.len() {
        let entry = archive.by_index(at)?;
        left.take(entry.size())?;
        let name = entry.name()?.into_owned();
        let path = Path::new(&name);
        let mode = entry.unix_mode().unwrap_or(0o644);
        if entry.is_dir() {
            folder.make(path, 0o755)?;
        } else if entry.is_symlink() {
            let mut to = String::new();
            entry.take(LINK_BYTES_MAX).read_to_string(&mut to)?;
            folder.symlink(path, Path::new(&to))?;
        } else {
            let (folder, name) = folder.place(path)?;
            let mut target = folder.create(&name)?;
            let source = Wanted { source: entry, stop };
            io::copy(&mut Bounded::new(source), &mut target)?;
            target.set_permissions(Permissions::from_mode(mode & 0o777))?;
        }
    }
    Ok(())
}

/// What an archive may still hold.
struct Left {
    bytes: u64,
    entries: usize,
}

impl Left {
    fn new() -> Self {
        Left {
            bytes: FETCHED_BYTES_MAX,
            entries: ENTRIES_MAX,
        }
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        let left = self.bytes.checked_sub(bytes).zip(self.entries.checked_sub(1));
        let (bytes, entries) = left.ok_or_else(too_much)?;
        *self = Left { bytes, entries };
        Ok(())
    }
}

/// Reads until there is more than may be.
struct Bounded<R> {
    source: R,
    left: u64,
}

impl<R> Bounded<R> {
    fn new(source: R) -> Self {
        Bounded {
            source,
            // Heads and padding of entries come on top of their bytes.
            left: FETCHED_BYTES_MAX.saturating_mul(2),
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(too_much)?;
        Ok(read)
    }
}

fn too_much() -> io::Error {
    io::Error::other(format!(
        "it unpacks to more than {FETCHED_BYTES_MAX} bytes or {ENTRIES_MAX} entries"
    ))
}
