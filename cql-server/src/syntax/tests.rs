use super::{LiteralKind, Relation, Term, parse};
use crate::{
    error::CqlError,
    statements::{
        Statement,
        select::{Selected, Selector},
        update::Change,
    },
};
use proptest::prelude::*;

/// Statements, each followed by what Apache Cassandra 5.0.9 said about its syntax.
const ERRORS: &str = include_str!("tests/errors.txt");

#[test]
fn errors_are_the_originals() {
    let lines: Vec<&str> = ERRORS.lines().collect();
    let mut wrong = Vec::new();
    for pair in lines.chunks(2) {
        let text = pair[0].replace("\\n", "\n");
        let said = match parse(&text) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        if said != pair[1].trim_start() {
            wrong.push(format!(
                "{text}\n  ours: {said}\n  theirs: {}",
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

fn accepted(text: &str) -> Statement {
    parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .statement
}

#[test]
fn the_surface_is_accepted() {
    for text in [
        "SELECT JSON DISTINCT a, b AS c, count(*), ttl(a), writetime(b.c), maxwritetime(m['x']) FROM ks.t",
        "select json from t",
        "select distinct from t",
        "select json, distinct from t",
        "SELECT m['a'], l[1..2], l[..3], l[1..], u.f.g, ks.f(a), token(a, b), cast(a as text) FROM t",
        "SELECT a + b * -c, (int)d, (a, b), [1, 2], {a: 1}, {1, 2}, - 1 FROM t",
        "SELECT * FROM t WHERE a = 1 AND b IN (1, ?) AND c IN ? AND (d, e) > (1, 2) AND (d, e) IN ((1, 2)) AND token(a) > token(3)",
        "SELECT * FROM t WHERE m['k'] = 1 AND l CONTAINS 3 AND m CONTAINS KEY 'x' AND s LIKE 'a%' AND x IS NOT NULL AND expr(i, 'q')",
        "SELECT * FROM t GROUP BY a, b ORDER BY c DESC, v ANN OF [1.0, 2.0] PER PARTITION LIMIT 2 LIMIT :n ALLOW FILTERING;",
        "INSERT INTO t (a, b) VALUES (1, {'a': [1, 2]}) IF NOT EXISTS USING TTL 3 AND TIMESTAMP ?",
        "INSERT INTO t JSON '{}' DEFAULT UNSET IF NOT EXISTS",
        "UPDATE t USING TTL 1 SET a = 1, b = b + [1], c = [1] + c, d = d - 1, e = e -1, f[1] = 2, g.h = 3, i += 1, j -= ? WHERE k = 1 IF EXISTS",
        "UPDATE t SET a = f(1) + 2 WHERE k = 1 IF a = 1 AND b[1] IN (1) AND c.d != 3 AND l CONTAINS 1",
        "DELETE a, b[1], c.d FROM t USING TIMESTAMP 1 WHERE k = 1 AND c > 3 IF a = 2",
        "BEGIN UNLOGGED BATCH USING TIMESTAMP 3 INSERT INTO t (a) VALUES (1); UPDATE t SET a = 1 WHERE b = 2 DELETE FROM t WHERE a = 1; APPLY BATCH",
        "TRUNCATE TABLE a.b",
        "USE \"Odd\"",
        "INSERT INTO t (a) VALUES (12h30m) -- comment\n",
        "INSERT INTO t (a) VALUES ($$it's$$) /* x */",
        "INSERT INTO t (a, b) VALUES (P1Y2M3DT4H5M6S, -P3W)",
        "INSERT INTO t (a) VALUES (cast(1 as bigint))",
    ] {
        accepted(text);
    }
}

#[test]
fn literals_have_their_kinds() {
    let cases = [
        ("'it''s'", LiteralKind::String, "it's"),
        ("-12", LiteralKind::Integer, "-12"),
        ("1.5e-3", LiteralKind::Float, "1.5e-3"),
        ("-Infinity", LiteralKind::Float, "-Infinity"),
        ("TRUE", LiteralKind::Boolean, "TRUE"),
        ("1mo2\u{b5}s", LiteralKind::Duration, "1mo2\u{b5}s"),
        (
            "P0001-02-03T04:05:06",
            LiteralKind::Duration,
            "P0001-02-03T04:05:06",
        ),
        (
            "123e4567-e89b-12d3-a456-426614174000",
            LiteralKind::Uuid,
            "123e4567-e89b-12d3-a456-426614174000",
        ),
        ("0xCAFE", LiteralKind::Hex, "0xCAFE"),
    ];
    for (text, kind, meaning) in cases {
        let Statement::Select(select) = accepted(&format!("SELECT * FROM t WHERE a = {text}")) else {
            panic!("no SELECT")
        };
        let Relation::Column {
            term: Term::Literal(literal),
            ..
        } = &select.relations[0]
        else {
            panic!("{text} is no literal")
        };
        assert_eq!((literal.kind, &*literal.text), (kind, meaning));
    }
}

#[test]
fn markers_are_numbered_in_the_order_of_the_text() {
    let text =
        parse("UPDATE t SET a = ?, m[:k] = {?: :v} WHERE b IN ? AND (c, d) > (?, :e) IF x = ?").unwrap();
    let names: Vec<Option<&str>> = text.markers.iter().map(|name| name.as_deref()).collect();
    assert_eq!(
        names,
        [None, Some("k"), None, Some("v"), None, None, Some("e"), None]
    );
}

#[test]
fn names_are_in_lower_case_unless_quoted() {
    let Statement::Select(select) = accepted("SELECT Ab, \"Cd\"\"e\", Timestamp FROM \"T\"") else {
        panic!("no SELECT")
    };
    let columns = ["ab", "Cd\"e", "timestamp"].map(|name| Selected {
        selector: Selector::Column(name.to_owned()),
        alias: None,
    });
    assert_eq!(select.selected, columns);
    assert_eq!(select.table.name, "T");
}

#[test]
fn prepending_and_adding_are_told_apart() {
    let Statement::Update(update) = accepted("UPDATE t SET a = [1] + a, b = b + [1], c = 1 + 2 WHERE k = 1")
    else {
        panic!("no UPDATE")
    };
    assert!(matches!(update.operations[0].change, Change::Prepend(_)));
    assert!(matches!(update.operations[1].change, Change::Add(_)));
    assert!(matches!(
        update.operations[2].change,
        Change::Set(Term::Operation { .. })
    ));
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    let chains = ["(", "[", "{", "{1:", "f(", "-(", "(int)", "cast("].map(|part| part.repeat(100_000));
    let sums = ["1+", "-", "1*"].map(|part| part.repeat(100_000));
    let types = ["list<", "frozen<", "tuple<"].map(|part| format!("({}", part.repeat(100_000)));
    for nested in chains.into_iter().chain(sums).chain(types) {
        for text in [
            format!("INSERT INTO t (a) VALUES ({nested}"),
            format!("SELECT {nested}"),
        ] {
            assert!(matches!(parse(&text), Err(CqlError::Syntax(_))));
        }
    }
    let relations = format!("SELECT * FROM t WHERE {}", "(".repeat(100_000));
    assert!(matches!(parse(&relations), Err(CqlError::Syntax(_))));
}

#[test]
fn long_lists_are_fine() {
    let text = format!("INSERT INTO t (a) VALUES ([{}1])", "1,".repeat(200_000));
    accepted(&text);
}

/// Words and signs from which statements are made.
fn fragment() -> impl Strategy<Value = String> {
    let words = "SELECT FROM WHERE AND IN INSERT INTO VALUES UPDATE SET DELETE BEGIN BATCH APPLY USING TTL TIMESTAMP \
        TOKEN CREATE TABLE INDEX ON ( ) [ ] { } , ; : . .. * + - / % = < > <= != += ? a \"B\" 'c' 1 -2 3.5 true 0xab \
        null cast as int list < > not exists if contains key like is expr( count ttl";
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    proptest::sample::select(words)
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn any_words_are_parsed_or_refused(words in prop::collection::vec(fragment(), 0..40)) {
        let _ = parse(&words.join(" "));
        let _ = parse(&words.concat());
    }
}
