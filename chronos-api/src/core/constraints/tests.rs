use super::*;

fn holds(operator: Operator, value: &str, attribute: Option<Value>) -> bool {
    let constraint = Constraint {
        attribute: "rack".to_owned(),
        operator,
        value: value.to_owned(),
    };
    let attributes: Vec<Attribute> = attribute
        .into_iter()
        .map(|value| Attribute {
            name: "rack".to_owned(),
            value,
        })
        .collect();
    Check::new(&constraint).unwrap().holds(&attributes, "host-1")
}

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

#[test]
fn attributes_are_equal_alike_or_not() {
    use Operator::{Equals, Like, Unlike};
    let set = || Some(Value::Set(vec!["rack-1".to_owned(), "rack-9".to_owned()]));
    for (operator, value, attribute, expected) in [
        (Equals, "rack-1", text("rack-1"), true),
        (Equals, "rack-1", text("rack-11"), false),
        (Equals, "rack-9", set(), true),
        (Equals, "1.0", Some(Value::Scalar(1.0)), true),
        (Equals, "rack-1", None, false),
        (Like, "rack-[1-3]", text("rack-2"), true),
        (Like, "rack-[1-3]", text("rack-22"), false),
        (Like, "rack-9", set(), true),
        (Like, ".*", Some(Value::Other), false),
        (Unlike, "rack-[1-3]", text("rack-4"), true),
        (Unlike, "rack-[1-3]", text("rack-2"), false),
        (Unlike, "rack-[1-3]", None, false),
        (Unlike, "rack-[1-3]", set(), false),
    ] {
        assert_eq!(
            holds(operator, value, attribute.clone()),
            expected,
            "{operator:?} {value} {attribute:?}"
        );
    }
}

#[test]
fn a_host_has_a_name() {
    let constraint = Constraint {
        attribute: "hostname".to_owned(),
        operator: Operator::Like,
        value: "host-[0-9]".to_owned(),
    };
    let check = Check::new(&constraint).unwrap();
    assert!(check.holds(&[], "host-1"));
    let own = [Attribute {
        name: "hostname".to_owned(),
        value: Value::Text("other".to_owned()),
    }];
    assert!(!check.holds(&own, "host-1"));
}

#[test]
fn expressions_are_bounded() {
    for value in ["(", "(((((a{1000}){1000}){1000}){1000}){1000})"] {
        let constraint = Constraint {
            attribute: "rack".to_owned(),
            operator: Operator::Like,
            value: value.to_owned(),
        };
        assert!(Check::new(&constraint).is_err(), "{value}");
    }
}
