use super::*;

#[test]
fn directives_are_read_and_written() {
    let levels = LogLevels::read("warn, kafka_server=debug,storage[span]=trace");
    assert_eq!(levels.root, LogLevel::Warn);
    assert_eq!(levels.targets["kafka_server"], LogLevel::Debug);
    assert_eq!(levels.directives(), "warn,kafka_server=debug,storage[span]=trace");
    assert_eq!(LogLevels::read("").root, LogLevel::Error);
}

/// The one test of this crate that starts the log, which is the process's.
#[test]
fn levels_change_while_the_process_runs() {
    start_logging(LogFormat::Json, "warn").unwrap();
    let debugs = || tracing::enabled!(target: "kafka_server", tracing::Level::DEBUG);
    assert!(!debugs());
    let mut levels = log_levels();
    assert_eq!(levels.root, LogLevel::Warn);
    levels.targets.insert("kafka_server".to_owned(), LogLevel::Debug);
    set_log_levels(levels.clone()).unwrap();
    assert!(debugs());
    assert!(!tracing::enabled!(target: "storage", tracing::Level::DEBUG));
    levels.targets.clear();
    levels.root = LogLevel::Error;
    set_log_levels(levels.clone()).unwrap();
    assert!(!debugs() && !tracing::enabled!(target: "storage", tracing::Level::WARN));
    assert_eq!(log_levels(), levels);
}
