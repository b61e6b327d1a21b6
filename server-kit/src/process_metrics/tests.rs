use super::*;

#[test]
fn what_the_kernel_writes_is_read() {
    let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 1000 9 9";
    let status = "Name:\tx\nVmSize:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t9\n";
    let limits = "Max open files            1024                 4096                 files\n";
    let facts = Facts::parse(stat, status, limits, "cpu 1\nbtime 5000\n");
    let expected = Facts {
        cpu_seconds: Some(3.0),
        start_seconds: Some(5010.0),
        resident_bytes: Some(1 << 20),
        virtual_bytes: Some(2 << 20),
        threads: Some(9),
        open_files: None,
        open_files_max: Some(1024),
    };
    assert_eq!(facts, expected);
    assert_eq!(Facts::parse("", "", "", ""), Facts::default());
}

#[test]
fn this_process_is_told() {
    let mut registry = Registry::default();
    register_process(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for name in [
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(name)),
            "{name} in {text}"
        );
    }
}
