use super::{agent, operator, scheduler};
use mesos_proto::v1::{agent as agent_calls, master, scheduler as calls};
use std::{fmt::Write, fs, path::Path};

const NOTES: &str = include_str!("compat-notes.md");

/// What `docs/compat/mesos.md` says: both tables beside every call that Mesos 1.11 has.
fn matrix() -> String {
    let mut out = "<!-- Written by `RECORD=1 cargo test -p mesos-api compat`. Do not edit. -->\n\
        # Mesos: the v1 HTTP API\n\nWhat is answered of the calls of Apache Mesos 1.11, in JSON and in protobuf. \
        A call without a tick is refused with 501.\n\n"
        .to_owned();
    let _ = writeln!(
        out,
        "## Scheduler API\n\n| number | call | answered |\n|---|---|---|"
    );
    for number in 1..=17 {
        let kind = calls::call::Type::try_from(number).unwrap();
        let line = scheduler::TABLE.iter().find(|line| line.kind == kind);
        row(
            &mut out,
            number,
            kind.as_str_name(),
            line.is_some_and(|line| line.supported),
        );
    }
    let _ = writeln!(
        out,
        "\n## Operator API of the master\n\n| number | call | answered |\n|---|---|---|"
    );
    for number in 1..=39 {
        let kind = master::call::Type::try_from(number).unwrap();
        let answered = operator::TABLE.iter().any(|line| line.kind == kind);
        row(&mut out, number, kind.as_str_name(), answered);
    }
    let _ = writeln!(
        out,
        "\n## Executor API of the agent\n\nAll calls: SUBSCRIBE, UPDATE, MESSAGE, HEARTBEAT.\n\n\
         ## Operator API of the agent\n\n| number | call | answered |\n|---|---|---|"
    );
    for number in 1..=32 {
        let kind = agent_calls::call::Type::try_from(number).unwrap();
        let answered = agent::operator::TABLE.iter().any(|line| line.kind == kind);
        row(&mut out, number, kind.as_str_name(), answered);
    }
    let _ = write!(out, "\n{NOTES}");
    out
}

fn row(out: &mut String, number: i32, name: &str, answered: bool) {
    let tick = if answered { "yes" } else { "" };
    let _ = writeln!(out, "| {number} | {name} | {tick} |");
}

#[test]
fn the_page_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compat/mesos.md");
    if std::env::var_os("RECORD").is_some() {
        fs::write(&path, matrix()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        matrix(),
        "write it again with RECORD=1"
    );
}

/// The table of the scheduler API holds every call once, in the order of their numbers.
#[test]
fn the_table_is_whole() {
    let kinds: Vec<i32> = scheduler::TABLE.iter().map(|line| line.kind as i32).collect();
    assert_eq!(kinds, (1..=17).collect::<Vec<_>>());
}
