use super::*;
use std::{path::PathBuf, process::Command};

const BELOW: &str = "mesos/agent";

/// What a host has, as folders look like it: three hierarchies of the first version, or the one of the second. The agent
/// is in the group `own`.
fn host(dir: &Path, version: Version) -> Cgroups {
    let at = |name: &str| dir.join(name).display().to_string();
    let (mounts, own) = match version {
        Version::First => {
            let all = ["cpu", "cpuacct", "memory"];
            let mounts = all.map(|one| format!("1 1 0:1 / {} rw - cgroup cgroup rw,{one}\n", at(one)));
            (mounts.concat(), all.map(|one| format!("1:{one}:/own\n")).concat())
        }
        Version::Second => {
            fs::write(dir.join("cgroup.controllers"), "cpuset cpu memory\n").unwrap();
            let mount = format!("1 1 0:1 / {} rw - cgroup2 cgroup2 rw\n", dir.display());
            (mount, "0::/own\n".to_owned())
        }
    };
    let found = [CPU, CPUACCT, MEMORY].map(|one| {
        let mut found = Hierarchy::find(one, &[version], &mounts, &own).unwrap();
        found.groups = found.home.join(BELOW);
        (one, found)
    });
    Cgroups(found.into())
}

fn share() -> Share {
    Share {
        cpus_milli: 500,
        cpus_max_milli: Some(1500),
        memory_bytes: 64 << 20,
        memory_max: Some(128 << 20),
    }
}

#[test]
fn mounts_tell_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cgroup.controllers"), "cpuset io memory\n").unwrap();
    let mounts = format!(
        "1 1 0:1 / /proc rw - proc proc rw\n2 1 0:2 /pod /c/cpu rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n\
         3 1 0:3 / /c/mem rw - cgroup cgroup rw,memory\n4 1 0:4 / {} rw - cgroup2 cgroup2 rw\n",
        dir.path().display()
    );
    let own = "3:cpu,cpuacct:/pod/own\n2:memory:/\n0::/unit\n";
    let find = |one, versions: &[Version]| Hierarchy::find(one, versions, &mounts, own);
    let both = [Version::Second, Version::First];
    assert_eq!(find(CPU, &both).unwrap().version, Version::First);
    assert_eq!(find(MEMORY, &both).unwrap().version, Version::Second);
    assert_eq!(find(MEMORY, &[Version::First]).unwrap().version, Version::First);
    assert!(find(CPU, &[Version::Second]).is_err());
    // The agent is found also where a mount shows a part of a hierarchy.
    let cpu = find(CPU, &both).unwrap();
    assert_eq!(cpu.folder_of(own), Some(PathBuf::from("/c/cpu/own")));
    assert_eq!(cpu.folder_of("3:cpu,cpuacct:/elsewhere\n"), None);
}

#[test]
fn a_container_is_kept_to_its_share() {
    let dir = tempfile::tempdir().unwrap();
    let all = host(dir.path(), Version::First);
    assert!(all.there("c").is_none());
    assert_eq!(all.make("c", &share()).unwrap().folders().count(), 3);
    assert!(!all.there("c").is_none());
    let written = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
    assert_eq!(written("cpu/own/mesos/agent/c/cpu.shares"), "512");
    assert_eq!(written("cpu/own/mesos/agent/c/cpu.cfs_quota_us"), "150000");
    let memory = "memory/own/mesos/agent/c/memory.limit_in_bytes";
    assert_eq!(written(memory), "134217728");
    let less = Share {
        memory_max: Some(0),
        ..Share::default()
    };
    all.limit("c", &less).unwrap();
    assert_eq!(written("cpu/own/mesos/agent/c/cpu.shares"), "2");
    assert_eq!(written("cpu/own/mesos/agent/c/cpu.cfs_quota_us"), "-1");
    // Nothing is ended because somebody beside it has ended.
    assert_eq!(written(memory), "134217728");
    let more = Share {
        memory_max: Some(256 << 20),
        ..less
    };
    all.limit("c", &more).unwrap();
    assert_eq!(written(memory), "268435456");
}

