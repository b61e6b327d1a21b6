use super::*;
use std::io::Write;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn settings(text: &str, options: Options) -> Result<Settings> {
    let file = file(text);
    Settings::from_options(
        Servers::ALL,
        Options {
            config: Some(file.path().to_owned()),
            ..options
        },
    )
}

#[test]
fn the_default_file_changes_nothing() {
    let settings = settings(DEFAULT_FILE, Options::default()).unwrap();
    assert_eq!(settings.kafka.listeners[0].bind, "127.0.0.1:9092");
    assert_eq!(settings.cql.listeners[0].bind, "127.0.0.1:9042");
    assert_eq!(settings.mesos.master.bind, "127.0.0.1:5050");
    assert_eq!(settings.admin_bind, "127.0.0.1:9644");
    assert_eq!(settings.data_dir, Path::new("./smack-data"));
    assert_eq!(settings.storage, Storage::Local);
    assert!(settings.not_honoured.is_empty());
}

#[test]
fn the_commit_log_is_synced_as_the_original_calls_it() {
    for (text, durability) in [
        ("", storage::Durability::Written),
        ("durability = 'synced'", storage::Durability::Synced),
        ("[cql]\ncommitlog_sync = 'periodic'", storage::Durability::Written),
        ("[cql]\ncommitlog_sync = 'batch'", storage::Durability::Synced),
        ("[cql]\ncommitlog_sync = 'group'", storage::Durability::Synced),
        (
            "durability = 'synced'\n[cql]\ncommitlog_sync = 'periodic'",
            storage::Durability::Written,
        ),
    ] {
        let settings = settings(text, Options::default()).unwrap();
        assert_eq!(settings.cql.durability, durability, "{text}");
    }
    assert!(settings("[cql]\ncommitlog_sync = 'never'", Options::default()).is_err());
}

