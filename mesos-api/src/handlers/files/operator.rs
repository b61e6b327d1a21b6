use super::{Place, Refused, list, name_of, part, resolve, status};
use crate::{
    handlers::{
        Cluster,
        called::{invalid, missing},
    },
    wire::{Encoding, Refusal, message, refusal},
};
use axum::{http::StatusCode, response::Response};
use mesos_proto::v1::{
    FileInfo, TimeInfo,
    agent::{
        Call, Response as Answer,
        call::{ReadFile, Type},
        response::{self, Type as Kinds},
    },
};
use std::{fs::Metadata, os::unix::fs::MetadataExt, path::Path};

/// `LIST_FILES` and `READ_FILE` of the agent.
pub(in crate::handlers) async fn for_operator(
    cluster: &Cluster,
    call: Call,
    encoding: Encoding,
) -> Result<Response, Refusal> {
    let work_dir = cluster.agent.work_dir.clone();
    let lacks = |field| invalid("agent", missing(field));
    let looked = match call.r#type() {
        Type::ListFiles => {
            let wanted = call.list_files.ok_or_else(|| lacks("list_files"))?;
            tokio::task::spawn_blocking(move || files(&resolve(&work_dir, Some(&wanted.path))?))
        }
        _ => {
            let wanted = call.read_file.ok_or_else(|| lacks("read_file"))?;
            tokio::task::spawn_blocking(move || read(&resolve(&work_dir, Some(&wanted.path))?, &wanted))
        }
    };
    let stopping = |_| refusal(StatusCode::SERVICE_UNAVAILABLE, "The agent is stopping");
    let answer = looked.await.map_err(stopping)?.map_err(status)?;
    Ok(message(encoding, &answer))
}

fn read(place: &Place, wanted: &ReadFile) -> Result<Answer, Refused> {
    if place.path.is_dir() {
        return Err(Refused::BadRequest("Cannot read a directory.\n".to_owned()));
    }
    let (size, data) = part(place, Some(wanted.offset), wanted.length.unwrap_or(u64::MAX))?;
    Ok(Answer {
        r#type: Some(Kinds::ReadFile as i32),
        read_file: Some(response::ReadFile { size, data }),
        ..Answer::default()
    })
}

fn files(place: &Place) -> Result<Answer, Refused> {
    let file_infos = list(place)?;
    let file_infos = file_infos.iter().map(|(path, found)| info(path, found)).collect();
    Ok(Answer {
        r#type: Some(Kinds::ListFiles as i32),
        list_files: Some(response::ListFiles { file_infos }),
        ..Answer::default()
    })
}

fn info(path: &Path, found: &Metadata) -> FileInfo {
    FileInfo {
        path: path.to_string_lossy().into_owned(),
        nlink: i32::try_from(found.nlink()).ok(),
        size: Some(found.size()),
        mtime: Some(TimeInfo {
            nanoseconds: found.mtime().saturating_mul(1_000_000_000),
        }),
        mode: Some(found.mode()),
        uid: Some(name_of("/etc/passwd", found.uid())),
        gid: Some(name_of("/etc/group", found.gid())),
    }
}
