use super::Circumstances;
use crate::{core::schema::Schema, error::CqlError, statements::Statement, syntax::parse};
use std::sync::Arc;
use uuid::Uuid;

/// Statements in one session, each followed by the code and text of what Apache Cassandra 5.0.9 answered.
const RECORDED: &str = include_str!("recorded.txt");

fn code(error: &CqlError) -> u16 {
    match error {
        CqlError::Server(_) => 0,
        CqlError::Syntax(_) => 2000,
        CqlError::Unauthorized(_) => 2100,
        CqlError::Invalid(_) => 2200,
        CqlError::Config(_) => 2300,
        CqlError::AlreadyExists { .. } => 2400,
        other => panic!("unexpected {other:?}"),
    }
}

/// Applies `text`, and says what came of it.
fn step(schema: &mut Schema, text: &str) -> String {
    let cx = Circumstances {
        keyspace: None,
        now_us: 1_000_000,
        id: Uuid::from_u128(7),
        materialized_views_enabled: true,
        site: Arc::default(),
    };
    let statement = match parse(text) {
        Ok(parsed) => parsed.statement,
        Err(error) => return format!("{:04} {error}", code(&error)),
    };
    let Statement::Ddl(ddl) = statement else {
        panic!("{text} defines nothing");
    };
    match ddl.apply(schema, &cx) {
        Ok(applied) => {
            *schema = applied.schema;
            "ok".to_owned()
        }
        Err(error) => format!("{:04} {error}", code(&error)),
    }
}

#[test]
fn a_recorded_session_goes_as_it_went() {
    let mut schema = Schema::default();
    let lines: Vec<&str> = RECORDED.lines().collect();
    let mut wrong = Vec::new();
    for pair in lines.chunks(2) {
        let said = step(&mut schema, pair[0]);
        if said != pair[1].trim_start() {
            wrong.push(format!(
                "{}\n  ours: {said}\n  theirs: {}",
                pair[0],
                pair[1].trim_start()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        lines.len() / 2,
        wrong.join("\n")
    );
}

#[test]
fn numbers_and_ids_are_not_given_twice() {
    let mut schema = Schema::default();
    let define = |schema: &mut Schema, text: &str| assert_eq!(step(schema, text), "ok", "{text}");
    define(
        &mut schema,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    );
    define(&mut schema, "CREATE TABLE k.t (a int PRIMARY KEY, b int, c int)");
    let first = schema.table("k", "t").unwrap().clone();
    define(&mut schema, "ALTER TABLE k.t DROP c");
    define(&mut schema, "ALTER TABLE k.t ADD c int");
    let again = schema.table("k", "t").unwrap();
    // Of a column that comes back what was written after the drop is there.
    assert_eq!(first.column("c").unwrap().id, again.column("c").unwrap().id);
    assert!(again.hides(first.column("c").unwrap().id, 1_000_000));
    define(&mut schema, "DROP TABLE k.t");
    define(&mut schema, "CREATE TABLE k.t (a int PRIMARY KEY)");
    assert_ne!(first.number, schema.table("k", "t").unwrap().number);
}

#[test]
fn altered_types_reach_the_tables_that_use_them() {
    let mut schema = Schema::default();
    for text in [
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TYPE k.inner (x int)",
        "CREATE TYPE k.outer (y frozen<inner>)",
        "CREATE TABLE k.t (a int PRIMARY KEY, b list<frozen<outer>>)",
        "ALTER TYPE k.inner ADD z text",
    ] {
        assert_eq!(step(&mut schema, text), "ok", "{text}");
    }
    let kind = format!("{:?}", schema.table("k", "t").unwrap().column("b").unwrap().kind);
    assert!(kind.contains("\"z\""), "{kind}");
}
