use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn sandbox(work: &Path, executor: &str, run: &str, ended_at: Duration) -> PathBuf {
    let own = PathBuf::from(format!("slaves/S/frameworks/F/executors/{executor}/runs/{run}"));
    fs::create_dir_all(work.join(&own)).unwrap();
    fs::write(work.join(&own).join("stdout"), "hello").unwrap();
    ended(work, own.to_str().unwrap(), ended_at).unwrap();
    own
}

#[test]
fn what_is_old_and_not_in_use_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let now = DAY * 20_000;
    let old = sandbox(dir.path(), "E", "old", now - DAY * 8);
    let used = sandbox(dir.path(), "E", "used", now - DAY * 8);
    let new = sandbox(dir.path(), "E", "new", now);
    sandbox(dir.path(), "alone", "old", now - DAY * 8);
    let in_use = BTreeSet::from([used.clone()]);
    let rules = Collection::default();
    assert_eq!(rules.collect_at(0.1, dir.path(), &in_use, now), 2);
    assert!(!dir.path().join(&old).exists());
    assert!(dir.path().join(&used).exists() && dir.path().join(&new).exists());
    // Nothing is left of an executor that has had no sandbox for a while.
    let folder = dir.path().join("slaves/S/frameworks/F/executors");
    assert!(folder.join("alone").exists());
    ended(&folder, "alone/runs", now - DAY).unwrap();
    assert_eq!(rules.collect_at(0.1, dir.path(), &in_use, now), 0);
    assert!(!folder.join("alone/runs").exists() && folder.join("E/runs").exists());
}

#[test]
fn the_fuller_the_disk_the_less_is_kept() {
    let rules = Collection::default();
    assert_eq!(rules.age_max(0.9), Duration::ZERO);
    assert_eq!(rules.age_max(1.0), Duration::ZERO);
    let half = rules.age_max(0.4);
    assert!(half > DAY * 3 && half < DAY * 4, "{half:?}");
    assert!(rules.age_max(0.0) > DAY * 6);
}

#[test]
fn what_was_just_made_is_kept_on_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let now = DAY * 20_000;
    let new = sandbox(dir.path(), "E", "new", now);
    let ended = sandbox(dir.path(), "E", "ended", now - NEW_MAX);
    let removed = Collection::default().collect_at(1.0, dir.path(), &BTreeSet::new(), now);
    assert_eq!(removed, 1);
    assert!(dir.path().join(new).exists() && !dir.path().join(ended).exists());
}
