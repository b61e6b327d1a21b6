use super::*;
use mesos_proto::v1::scheduler::Call;
use proptest::prelude::*;

fn headers(name: axum::http::HeaderName, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

#[test]
fn json_is_answered_where_both_are_taken() {
    for (accept, expected) in [
        ("*/*", Encoding::Json),
        ("application/x-protobuf, application/json;q=0.5", Encoding::Json),
        ("application/x-protobuf", Encoding::Protobuf),
    ] {
        assert_eq!(accepted(&headers(ACCEPT, accept)).unwrap(), expected, "{accept}");
    }
    let refused = accepted(&headers(ACCEPT, "text/html")).unwrap_err();
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
}

#[test]
fn what_is_no_call_is_refused_in_the_words_of_the_original() {
    let refused = |encoding, body: &'static str| parse::<Call>(encoding, &Bytes::from(body)).unwrap_err();
    assert_eq!(
        refused(Encoding::Protobuf, "\u{1}\u{2}"),
        "Failed to parse body into Call protobuf"
    );
    assert!(
        refused(Encoding::Json, "{")
            .starts_with("Failed to parse body into JSON: syntax error at line 1 near: ")
    );
    assert!(refused(Encoding::Json, "[]").starts_with("Failed to convert JSON into Call protobuf: "));
}

proptest! {
    #[test]
    fn any_body_is_taken_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let body = Bytes::from(body);
        let _ = parse::<Call>(Encoding::Json, &body);
        if let Ok(call) = parse::<Call>(Encoding::Protobuf, &body) {
            let again = Bytes::from(Encoding::Protobuf.write(&call));
            prop_assert_eq!(parse::<Call>(Encoding::Protobuf, &again).unwrap(), call);
        }
    }
}

#[test]
fn a_query_is_taken_apart() {
    let query = "path=/a%20b%2Fc+d&offset=-1&bad=%4&path=second";
    assert_eq!(query_value(query, "path").as_deref(), Some("/a b/c d"));
    assert_eq!(query_value(query, "offset").as_deref(), Some("-1"));
    assert_eq!(query_value(query, "bad").as_deref(), Some("%4"));
    assert_eq!(query_value(query, "length"), None);
}
