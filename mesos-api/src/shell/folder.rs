//! Folders that somebody else may write to. Everything in one is found from where it is open, by plain names and never by a
//! link, so that what a task puts in the way leads nobody out of it; and what was not made here is never given away.
//!
//! Knows: descriptors, names, owners. Never: whose sandbox it is. Blocks.

use rustix::{
    fs::{AtFlags, CWD, Dir, Mode, OFlags, linkat, mkdirat, openat, renameat, symlinkat, unlinkat},
    io::Errno,
    process::geteuid,
};
use std::{
    ffi::{CString, OsStr, OsString},
    fs::{File, Permissions},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::{MetadataExt, PermissionsExt, fchown},
    },
    path::{Component, Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

/// Names that are read at a time: a folder may hold more than memory does.
const NAMES_MAX: usize = 1024;

/// How often a folder is read again at the most while it is emptied: somebody may fill it at the same time.
const READINGS_MAX: usize = 100_000;

/// A user and a group.
pub(super) type Owner = (u32, u32);

/// An open folder. What is made in it belongs to whoever it belongs to.
#[derive(Debug)]
pub(super) struct Folder(File);

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Folder {
    /// One that is where it is said to be: nobody but the agent's own user writes above it.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Folder(openat(CWD, path, flags, Mode::empty())?.into()))
    }

    /// One that is below this.
    pub(super) fn below(&self, path: &Path) -> io::Result<Self> {
        let mut at = self.again()?;
        for name in names(path)? {
            at = at.enter(name)?;
        }
        Ok(at)
    }

    /// The same, made with all above it where it is not there.
    pub(super) fn make(&self, path: &Path, mode: u32) -> io::Result<Self> {
        let (above, name) = self.place(path)?;
        above.enter_or_make(&name, self.owner()?, mode)
    }

    /// One for somebody: a new one, or one that was his before. What is made above it is the agent's own, whoever may write
    /// here: nobody else moves a sandbox.
    pub(super) fn make_for(&self, path: &Path, owner: Option<Owner>) -> io::Result<Self> {
        let (above, name) = self.place_for(path, own())?;
        let owner = owner.unwrap_or_else(own);
        if let Some(made) = above.make_new(&name, owner, 0o755)? {
            return Ok(made);
        }
        let there = above.enter(name.as_os_str())?;
        match there.owner()?.0 == owner.0 {
            true => Ok(there),
            false => Err(in_the_way()),
        }
    }

    /// Where the last name of a path is, the folders before it made.
    pub(super) fn place(&self, path: &Path) -> io::Result<(Self, OsString)> {
        self.place_for(path, self.owner()?)
    }

    fn place_for(&self, path: &Path, owner: Owner) -> io::Result<(Self, OsString)> {
        let names = names(path)?;
        let (&name, above) = names.split_last().ok_or_else(in_the_way)?;
        let mut at = self.again()?;
        for name in above {
            at = at.enter_or_make(name, owner, 0o755)?;
        }
        Ok((at, name.to_owned()))
    }

    fn again(&self) -> io::Result<Self> {
        Ok(Folder(self.0.try_clone()?))
    }

    fn enter(&self, name: impl rustix::path::Arg) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&self.0, name, flags, Mode::empty()) {
            Ok(found) => Ok(Folder(found.into())),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(in_the_way()),
            Err(error) => Err(error.into()),
        }
    }

    fn enter_or_make(&self, name: &OsStr, owner: Owner, mode: u32) -> io::Result<Self> {
        match self.make_new(name, owner, mode)? {
            Some(made) => Ok(made),
            None => self.enter(name),
        }
    }

    /// Makes a folder, unless there is something of its name.
    fn make_new(&self, name: &OsStr, owner: Owner, mode: u32) -> io::Result<Option<Self>> {
        match mkdirat(&self.0, name, Mode::RWXU) {
            Err(Errno::EXIST) => return Ok(None),
            made => made?,
        }
        let made = self.enter(name)?;
        let found = made.0.metadata()?;
        // Whoever may write here may have put another in its place, but none that is shut to him. Only root has more to give
        // than others have, and there are file systems that know neither owners nor modes.
        if own().0 == 0 && (found.uid() != 0 || found.mode() & 0o777 != 0o700) {
            return Err(in_the_way());
        }
        give(&made.0, owner)?;
        made.0.set_permissions(Permissions::from_mode(mode))?;
        Ok(Some(made))
    }

    /// Whose it is.
    fn owner(&self) -> io::Result<Owner> {
        let found = self.0.metadata()?;
        Ok((found.uid(), found.gid()))
    }

    /// A new file, in place of whatever file or link had its name.
    pub(super) fn create(&self, name: &OsStr) -> io::Result<File> {
        self.free(name)?;
        self.create_new(name, OFlags::RDWR)
    }

    /// A file that is written to at its end: a new one, or one of whoever the folder belongs to.
    pub(super) fn append(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND;
        match self.create_new(name, flags) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created,
        }
        // To wait for the other end of a pipe would take forever.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&self.0, name, flags, Mode::empty())?);
        let found = file.metadata()?;
        match found.is_file() && found.uid() == self.owner()?.0 {
            true => Ok(file),
            false => Err(in_the_way()),
        }
    }

    fn create_new(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&self.0, name, flags, Mode::from_raw_mode(0o644))?);
        give(&file, self.owner()?)?;
        Ok(file)
    }

    /// A link, in place of whatever file or link had its name. It is nobody's concern whose it is.
    pub(super) fn symlink(&self, path: &Path, to: &Path) -> io::Result<()> {
        let (folder, name) = self.place(path)?;
        folder.free(&name)?;
        Ok(symlinkat(to, &folder.0, &name)?)
    }

    /// Another name of a file that is in this folder.
    pub(super) fn link(&self, path: &Path, to: &Path) -> io::Result<()> {
        let (from, its_name) = self.place(to)?;
        let (folder, name) = self.place(path)?;
        folder.free(&name)?;
        Ok(linkat(&from.0, &its_name, &folder.0, &name, AtFlags::empty())?)
    }

    /// Gives a file another name, in place of the file that had it.
    pub(super) fn rename(&self, name: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.0, name, &self.0, to)?)
    }

    fn free(&self, name: &OsStr) -> io::Result<()> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            freed => Ok(freed?),
        }
    }

    /// Says when it was last of use.
    pub(super) fn touch(&self, now: Duration) -> io::Result<()> {
        self.0.set_modified(UNIX_EPOCH + now)
    }

    /// Moves what is there elsewhere below this folder.
    pub(super) fn put_aside(&self, path: &Path, to: &Path) -> io::Result<()> {
        let names = names(path)?;
        let (&name, above) = names.split_last().ok_or_else(in_the_way)?;
        let above = self.below(&above.iter().collect::<PathBuf>())?;
        let (folder, new) = self.place_for(to, own())?;
        Ok(renameat(&above.0, name, &folder.0, &new)?)
    }

    /// Removes what is there, with all that is below it. Links are removed themselves.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        let names = names(path)?;
        let (&name, above) = names.split_last().ok_or_else(in_the_way)?;
        let above = self.below(&above.iter().collect::<PathBuf>())?;
        if above.remove_file(name)? {
            return Ok(());
        }
        above.enter(name)?.clear()?;
        Ok(unlinkat(&above.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes all that is in it. Folders of its folders are moved up here first, so that the deepest tree takes as much
    /// memory and as many descriptors as the flattest.
    fn clear(&self) -> io::Result<()> {
        let mut moved = 0;
        self.empty(|name| {
            if self.remove_file(name)? {
                return Ok(());
            }
            let below = self.enter(name)?;
            below.empty(|name| match below.remove_file(name)? {
                true => Ok(()),
                false => below.move_up(name, self, &mut moved),
            })?;
            Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
        })
    }

    /// Moves a folder to another, where any name will do.
    fn move_up(&self, name: &CString, to: &Folder, moved: &mut u64) -> io::Result<()> {
        loop {
            *moved += 1;
            match renameat(&self.0, name, &to.0, format!(".removed-{moved}")) {
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                done => return Ok(done?),
            }
        }
    }

    /// Removes a file, a link, or a folder with nothing in it. Answers whether it was one.
    fn remove_file(&self, name: impl rustix::path::Arg + Copy) -> io::Result<bool> {
        let removed = match unlinkat(&self.0, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => unlinkat(&self.0, name, AtFlags::REMOVEDIR),
            removed => removed,
        };
        match removed {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Has every name removed until none is left. Root shuts the folder first, so that nobody fills it meanwhile.
    fn empty(&self, mut remove: impl FnMut(&CString) -> io::Result<()>) -> io::Result<()> {
        if geteuid().is_root() {
            fchown(&self.0, Some(0), Some(0))?;
            self.0.set_permissions(Permissions::from_mode(0o700))?;
        }
        for _ in 0..READINGS_MAX {
            let names = self.some_names()?;
            if names.is_empty() {
                return Ok(());
            }
            for name in &names {
                match remove(name) {
                    // Whoever may write here has removed it himself.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    removed => removed?,
                }
            }
        }
        Err(io::ErrorKind::DirectoryNotEmpty.into())
    }

    fn some_names(&self) -> io::Result<Vec<CString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_owned();
            if ![&b"."[..], b".."].contains(&name.to_bytes()) {
                names.push(name);
            }
            if names.len() == NAMES_MAX {
                break;
            }
        }
        Ok(names)
    }
}

/// Who the agent is.
fn own() -> Owner {
    (geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// Gives what was just made to whoever it is for.
fn give(made: &File, owner: Owner) -> io::Result<()> {
    match owner.0 == own().0 {
        true => Ok(()),
        false => fchown(made, Some(owner.0), Some(owner.1)),
    }
}

/// The names of a path that leads below where it begins.
fn names(path: &Path) -> io::Result<Vec<&OsStr>> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let names = parts.map(|part| match part {
        Component::Normal(name) => Ok(name),
        _ => Err(in_the_way()),
    });
    names.collect()
}

fn in_the_way() -> io::Error {
    let why = "the path leads out of its folder, or something else is in its way";
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests;
