use super::*;
use crate::core::types::{hex, names};

fn unhex(text: &str) -> Option<Vec<u8>> {
    let bytes = || {
        (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    };
    (text != "null").then(bytes)
}

fn kind(text: &str) -> CqlType {
    names::parse(text).unwrap().resolve("ks", &|_| None).unwrap()
}

/// An argument of a type.
struct Typed(CqlType);

impl Given for Typed {
    fn fit(&self, kind: &CqlType) -> Fit {
        kind.fit_of(&self.0)
    }

    fn kind(&self) -> Option<CqlType> {
        Some(self.0.clone())
    }

    fn shown(&self) -> String {
        self.0.to_string()
    }
}

fn found(name: &str, kinds: &[CqlType]) -> Result<Option<Function>> {
    let typed: Vec<Typed> = kinds.iter().cloned().map(Typed).collect();
    let given: Vec<&dyn Given> = typed.iter().map(|typed| typed as &dyn Given).collect();
    let operator = Operator::ALL.iter().find(|(.., function)| *function == name);
    match (operator, given.as_slice()) {
        (Some((operator, ..)), [left, right]) => {
            operation(*operator, [*left, *right], &Wanted::default()).map(Some)
        }
        _ => resolve(name, &given, &Wanted::default()),
    }
}

const CONTEXT: Context<'static> = Context {
    now_ms: 1_700_000_000_123,
    random: &|| 0x0123_4567_89ab_cdef,
};

/// Recorded from the original's own functions: what each gives for its arguments.
const RECORDED: &str = include_str!("golden/calls.txt");

#[test]
fn functions_give_what_the_original_gives() {
    let (mut wrong, mut right) = (Vec::new(), 0);
    for line in RECORDED.lines().filter(|line| line.starts_with("call")) {
        let parts: Vec<&str> = line.split('|').collect();
        let arguments = parts[2]
            .split_terminator(',')
            .map(|argument| argument.split_once(':').unwrap());
        let (kinds, values): (Vec<_>, Vec<_>) = arguments.map(|(of, value)| (kind(of), unhex(value))).unzip();
        let function = match found(parts[1], &kinds) {
            Ok(Some(function)) => function,
            other => {
                wrong.push(format!("{line}: {other:?}"));
                continue;
            }
        };
        let values: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
        let told = match function.call(&values, &CONTEXT) {
            Ok(value) => format!("={}", value.map_or("null".into(), |value| hex(&value))),
            Err(error) => format!("!{error}"),
        };
        let expected = match parts[4]
            .strip_prefix('!')
            .and_then(|error| error.split_once(": "))
        {
            Some((_, message)) => format!("!{message}"),
            None => parts[4].to_owned(),
        };
        if told == expected && function.returns.to_string() == parts[3] {
            right += 1;
        } else {
            wrong.push(format!("{line}: {told} {}", function.returns));
        }
    }
    assert!(
        wrong.is_empty(),
        "{right} right, {} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(60)]
    );
    assert!(right > 5000);
}

