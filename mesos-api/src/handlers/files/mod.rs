//! `/files/{browse,read,download}`: what tasks wrote into their sandboxes. Nothing else is shown, what the agent keeps of
//! itself and symbolic links that lead out of the sandboxes included.
//!
//! Rooms: `operator` (the same by the operator API). Knows: paths, modes, names of users. Never: writes.

mod operator;

#[cfg(test)]
mod tests;

pub(super) use operator::for_operator;

use super::Cluster;
use crate::wire::{Refusal, download as as_file, json, query_value, refusal};
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rustix::fs::OFlags;
use serde_json::{Value, json};
use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes of one answer to a read at the most; the original's.
const READ_BYTES_MAX: u64 = 64 << 10;
/// Bytes of a download at the most: it is sent from memory.
const DOWNLOAD_BYTES_MAX: u64 = 64 << 20;
/// Where below the work directory the sandboxes are: those of executors, and of containers by themselves.
const SANDBOXES: [&str; 2] = ["slaves", "containers"];
/// Entries of a directory that are shown at the most.
const ENTRIES_MAX: usize = 10_000;

/// What is asked for.
#[derive(Debug, Default)]
struct Wanted {
    path: Option<String>,
    offset: Option<String>,
    length: Option<String>,
}

impl Wanted {
    fn of(query: Option<String>) -> Self {
        let query = query.unwrap_or_default();
        Wanted {
            path: query_value(&query, "path"),
            offset: query_value(&query, "offset"),
            length: query_value(&query, "length"),
        }
    }
}

/// Why it is not shown. Texts are the original's.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    BadRequest(String),
    NotFound,
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Refused::NotFound
    }
}

async fn answer(
    cluster: &Cluster,
    wanted: Wanted,
    look: fn(&Place, &Wanted) -> Result<Response, Refused>,
) -> Response {
    let work_dir = cluster.agent.work_dir.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let place = resolve(&work_dir, wanted.path.as_deref())?;
        look(&place, &wanted)
    });
    match looked.await {
        Ok(Ok(response)) => response,
        Ok(Err(refused)) => status(refused).into_response(),
        Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE, "The agent is stopping").into_response(),
    }
}

/// The only place that gives refusals their status.
fn status(refused: Refused) -> Refusal {
    match refused {
        Refused::BadRequest(why) => refusal(StatusCode::BAD_REQUEST, why),
        Refused::NotFound => refusal(StatusCode::NOT_FOUND, ""),
    }
}

/// `/files/browse?path=`
pub(super) async fn browse(State(cluster): State<Arc<Cluster>>, RawQuery(query): RawQuery) -> Response {
    answer(&cluster, Wanted::of(query), |place, _| {
        let shown = list(place)?;
        let shown: Vec<Value> = shown.iter().map(|(path, found)| entry(path, found)).collect();
        Ok(json(&shown))
    })
    .await
}

/// `/files/read?path=&offset=&length=`
pub(super) async fn read(State(cluster): State<Arc<Cluster>>, RawQuery(query): RawQuery) -> Response {
    answer(&cluster, Wanted::of(query), |place, wanted| {
        Ok(json(&piece(place, wanted)?))
    })
    .await
}

/// `/files/download?path=`
pub(super) async fn download(State(cluster): State<Arc<Cluster>>, RawQuery(query): RawQuery) -> Response {
    answer(&cluster, Wanted::of(query), |place, _| {
        if place.path.is_dir() {
            return Err(Refused::BadRequest("Cannot download a directory.\n".to_owned()));
        }
        let file = place.open()?;
        let size = file.metadata()?.len();
        if size > DOWNLOAD_BYTES_MAX {
            return Err(Refused::BadRequest(format!(
                "Cannot download more than {DOWNLOAD_BYTES_MAX} bytes.\n"
            )));
        }
        let name = place
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // It may grow meanwhile.
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes)?;
        Ok(as_file(&name, bytes))
    })
    .await
}

/// What may be shown: its real path, and that of the folder that it is in.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    root: PathBuf,
    path: PathBuf,
}

impl Place {
    /// Opens a file.
    fn open(&self) -> Result<File, Refused> {
        // To wait for the other end of a pipe would take forever.
        let file = self.open_as(OFlags::NONBLOCK)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(Refused::NotFound),
        }
    }

    /// Opens what is there. A task may have put something else there since its path was resolved, so what counts is
    /// what was opened.
    fn open_as(&self, flags: OFlags) -> Result<File, Refused> {
        let flags = flags.union(OFlags::NOFOLLOW);
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
            .open(&self.path)?;
        let opened = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        match opened.starts_with(&self.root) {
            true => Ok(file),
            false => Err(Refused::NotFound),
        }
    }
}

