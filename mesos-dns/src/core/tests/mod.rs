mod changes;
mod generated;
pub(crate) mod made;

use super::labels::{Rules, agent_tail, hashed, looked_up};
use proptest::prelude::*;

#[test]
fn names_become_labels() {
    let cases = [
        ("4abc123", "abc123", "4abc123"),
        ("-4abc123", "abc123", "4abc123"),
        (
            "fd%gsf---gs7-f$gs--d7fddg-123",
            "fdgsf---gs7-fgs--d7fddg1",
            "fdgsf---gs7-fgs--d7fddg-123",
        ),
        (
            "89fdgsf---gs7-fgs--d7fddg-123",
            "fdgsf---gs7-fgs--d7fddg1",
            "89fdgsf---gs7-fgs--d7fddg-123",
        ),
        ("My_App.v2", "my-app-v2", "my-app-v2"),
        ("ünïcode", "ncode", "ncode"),
        ("----", "", ""),
        ("", "", ""),
    ];
    for (name, by_952, by_1123) in cases {
        assert_eq!(Rules::Rfc952.label(name), by_952, "{name}");
        assert_eq!(Rules::Rfc1123.label(name), by_1123, "{name}");
    }
    assert_eq!(Rules::Rfc1123.label(&"a".repeat(100)), "a".repeat(63));
    assert_eq!(Rules::Rfc1123.labels("chronos.2x..y"), "chronos.2x.y");
    assert_eq!(
        Rules::Rfc952.labels("Chronos With A Space And Mixed Case"),
        "chronoswithaspaceandmixe"
    );
}

#[test]
fn ids_are_hashed_to_five_characters() {
    // The same as SHA-1 in zbase32: da39a3ee… begins with 11011 01000 11100 11010 00111.
    assert_eq!(hashed(""), "5eh48");
    assert_ne!(hashed("task.1"), hashed("task.2"));
    assert_eq!(agent_tail("20150101-120000-123-5050-S12"), "s12");
    assert_eq!(agent_tail("alone"), "alone");
}

#[test]
fn names_are_looked_up_without_wildcards() {
    assert_eq!(looked_up("Web.*.Marathon.mesos"), "web.marathon.mesos.");
    assert_eq!(looked_up("leader.mesos."), "leader.mesos.");
    assert_eq!(looked_up(".*"), ".");
}

proptest! {
    #[test]
    fn any_name_becomes_a_sound_label(name in ".{0,200}") {
        for (rules, most) in [(Rules::Rfc952, 24), (Rules::Rfc1123, 63)] {
            let label = rules.label(&name);
            prop_assert!(label.len() <= most);
            prop_assert!(label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            prop_assert!(!label.starts_with('-'));
            if rules == Rules::Rfc952 {
                prop_assert!(!label.starts_with(|one: char| one.is_ascii_digit()));
            }
            // A label that is short enough is its own.
            if name.len() <= most {
                prop_assert_eq!(rules.label(&label), label.clone());
            }
            prop_assert!(rules.labels(&name).split('.').all(|part| part.len() <= most));
        }
    }

    #[test]
    fn hashes_are_of_their_alphabet(id in ".{0,80}") {
        let hash = hashed(&id);
        prop_assert_eq!(hash.len(), 5);
        prop_assert!(hash.bytes().all(|byte| b"ybndrfg8ejkmcpqxot1uwisza345h769".contains(&byte)));
    }
}
