//! What keeps containers to themselves, as the original's `--isolation` names it. Where nothing is named, control groups
//! of the second version share out the processors, if they were handed to the agent.
//!
//! Knows: names of isolators. Never: what they do.

use super::{
    cgroups::{CPU, Cgroups, MEMORY, Version},
    namespaces::Namespaces,
};
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// What isolates the containers of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Isolation {
    pub(crate) cgroups: Cgroups,
    pub(super) namespaces: Namespaces,
}

/// What isolators ask for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    controllers: Vec<&'static str>,
    namespaces: Namespaces,
}

impl Isolation {
    /// That of the agent whose folder this is. It says what it is.
    pub(crate) fn of(named: Option<&str>, work_dir: &Path) -> Result<Self, String> {
        let made = fs::create_dir_all(work_dir).and_then(|()| fs::metadata(work_dir));
        let found = made.map_err(|error| format!("The work directory cannot be used: {error}"))?;
        // Agents of one machine have groups of their own, which an agent finds again when it is back.
        let agent = format!("{:x}-{:x}", found.dev(), found.ino());
        let isolation = match named {
            None => Isolation::of_host(&agent),
            Some(named) => Isolation::by_name(named, &agent).map_err(|why| failed(&why))?,
        };
        tracing::info!("isolation of tasks: {}", isolation.sentence());
        Ok(isolation)
    }

    /// What is had without being named. The first version has no way to hand a part of it to somebody; who has processes
    /// to himself is known to others by other numbers than he knows; and who is kept to his memory is killed where he was
    /// not before. That is for who asks for it.
    fn of_host(agent: &str) -> Self {
        let (cgroups, without) = Cgroups::handed(agent);
        for (controller, why) in without {
            tracing::debug!(controller, why, "no control groups of the second version");
        }
        Isolation {
            cgroups,
            namespaces: Namespaces::default(),
        }
    }

    fn by_name(named: &str, agent: &str) -> Result<Self, String> {
        let Wanted {
            controllers,
            namespaces,
        } = wanted(named)?;
        namespaces
            .permitted()
            .map_err(|error| format!("Namespaces of this host cannot be used: {error}"))?;
        let versions = [Version::Second, Version::First];
        let (cgroups, without) = Cgroups::of_host(&controllers, &versions, agent);
        match without.first() {
            None => Ok(Isolation { cgroups, namespaces }),
            Some((controller, why)) => Err(format!(
                "The '{controller}' control groups of this host cannot be used: {why}"
            )),
        }
    }

    /// What is used, for people.
    fn sentence(&self) -> String {
        let kept = |controller: &str, to: &str| match self.cgroups.version(controller) {
            Some(version) => format!("control groups {version} keep each to its {to}"),
            None => format!("nothing keeps them to their {to}"),
        };
        let beside = match self.namespaces {
            Namespaces { processes: true, .. } => "each sees processes and mounts of its own",
            Namespaces { mounts: true, .. } => "each has mounts of its own",
            Namespaces { .. } => "they see each other",
        };
        format!(
            "processes of this host below a supervisor that ends all of them; {}; {}; {beside}",
            kept(CPU, "processors"),
            kept(MEMORY, "memory"),
        )
    }

    /// As `--isolation` would name it.
    pub(crate) fn named(&self) -> String {
        let or = |has: bool, with: &'static str, without: &'static str| if has { with } else { without };
        let mut all = vec![
            or(self.cgroups.version(CPU).is_some(), "cgroups/cpu", "posix/cpu"),
            or(self.cgroups.version(MEMORY).is_some(), "cgroups/mem", "posix/mem"),
            "posix/rlimits",
            or(self.namespaces.mounts, "filesystem/linux", "filesystem/posix"),
        ];
        all.extend(self.namespaces.processes.then_some("namespaces/pid"));
        all.join(",")
    }
}

fn wanted(named: &str) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match name {
            // What every container here has.
            "posix/cpu" | "posix/mem" | "posix/rlimits" | "filesystem/posix" => {}
            "cgroups/cpu" => wanted.controllers.push(CPU),
            "cgroups/mem" => wanted.controllers.push(MEMORY),
            "cgroups/all" => wanted.controllers.extend([CPU, MEMORY]),
            "filesystem/linux" => wanted.namespaces.mounts = true,
            "namespaces/pid" => wanted.namespaces.processes = true,
            other => return Err(format!("Unknown or unsupported isolator '{other}'")),
        }
    }
    match wanted.namespaces {
        Namespaces {
            processes: true,
            mounts: false,
        } => Err("The 'namespaces/pid' isolator requires the 'filesystem/linux' isolator".to_owned()),
        _ => Ok(wanted),
    }
}

fn failed(why: &str) -> String {
    format!("Failed to create a containerizer: Could not create MesosContainerizer: {why}")
}

#[cfg(test)]
mod tests;
