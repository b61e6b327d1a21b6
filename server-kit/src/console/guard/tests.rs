use super::names_this_machine;

#[test]
fn addresses_and_own_names_are_taken() {
    for host in [
        "127.0.0.1:9644",
        "127.0.0.1",
        "[::1]:9644",
        "[::1]",
        "192.0.2.7:80",
        "localhost:9644",
        "LocalHost",
        "smack.localhost:9644",
        "worker-7:9644",
    ] {
        assert!(names_this_machine(host, "worker-7"), "{host}");
    }
}

#[test]
fn names_of_others_are_not() {
    for host in [
        "",
        "evil.example:9644",
        "localhost.evil.example",
        "notlocalhost:9644",
        "worker-7.evil.example",
        "127.0.0.1.evil.example:9644",
        "[::1].evil.example",
        ":9644",
    ] {
        assert!(!names_this_machine(host, "worker-7"), "{host}");
    }
}