#[test]
fn the_second_version_has_one_folder_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let all = host(dir.path(), Version::Second);
    assert_eq!(all.make("c", &share()).unwrap().folders().count(), 1);
    let written = |path: &str| fs::read_to_string(dir.path().join("own/mesos/agent/c").join(path)).unwrap();
    assert_eq!(written("cpu.weight"), "50");
    assert_eq!(written("cpu.max"), "150000 100000");
    assert_eq!(written("memory.max"), "134217728");
    all.limit("c", &Share::default()).unwrap();
    assert_eq!(written("cpu.max"), "max 100000");
    assert_eq!(written("memory.max"), "max");
}

#[test]
fn groups_count_what_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let all = host(dir.path(), Version::First);
    all.make("c", &share()).unwrap();
    let write = |path: &str, text: &str| fs::write(dir.path().join(path), text).unwrap();
    write("cpuacct/own/mesos/agent/c/cpuacct.stat", "user 250\nsystem 50\n");
    let throttled = "nr_periods 7\nnr_throttled 2\nthrottled_time 500000000\n";
    write("cpu/own/mesos/agent/c/cpu.stat", throttled);
    write("memory/own/mesos/agent/c/memory.usage_in_bytes", "4096\n");
    let stat = "cache 1\nrss 1\ntotal_rss 2048\n";
    write("memory/own/mesos/agent/c/memory.stat", stat);
    let own = "9:cpu:/own/mesos/agent/c\n8:cpuacct:/own/mesos/agent/c\n4:memory:/own/mesos/agent/c\n0::/\n";
    let expected = Counted {
        seconds: Some((2.5, 0.5)),
        periods: Some(7),
        throttled: Some(2),
        throttled_s: Some(0.5),
        memory_bytes: Some(4096),
        rss_bytes: Some(2048),
    };
    assert_eq!(all.counted(own), expected);
    let others = "4:memory:/own/mesos/other/c\n8:cpuacct:/\n";
    assert_eq!(all.counted(others), Counted::default());
}

#[test]
fn groups_of_the_second_version_count_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let all = host(dir.path(), Version::Second);
    all.make("c", &share()).unwrap();
    let folder = dir.path().join("own/mesos/agent/c");
    let write = |path: &str, text: &str| fs::write(folder.join(path), text).unwrap();
    write(
        "cpu.stat",
        "usage_usec 3000000\nuser_usec 2500000\nsystem_usec 500000\nnr_periods 1\n",
    );
    write("memory.current", "4096\n");
    write("memory.stat", "anon 2048\nfile 1\n");
    let counted = all.counted("0::/own/mesos/agent/c\n");
    assert_eq!(counted.seconds, Some((2.5, 0.5)));
    assert_eq!(
        (counted.memory_bytes, counted.rss_bytes),
        (Some(4096), Some(2048))
    );
    write("memory.events", "low 0\noom 1\noom_kill 1\n");
    assert!(all.there("c").lacked_memory());
    write("memory.events", "oom_kill 0\n");
    assert!(!all.there("c").lacked_memory());
}

/// On a host that lets us: what is started in a group is there, is counted, and ends with it. Who starts it is not.
#[test]
fn a_group_of_this_host_holds_its_processes() {
    let name = format!("test-{}", std::process::id());
    let (all, without) = Cgroups::of_host(&[CPU], &[Version::Second, Version::First], &name);
    if !without.is_empty() {
        return;
    }
    let own = || fs::read_to_string("/proc/self/cgroup").unwrap();
    let before = own();
    let group = all.make("c", &share()).unwrap();
    let starts = || {
        Command::new("sh")
            .args(["-c", "setsid sleep 600 & sleep 600"])
            .spawn()
    };
    let mut child = group.within(starts).unwrap();
    assert_eq!(own(), before);
    assert!(all.used(child.id()).seconds.is_some());
    group.end();
    assert!(!child.wait().unwrap().success());
    assert!(all.there("c").is_none());
    all.leave();
    assert!(all.0.values().all(|hierarchy| !hierarchy.groups.exists()));
}
