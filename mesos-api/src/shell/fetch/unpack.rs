use super::{ENTRIES_MAX, FETCHED_BYTES_MAX, FetchError, inside};
use std::{
    fs::{self, File, Permissions},
    io::{self, BufReader, Read},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

/// Longest target of a link in a zip file.
const LINK_BYTES_MAX: u64 = 4096;
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
pub(super) fn unpack(archive: &Path, name: &str, folder: &Path) -> Result<(), FetchError> {
    let unpacked = || -> io::Result<()> {
        let file = BufReader::new(File::open(archive)?);
        match kind(name) {
            Some(Kind::Tar) => tar(file, folder),
            Some(Kind::TarGz) => tar(flate2::bufread::MultiGzDecoder::new(file), folder),
            Some(Kind::TarBz2) => tar(bzip2::bufread::MultiBzDecoder::new(file), folder),
            Some(Kind::TarXz) => tar(
                lzma_rust2::XzReader::new_mem_limit(file, true, XZ_MEMORY_KIB_MAX),
                folder,
            ),
            Some(Kind::Gz) => {
                let plain = name.strip_suffix(".gz").unwrap_or(name);
                let mut target = inside::create(&inside::place(folder, plain)?)?;
                io::copy(
                    &mut Bounded::new(flate2::bufread::MultiGzDecoder::new(file)),
                    &mut target,
                )?;
                Ok(())
            }
            Some(Kind::Zip) => zip(file, folder),
            None => Ok(()),
        }
    };
    unpacked().map_err(|source| FetchError::Unpack {
        name: name.to_owned(),
        source,
    })
}

/// The library keeps entries below the folder: paths with `..` are left out, those that lead through a link out of it
/// are errors. Owners and special bits of the archive are not taken.
fn tar(source: impl Read, folder: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(Bounded::new(source));
    let mut left = Left::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        // What a sparse file will be is not what the archive holds of it.
        left.take(entry.size())?;
        entry.unpack_in(folder)?;
    }
    Ok(())
}

fn zip(source: BufReader<File>, folder: &Path) -> io::Result<()> {
    let mut archive = zip::ZipArchive::new(source)?;
    let mut left = Left::new();
    for at in 0..archive.len() {
        let entry = archive.by_index(at)?;
        left.take(entry.size())?;
        let path = inside::place(folder, &entry.name()?)?;
        let mode = entry.unix_mode().unwrap_or(0o644);
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
        } else if entry.is_symlink() {
            let mut to = String::new();
            entry.take(LINK_BYTES_MAX).read_to_string(&mut to)?;
            drop(inside::create(&path)?);
            fs::remove_file(&path)?;
            symlink(to, &path)?;
        } else {
            let mut target = inside::create(&path)?;
            io::copy(&mut Bounded::new(entry), &mut target)?;
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