/// Where what is asked for is, if it may be shown. A relative path is one below the work directory: who knows a task, but not
/// its agent's machine, can name its files by it.
fn resolve(work_dir: &Path, wanted: Option<&str>) -> Result<Place, Refused> {
    let wanted = wanted.filter(|path| !path.is_empty());
    let wanted =
        wanted.ok_or_else(|| Refused::BadRequest("Expecting 'path=value' in query.\n".to_owned()))?;
    let path = fs::canonicalize(work_dir.join(wanted))?;
    let mut roots = SANDBOXES
        .iter()
        .flat_map(|root| fs::canonicalize(work_dir.join(root)));
    let root = roots
        .find(|root| path.starts_with(root))
        .ok_or(Refused::NotFound)?;
    Ok(Place { root, path })
}

/// What is in a folder, each by its path.
fn list(place: &Place) -> Result<Vec<(PathBuf, Metadata)>, Refused> {
    let folder = place.open_as(OFlags::DIRECTORY)?;
    // By its descriptor it stays the same, whatever a task renames meanwhile.
    let opened = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    let mut names = Vec::new();
    for entry in fs::read_dir(&opened)?.take(ENTRIES_MAX) {
        names.push(entry?.file_name());
    }
    names.sort();
    let found = names.into_iter().filter_map(|name| {
        let found = fs::symlink_metadata(opened.join(&name)).ok()?;
        Some((place.path.join(name), found))
    });
    Ok(found.collect())
}

fn entry(path: &Path, found: &Metadata) -> Value {
    json!({
        "gid": name_of("/etc/group", found.gid()),
        "mode": mode(found.mode()),
        "mtime": found.mtime() as f64,
        "nlink": found.nlink(),
        "path": path.to_string_lossy(),
        "size": found.size(),
        "uid": name_of("/etc/passwd", found.uid()),
    })
}

/// A piece of a file; an offset of -1 asks how long it is.
fn piece(place: &Place, wanted: &Wanted) -> Result<Value, Refused> {
    let number = |text: &Option<String>, what: &str| match text.as_deref() {
        None => Ok(-1),
        Some(text) => text.parse::<i64>().map_err(|_| {
            Refused::BadRequest(format!(
                "Failed to parse {what}: Failed to convert '{text}' to number.\n"
            ))
        }),
    };
    let (offset, length) = (
        number(&wanted.offset, "offset")?,
        number(&wanted.length, "length")?,
    );
    if offset < -1 {
        return Err(Refused::BadRequest(format!(
            "Negative offset provided: {offset}.\n"
        )));
    }
    if length < -1 {
        return Err(Refused::BadRequest(format!(
            "Negative length provided: {length}.\n"
        )));
    }
    if place.path.is_dir() {
        return Err(Refused::BadRequest("Cannot read a directory.\n".to_owned()));
    }
    let (size, data) = part(
        place,
        u64::try_from(offset).ok(),
        u64::try_from(length).unwrap_or(u64::MAX),
    )?;
    Ok(match u64::try_from(offset) {
        Ok(offset) => json!({ "data": String::from_utf8_lossy(&data), "offset": offset }),
        Err(_) => json!({ "data": "", "offset": size }),
    })
}

/// How long a file is, and a piece of it.
fn part(place: &Place, offset: Option<u64>, length: u64) -> Result<(u64, Vec<u8>), Refused> {
    let file = place.open()?;
    let size = file.metadata()?.len();
    let Some(offset) = offset else {
        return Ok((size, Vec::new()));
    };
    let left = size.saturating_sub(offset).min(length).min(READ_BYTES_MAX);
    let mut data = vec![0; usize::try_from(left).unwrap_or(0)];
    let read = file.read_at(&mut data, offset)?;
    data.truncate(read);
    Ok((size, data))
}

/// As `ls -l` shows it.
fn mode(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        _ => '-',
    };
    let bits = (0..9).map(|bit| match mode & (0o400 >> bit) {
        0 => '-',
        _ => ['r', 'w', 'x'][bit % 3],
    });
    std::iter::once(kind).chain(bits).collect()
}

/// Who a number is, where `file` knows it.
fn name_of(file: &str, id: u32) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| id.to_string())
}
