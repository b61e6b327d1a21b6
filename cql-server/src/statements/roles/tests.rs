use crate::{error::CqlError, statements::Statement, syntax::parse};

/// Statements, each followed by the code and text of what Apache Cassandra 5.0.9 answers where nobody logs in.
const RECORDED: &str = include_str!("recorded.txt");

fn answer(text: &str) -> String {
    let refused = match parse(text) {
        Ok(parsed) => match parsed.statement {
            Statement::Role(statement) => statement.refuse(),
            other => panic!("{text} is {other:?}"),
        },
        Err(error) => Err(error),
    };
    match refused {
        Ok(()) => "ok".to_owned(),
        Err(error @ CqlError::Syntax(_)) => format!("2000 {error}"),
        Err(error @ CqlError::Unauthorized(_)) => format!("2100 {error}"),
        Err(error @ CqlError::Invalid(_)) => format!("2200 {error}"),
        Err(other) => panic!("unexpected {other:?}"),
    }
}

#[test]
fn statements_about_roles_are_refused_as_by_the_original() {
    let lines: Vec<&str> = RECORDED.lines().collect();
    for pair in lines.chunks(2) {
        assert_eq!(answer(pair[0]), pair[1].trim_start(), "{}", pair[0]);
    }
}
