use super::*;

#[test]
fn a_process_is_told_with_what_it_uses() {
    let own = std::process::id();
    let used = usage(&BTreeSet::from([own, u32::MAX]), &Cgroups::default());
    assert_eq!(used.len(), 1);
    assert!(used[&own].rss_bytes > 0 && used[&own].processes > 0);
}

#[test]
fn a_name_may_hold_anything() {
    let text = "7 (a) b) c) S 3 7 7 0 -1 0 1 2 3 4 50 60 7 8 20 0 1 0 9 9 9";
    let stat = Stat {
        parent: 3,
        user: 57,
        system: 68,
    };
    assert_eq!(parse(text), Some(stat));
    assert_eq!(parse("no stat"), None);
}
