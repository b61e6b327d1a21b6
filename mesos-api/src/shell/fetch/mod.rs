//! Brings what a command names into its sandbox before it runs, as the original's fetcher does.
//!
//! Rooms: `source` (files and downloads), `reader` (files as the task's user may read them), `unpack` (archives), `cache` (what is kept for the next task). Knows: URIs, files.
//! Never: which task it is for. Everything here blocks.

mod cache;
mod reader;
mod source;
#[cfg(test)]
mod tests;
mod unpack;

pub(crate) use cache::Cache;

use super::folder::{Folder, Owner};
use mesos_proto::v1::command_info::Uri;
use std::{
    fs::{File, Permissions},
    io::{self, Read, Seek, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tokio_util::sync::CancellationToken;

/// Bytes of one download, and of what one archive unpacks to, at the most.
const FETCHED_BYTES_MAX: u64 = 32 << 30;
/// Entries of one archive at the most.
const ENTRIES_MAX: usize = 1_000_000;

/// Why something could not be brought. Texts follow the original's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("URI contains illegal characters, refusing to proceed")]
    Illegal,
    #[error("Malformed URI (missing path): {0}")]
    NoPath(String),
    #[error("The output file '{0}' leads out of the sandbox")]
    Outside(String),
    #[error("A relative path was passed for the resource, but no frameworks home is configured: {0}")]
    Relative(String),
    #[error("Unsupported URI scheme: {0}")]
    Scheme(String),
    #[error("Error downloading resource: {0}")]
    Download(String),
    #[error("Failed to copy '{from}': {source}")]
    Copy { from: String, source: io::Error },
    #[error("Failed to extract '{name}': {source}")]
    Unpack { name: String, source: io::Error },
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Where things are brought, and for whom.
#[derive(Debug)]
pub(crate) struct Sandbox<'a> {
    pub(crate) folder: &'a Folder,
    /// As the task is told.
    pub(crate) path: &'a Path,
    /// Who it is for, where that is not the agent's own user: nobody else has what is kept for him.
    pub(crate) owner: Option<Owner>,
    /// What is done is told here: the task's standard error.
    pub(crate) log: File,
    /// Nobody wants it any more.
    pub(crate) stop: &'a CancellationToken,
}

/// Reads until nobody wants it any more.
struct Wanted<'a, R> {
    source: R,
    stop: &'a CancellationToken,
}

impl<R: Read> Read for Wanted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stop.is_cancelled() {
            true => Err(io::Error::other("the container is killed")),
            false => self.source.read(buffer),
        }
    }
}

/// Brings everything; what fails, fails all of it.
pub(crate) fn fetch(uris: &[Uri], sandbox: &mut Sandbox<'_>, cache: &Cache) -> Result<(), FetchError> {
    for uri in uris {
        let fetched = one(uri, sandbox, cache);
        let told = match &fetched {
            Ok(path) => writeln!(sandbox.log, "Fetched '{}' to '{}'", uri.value, path.display()),
            Err(error) => writeln!(sandbox.log, "Failed to fetch '{}': {error}", uri.value),
        };
        // A full disk is met by the task, too.
        let _ = told;
        fetched?;
    }
    Ok(())
}

fn one(uri: &Uri, sandbox: &mut Sandbox<'_>, cache: &Cache) -> Result<PathBuf, FetchError> {
    let name = base_name(&uri.value)?;
    let wanted = match uri.output_file.as_deref().filter(|file| !file.is_empty()) {
        Some(file) => file,
        None => name,
    };
    let placed = sandbox.folder.place(Path::new(wanted));
    let (folder, name) = placed.map_err(|_| FetchError::Outside(wanted.to_owned()))?;
    let kept = match uri.cache() {
        true => Some(cache.keep(&uri.value, sandbox.owner, sandbox.stop)?),
        false => None,
    };
    let unpacks = uri.extract() && !uri.executable() && unpack::kind(wanted).is_some();
    if unpacks && let Some(kept) = &kept {
        unpack::unpack(File::open(kept.path())?, wanted, sandbox.folder, sandbox.stop)?;
        return Ok(sandbox.path.to_owned());
    }
    let mut target = folder.create(&name)?;
    match &kept {
        Some(kept) => source::copy(kept.path(), None, &mut target, sandbox.stop)?,
        None => source::bring(&uri.value, sandbox.owner, &mut target, sandbox.stop)?,
    }
    if uri.executable() {
        target.set_permissions(Permissions::from_mode(0o755))?;
    }
    if unpacks {
        // What was written, whatever has its name by now.
        target.rewind()?;
        unpack::unpack(target, wanted, sandbox.folder, sandbox.stop)?;
    } else if uri.extract() && !uri.executable() {
        let _ = writeln!(
            sandbox.log,
            "Copying instead of extracting resource from URI with 'extract' flag, because it does not seem to be an archive: {}",
            uri.value
        );
    }
    Ok(sandbox.path.join(wanted))
}

/// What a resource is called in the sandbox where nothing else is said: what follows the last slash, a query included.
fn base_name(uri: &str) -> Result<&str, FetchError> {
    if uri.contains(['\\', '\'', '\0', '\n']) {
        return Err(FetchError::Illegal);
    }
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => uri,
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    match name {
        "" | "." | ".." => Err(FetchError::NoPath(uri.to_owned())),
        name => Ok(name),
    }
}