#[test]
fn aggregates_give_what_the_original_gives() {
    let mut wrong = Vec::new();
    for line in RECORDED.lines().filter(|line| line.starts_with("agg")) {
        let parts: Vec<&str> = line.split('|').collect();
        let function = found(parts[1], &[kind(parts[2])]).unwrap().unwrap();
        let mut accumulator = function.accumulator().unwrap();
        for value in parts[3].split_terminator(',') {
            accumulator.add(unhex(value).as_deref());
        }
        let told = format!("={}", hex(&accumulator.finish().unwrap()));
        if told != parts[4] {
            wrong.push(format!("{line}: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn counting_and_extremes() {
    let int = kind("int");
    let fed = |name: &str| {
        let mut accumulator = found(name, std::slice::from_ref(&int))
            .unwrap()
            .unwrap()
            .accumulator()
            .unwrap();
        for value in [Some(3_i32), None, Some(-5), Some(2)] {
            accumulator.add(value.map(i32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        }
        accumulator.finish().map(|value| hex(&value))
    };
    assert_eq!(fed("count").unwrap(), "0000000000000003");
    assert_eq!(fed("min").unwrap(), "fffffffb");
    assert_eq!(fed("max").unwrap(), "00000003");
    let mut rows = found("count_rows", &[]).unwrap().unwrap().accumulator().unwrap();
    rows.add(None);
    assert_eq!(rows.finish().unwrap(), 1_i64.to_be_bytes());
    let empty = found("max", &[int]).unwrap().unwrap().accumulator().unwrap();
    assert_eq!(empty.finish(), None);
}

fn called(name: &str, arguments: &[(&str, Option<&str>)]) -> Result<String> {
    let kinds: Vec<CqlType> = arguments.iter().map(|(of, _)| kind(of)).collect();
    let values: Vec<Option<Vec<u8>>> = arguments
        .iter()
        .map(|(of, text)| text.map(|text| crate::core::types::literal::parse(&kind(of), text).unwrap()))
        .collect();
    let values: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
    let function = found(name, &kinds)?.expect("a function");
    let value = function.call(&values, &CONTEXT)?;
    Ok(value.map_or("null".into(), |value| {
        crate::core::types::show::cql(&function.returns, &value)
    }))
}

#[test]
fn what_needs_the_time_takes_the_one_it_is_given() {
    assert_eq!(
        called("current_timestamp", &[]).unwrap(),
        "'2023-11-14T22:13:20.123Z'"
    );
    assert_eq!(called("current_date", &[]).unwrap(), "'2023-11-14'");
    assert_eq!(called("current_time", &[]).unwrap(), "'22:13:20.123000000'");
    let now = called("now", &[]).unwrap();
    assert_eq!(
        called("to_timestamp", &[("timeuuid", Some(&now))]).unwrap(),
        "'2023-11-14T22:13:20.123Z'"
    );
    assert_eq!(&called("uuid", &[]).unwrap()[14..20], "4def-8");
    let at = [("timestamp", Some("2013-01-01 00:05+0000"))];
    assert_eq!(
        called("min_timeuuid", &at).unwrap(),
        "e23f1e00-53a6-11e2-8080-808080808080"
    );
    assert_eq!(
        called("max_timeuuid", &at).unwrap(),
        "e23f450f-53a6-11e2-7f7f-7f7f7f7f7f7f"
    );
}

#[test]
fn masks() {
    let text = |value| ("text", Some(value));
    let int = |value| ("int", Some(value));
    assert_eq!(
        called("mask_inner", &[text("abcdef"), int("1"), int("2")]).unwrap(),
        "'a***ef'"
    );
    assert_eq!(
        called("mask_outer", &[text("abcdef"), int("1"), int("2")]).unwrap(),
        "'*bcd**'"
    );
    assert_eq!(
        called("mask_inner", &[text("abc"), ("int", None), int("5")]).unwrap(),
        "'abc'"
    );
    assert_eq!(called("mask_default", &[int("7")]).unwrap(), "0");
    assert_eq!(called("mask_default", &[text("x")]).unwrap(), "'****'");
    assert_eq!(called("mask_null", &[int("7")]).unwrap(), "null");
    assert_eq!(called("mask_replace", &[int("7"), int("8")]).unwrap(), "8");
}

#[test]
fn calls_that_mean_nothing() {
    let refused = |name: &str, kinds: &[&str]| {
        let kinds: Vec<CqlType> = kinds.iter().map(|of| kind(of)).collect();
        found(name, &kinds).unwrap_err().to_string()
    };
    assert!(found("nothing", &[]).unwrap().is_none());
    assert_eq!(
        refused("_add", &["int", "text"]),
        "the '+' operation is not supported between int and text"
    );
    assert_eq!(
        refused("to_date", &["int"]),
        "Invalid call to function to_date, none of its type signatures match (known type signatures: \
         system.to_date : (timestamp) -> date, system.to_date : (timeuuid) -> date)"
    );
    assert_eq!(
        refused("now", &["int"]),
        "Invalid number of arguments in call to function system.now: 0 required but 1 provided"
    );
    assert_eq!(
        refused("int_as_blob", &["text"]),
        "Type error: text cannot be passed as argument 0 of function system.int_as_blob of type int"
    );
}

#[test]
fn numbers_of_huge_scale_cost_nothing() {
    let decimal = |text| ("decimal", Some(text));
    assert_eq!(called("exp", &[decimal("1e-2000000000")]).unwrap(), "1");
    assert!(called("exp", &[decimal("1e2000000000")]).is_err());
    assert_eq!(
        called("_add", &[decimal("1e2000000000"), decimal("1")]).unwrap(),
        "1E+2000000000"
    );
    assert!(called("_modulo", &[decimal("1e2000000000"), decimal("3")]).is_err());
    assert!(
        called("log", &[decimal("1e2000000000")])
            .unwrap()
            .starts_with("4605170185.98")
    );
    assert_eq!(called("round", &[decimal("1e-2000000000")]).unwrap(), "0");
}
