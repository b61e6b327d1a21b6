use super::*;

#[test]
fn flags_are_read_as_the_original_reads_them() {
    let mut upkeep = Upkeep::default();
    for (name, value) in [
        ("gc_delay", "2weeks"),
        ("disk_watch_interval", "1.5mins"),
        ("gc_disk_headroom", "0.25"),
        ("max_stdout_size", "64KB"),
        ("max_stderr_size", "2GB"),
    ] {
        assert_eq!(upkeep.set(name, value), Ok(()), "{name}");
    }
    let collection = Collection {
        gc_delay: Duration::from_secs(14 * 86_400),
        gc_disk_headroom: 0.25,
        disk_watch_interval: Duration::from_secs(90),
    };
    assert_eq!(upkeep.collection, collection);
    assert_eq!(
        (upkeep.max_stdout_size, upkeep.max_stderr_size),
        (64 << 10, 2 << 30)
    );
    for (name, value) in [
        ("gc_delay", "2"),
        ("gc_delay", "-1secs"),
        ("max_stdout_size", "x"),
        ("other", "1"),
    ] {
        assert!(upkeep.set(name, value).is_err(), "{name}={value}");
    }
}
