use super::*;

#[test]
fn isolators_have_the_originals_names() {
    let controllers = |named| wanted(named).unwrap().controllers;
    assert_eq!(
        wanted("posix/cpu,posix/mem, posix/rlimits,"),
        Ok(Wanted::default())
    );
    assert_eq!(controllers("posix/cpu, cgroups/mem"), [MEMORY]);
    assert_eq!(controllers("cgroups/all"), [CPU, MEMORY]);
    let namespaces = wanted("filesystem/linux,namespaces/pid").unwrap().namespaces;
    assert!(namespaces.mounts && namespaces.processes);
    assert!(
        wanted("namespaces/pid")
            .unwrap_err()
            .contains("requires the 'filesystem/linux'")
    );
    let refused = wanted("posix/cpu,gpu/nvidia").unwrap_err();
    assert_eq!(refused, "Unknown or unsupported isolator 'gpu/nvidia'");
}

#[test]
fn what_is_used_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Isolation::of(Some("posix/cpu,posix/mem"), dir.path()).unwrap();
    assert_eq!(
        plain.named(),
        "posix/cpu,posix/mem,posix/rlimits,filesystem/posix"
    );
    assert!(
        plain
            .sentence()
            .contains("nothing keeps them to their memory; they see each other")
    );
    // What is not asked for by name is had where it can be, and is no reason not to start.
    Isolation::of(None, dir.path()).unwrap();
}
