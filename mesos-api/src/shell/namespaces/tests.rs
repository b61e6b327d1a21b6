use super::*;
use rustix::process::getpid;
use std::{fs, process::Command};

const ALL: Namespaces = Namespaces {
    mounts: true,
    processes: true,
};

#[test]
fn a_process_has_the_number_that_is_seen_outside() {
    for namespaces in [Namespaces::default(), ALL] {
        let outside = Outside::of(namespaces).unwrap();
        assert_eq!(outside.number(getpid()).unwrap(), getpid());
        assert!(outside.open("self/status").is_ok());
    }
}

/// On a host that lets us: who is first in a namespace sees nobody else, and is known outside by another number.
#[test]
fn processes_see_none_but_their_own() {
    if ALL.permitted().is_err() {
        return;
    }
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = mounts();
    let seen = thread::scope(|scope| {
        let sees = scope.spawn(|| {
            let place = Birthplace::new().unwrap();
            place.apart().unwrap();
            // Its namespace has no process yet, so its `/proc` is this one's.
            let mounts_only = Namespaces {
                processes: false,
                ..ALL
            };
            mounts_only.enter().unwrap();
            let mut shell = Command::new("sh");
            shell.args(["-c", "mount -t proc proc /proc && echo $$ && ls /proc"]);
            let seen = shell.output().unwrap();
            place.here().unwrap();
            String::from_utf8(seen.stdout).unwrap()
        });
        sees.join().unwrap()
    });
    assert!(seen.starts_with("1\n"), "{seen}");
    assert!(
        !seen
            .lines()
            .any(|line| line == getpid().as_raw_nonzero().to_string()),
        "{seen}"
    );
    assert_eq!(mounts(), before);
}