#[test]
fn every_setting_of_the_default_file_is_one() {
    let uncommented: String = DEFAULT_FILE
        .lines()
        .filter(|line| !line.starts_with("# [["))
        .take_while(|line| !line.starts_with("# Listeners"))
        .map(|line| match line.strip_prefix("# ") {
            Some(setting) if setting.contains(" = ") => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .filter(|line| !line.contains("config_file"))
        .collect();
    let settings = settings(&uncommented, Options::default()).unwrap();
    assert_eq!(settings.kafka.property::<u32>("log.retention.hours"), Some(168));
}

#[test]
fn a_flag_comes_before_the_file() {
    let options = Options {
        kafka_port: Some(0),
        cql_port: Some(6),
        mesos_port: Some(5),
        ..Options::default()
    };
    let text =
        "host = \"::1\"\n[kafka]\nport = 7\n[admin]\nport = 8\n[kafka.config]\n\"num.io.threads\" = 3\n";
    let settings = settings(text, options).unwrap();
    assert_eq!(settings.kafka.listeners[0].bind, "[::1]:0");
    assert_eq!(settings.cql.listeners[0].bind, "[::1]:6");
    assert_eq!(settings.mesos.master.bind, "[::1]:5");
    assert_eq!(settings.mesos.agent.unwrap().bind, "[::1]:5051");
    assert_eq!(settings.admin_bind, "[::1]:8");
    assert_eq!(settings.not_honoured, ["num.io.threads"]);
}

#[test]
fn a_kafka_file_brings_its_listeners_and_directory() {
    let kafka = file(
        "listeners=A://127.0.0.1:1,B://127.0.0.1:2\nlistener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\nlog.dirs=/tmp/a,/tmp/b\n\
         advertised.listeners=A://a.example:1,B://b.example:7\n",
    );
    let options = Options {
        kafka_config: Some(kafka.path().to_owned()),
        kafka_port: Some(9),
        ..Options::default()
    };
    let settings = settings("", options).unwrap();
    let bound: Vec<_> = settings
        .kafka
        .listeners
        .iter()
        .map(|listener| listener.bind.as_str())
        .collect();
    assert_eq!(bound, ["127.0.0.1:9", "127.0.0.1:2"]);
    assert_eq!(
        settings.kafka.listeners[0].advertised.as_deref(),
        Some("a.example:9")
    );
    assert_eq!(
        settings.kafka.listeners[1].advertised.as_deref(),
        Some("b.example:7")
    );
    assert_eq!(settings.data_dir, Path::new("/tmp/a"));
    assert_eq!(settings.not_honoured, ["log.dirs (but the first)"]);
}

#[test]
fn the_cql_server_has_a_section() {
    let text = "[cql]\nport = 7\nauthenticator = \"PasswordAuthenticator\"\nrack = \"r2\"\n";
    let cql = settings(text, Options::default()).unwrap().cql;
    assert_eq!(
        (cql.listeners[0].bind.as_str(), cql.rack.as_str()),
        ("127.0.0.1:7", "r2")
    );
    assert_eq!(cql.authenticator, cql_server::Authenticator::Password);
}

#[test]
fn mesos_has_a_section() {
    let text = "data_dir = \"/d\"\n[mesos]\nagent_port = 7\nresources = \"cpus:3\"\nmax_stdout_size = \"1KB\"\n\
                zk = \"zk://h/m\"\n";
    let mesos = settings(text, Options::default()).unwrap().mesos;
    assert_eq!(mesos.master.zk.as_deref(), Some("zk://h/m"));
    let agent = mesos.agent.unwrap();
    assert_eq!(
        (agent.bind.as_str(), agent.resources.as_str()),
        ("127.0.0.1:7", "cpus:3")
    );
    assert_eq!(agent.work_dir, Path::new("/d/mesos"));
    assert_eq!(agent.upkeep.max_stdout_size, 1024);
    assert!(settings("[mesos]\ngc_delay = \"soon\"\n", Options::default()).is_err());
}

#[test]
fn flags_say_who_the_cql_node_is() {
    let options = Options {
        cql: CqlOptions {
            cql_rack: Some("r3".to_owned()),
            cql_authenticator: Some("PasswordAuthenticator".parse().unwrap()),
            ..CqlOptions::default()
        },
        ..Options::default()
    };
    let text = "[cql]\nrack = \"r2\"\ngroup_by_enabled = false\ntable_properties_warned = [\"comment\"]\n";
    let cql = settings(text, options).unwrap().cql;
    assert_eq!(cql.rack, "r3");
    assert_eq!(cql.authenticator, cql_server::Authenticator::Password);
    assert_ne!(cql.guardrails, cql_server::Guardrails::default());
}

#[test]
fn what_cannot_be_taken_is_named() {
    let error = settings("colour = 1", Options::default()).unwrap_err();
    assert!(format!("{error:#}").contains("unknown field `colour`"));
    let error = settings("[cql]\ncolour = 1", Options::default()).unwrap_err();
    assert!(format!("{error:#}").contains("unknown field `colour`"));
    let error = settings("[kafka.config]\n\"num.partitions\" = \"x\"", Options::default()).unwrap_err();
    assert!(
        format!("{error:#}")
            .contains("Invalid value x for configuration num.partitions: Not a number of type INT")
    );
}

#[test]
fn times_and_sizes_have_units() {
    let text = "[cql]\nread_request_timeout = \"7s\"\nrange_request_timeout = \"20000ms\"\n\
                prepared_statements_cache_size = \"3MiB\"\n";
    let settings = settings(text, Options::default()).unwrap();
    let seconds = |seconds| std::time::Duration::from_secs(seconds);
    let timeouts = settings.cql.timeouts;
    assert_eq!(
        (timeouts.read, timeouts.range, timeouts.write),
        (seconds(7), seconds(20), seconds(2))
    );
    assert_eq!(settings.cql.limits.prepared_statements_cache_size, 3 << 20);
}

#[test]
fn times_without_a_unit_are_refused() {
    for value in ["5000", "5 s", "-1s", "s", "99999999999999999999d"] {
        let text = format!("[cql]\nread_request_timeout = \"{value}\"\n");
        assert!(settings(&text, Options::default()).is_err(), "{value}");
    }
}

#[test]
fn the_container_listens_everywhere_and_sends_clients_to_its_host() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/container.toml");
    let settings = settings(&fs::read_to_string(file).unwrap(), Options::default()).unwrap();
    let kafka = &settings.kafka.listeners[0];
    assert_eq!(
        (&*kafka.bind, kafka.advertised.as_deref()),
        ("0.0.0.0:9092", Some("127.0.0.1:9092"))
    );
    assert_eq!(settings.cql.listeners[0].bind, "0.0.0.0:9042");
    assert_eq!(
        settings.cql.broadcast_rpc_address,
        Some("127.0.0.1".parse().unwrap())
    );
    assert_eq!(settings.mesos.master.bind, "0.0.0.0:5050");
    assert_eq!(settings.admin_bind, "0.0.0.0:9644");
    assert_eq!(settings.data_dir, Path::new("/var/lib/smack/data"));
}
