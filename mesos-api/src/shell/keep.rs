//! What outlives the agent: who it is, and the executors that are not over, each a file of lines of JSON below `meta`, of
//! which the last counts. Files rather than the `Kv`: they belong to this machine's processes, and those that watch over
//! them write beside them.

use super::record::{Record, last_noted, new_of, note, replace, replace_for_good};
use crate::core::agent::{Asked, Kept};
use mesos_proto::v1::{AgentInfo, Operation, Resource};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Of the files' form.
const VERSION: u32 = 1;

/// The folder of what is kept.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Agent {
    version: u32,
    /// What it was told to offer, which operations may have changed since.
    configured: Vec<Resource>,
    info: AgentInfo,
    /// Those whose end no master has acknowledged.
    operations: Vec<Operation>,
}

#[derive(Serialize, Deserialize)]
struct Executor {
    version: u32,
    kept: Kept,
}

#[derive(Serialize, Deserialize)]
struct AskedFor {
    version: u32,
    asked: Asked,
}

impl Keep {
    pub(super) fn open(work_dir: &Path) -> io::Result<Self> {
        let folder = work_dir.join("meta");
        fs::create_dir_all(work_dir)?;
        // Environments of tasks hold secrets, and sandboxes are next to it. It may be there since an earlier version.
        let mut private = DirBuilder::new();
        private
            .recursive(true)
            .mode(0o700)
            .create(folder.join("containers"))?;
        private.create(folder.join("asked"))?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        Ok(Keep { folder })
    }

    /// Who the agent was, if it offers what it offered then.
    pub(super) fn agent(&self, configured: &[Resource]) -> io::Result<Option<(AgentInfo, Vec<Operation>)>> {
        let path = self.folder.join("agent.json");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let kept: Agent = serde_json::from_slice(&text)?;
        if kept.version != VERSION {
            return Err(unknown_version(&path));
        }
        if kept.configured != configured {
            return Err(io::Error::other(format!(
                "Incompatible agent info detected: the agent's resources are not those that it had. Put them back, or \
                 remove {} to start as a new agent that knows nothing of what runs here",
                self.folder.display()
            )));
        }
        Ok(Some((kept.info, kept.operations)))
    }

    pub(super) fn keep_agent(
        &self,
        configured: &[Resource],
        info: &AgentInfo,
        operations: Vec<Operation>,
    ) -> io::Result<()> {
        let kept = Agent {
            version: VERSION,
            configured: configured.to_vec(),
            info: info.clone(),
            operations,
        };
        // Without its id an agent that comes back is another.
        replace_for_good(&self.folder.join("agent.json"), &serde_json::to_vec(&kept)?)
    }

    fn path(&self, container: &str) -> PathBuf {
        self.folder.join("containers").join(format!("{container}.json"))
    }

    /// Every executor that was not over. What is left of others is of no use any more.
    pub(super) fn executors(&self) -> io::Result<Vec<Kept>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.folder.join("containers"))? {
            let path = entry?.path();
            if path.extension().is_none_or(|kind| kind != "json") {
                let own = path.file_name().and_then(|name| name.to_str()?.split('.').next());
                if own.is_none_or(|own| !self.path(own).exists()) {
                    let _ = fs::remove_file(path);
                }
                continue;
            }
            let one: Executor = match last_noted(&fs::read(&path)?) {
                // Torn as the machine went down: what it told of went down, too.
                Err(error) if !error.is_data() => {
                    tracing::warn!(path = %path.display(), %error, "what was kept of an executor is lost");
                    fs::remove_file(&path)?;
                    continue;
                }
                one => one?,
            };
            if one.version != VERSION {
                return Err(unknown_version(&path));
            }
            all.push(one.kept);
        }
        Ok(all)
    }

    pub(super) fn keep(&self, container: &str, kept: Option<Kept>) -> io::Result<()> {
        let path = self.path(container);
        let Some(kept) = kept else {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        let version = VERSION;
        note(&path, &serde_json::to_vec(&Executor { version, kept })?)
    }

    /// Containers that were asked for and that nobody has removed. What is left of others is of no use any more.
    pub(super) fn asked(&self) -> io::Result<Vec<Asked>> {
        let (mut all, mut beside) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(self.folder.join("asked"))? {
            let path = entry?.path();
            if path.extension().is_none_or(|kind| kind != "json") {
                beside.push(path);
            } else {
                match serde_json::from_slice::<AskedFor>(&fs::read(&path)?) {
                    Ok(one) if one.version == VERSION => all.push(one.asked),
                    Ok(_) => return Err(unknown_version(&path)),
                    Err(error) if error.is_data() => return Err(error.into()),
                    // Torn as the machine went down: what it told of went down, too.
                    Err(error) => {
                        tracing::warn!(path = %path.display(), %error, "what was kept of a container is lost");
                        fs::remove_file(&path)?;
                    }
                }
            }
        }
        let own: BTreeSet<PathBuf> = all
            .iter()
            .flat_map(|one| self.record_of_asked(one).files())
            .flat_map(|file| [new_of(&file), file])
            .collect();
        for path in beside.iter().filter(|path| !own.contains(*path)) {
            let _ = fs::remove_file(path);
        }
        Ok(all)
    }

    pub(super) fn keep_asked(&self, container: &str, kept: Option<&Asked>) -> io::Result<()> {
        let path = self.folder.join("asked").join(format!("{container}.json"));
        match kept {
            Some(kept) => {
                let (version, asked) = (VERSION, kept.clone());
                replace(&path, &serde_json::to_vec(&AskedFor { version, asked })?)
            }
            None => match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// What is written of a container's process.
    pub(super) fn record(&self, container: &str) -> Record {
        Record::new(&self.folder.join("containers").join(container))
    }

    /// The same of one that was asked for. Its name may have been another's, of whom a late supervisor may still be told.
    pub(super) fn record_of_asked(&self, asked: &Asked) -> Record {
        let name = match asked.run.as_str() {
            // Of an earlier version.
            "" => asked.container.clone(),
            run => format!("{}.{run}", asked.container),
        };
        Record::new(&self.folder.join("asked").join(name))
    }
}

fn unknown_version(path: &Path) -> io::Error {
    io::Error::other(format!("{} was written by another version", path.display()))
}

#[cfg(test)]
mod tests;
