use super::*;
use crate::{
    core::link::{ToAgent, ToMaster},
    internals,
    wire::link::{Received, record},
};
use mesos_proto::v1::{TaskState, TaskStatus, scheduler::Call};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

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

/// A text as a browser puts it into a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn to_master(text: &str, bytes: Vec<u8>) -> ToMaster {
    ToMaster::Update {
        framework: text.to_owned(),
        status: Box::new(TaskStatus {
            message: Some(text.to_owned()),
            data: Some(bytes),
            ..TaskStatus::default()
        }),
        latest: TaskState::TaskRunning,
    }
}

proptest! {
    #[test]
    fn what_a_form_holds_is_what_was_put_into_it(name in "[a-z]{1,8}", value in any::<String>(), other in any::<String>()) {
        let form = format!("other{name}={}&{name}={}&{name}=", encoded(&other), encoded(&value));
        prop_assert_eq!(query_value(&form, &name), Some(value));
    }

    #[test]
    fn any_query_is_taken_without_a_panic(query in any::<String>(), name in any::<String>()) {
        internals::query(&query, &name);
    }

    #[test]
    fn any_bytes_of_a_link_are_taken_without_a_panic(stream in prop::collection::vec(any::<u8>(), 0..200)) {
        internals::link(&stream);
        internals::link(&record(&String::from_utf8_lossy(&stream)));
    }

    #[test]
    fn what_agent_and_master_say_arrives_however_it_is_cut(
        said in prop::collection::vec((any::<String>(), prop::collection::vec(any::<u8>(), 0..20)), 0..6),
        piece in 1_usize..40,
    ) {
        let stream: Vec<u8> = said
            .iter()
            .flat_map(|(text, bytes)| record(&to_master(text, bytes.clone())))
            .collect();
        internals::link(&stream);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let heard = runtime.block_on(async {
            // What is written at once comes out in pieces.
            let (mut from, mut to) = tokio::io::duplex(piece);
            let writes = async move { to.write_all(&stream).await.unwrap() };
            let reads = async move {
                let (mut received, mut heard) = (Received::default(), Vec::new());
                while let Some(message) = received.next::<ToMaster>(&mut from).await.unwrap() {
                    heard.push(format!("{message:?}"));
                }
                heard
            };
            tokio::join!(writes, reads).1
        });
        let said = said.into_iter().map(|(text, bytes)| format!("{:?}", to_master(&text, bytes)));
        prop_assert_eq!(heard, said.collect::<Vec<_>>());
    }
}

/// Each end refuses what only the other one says, and the connection ends.
#[tokio::test]
async fn who_says_what_the_other_end_should_is_not_heard() {
    let message = record(&ToAgent::Ping);
    let heard = Received::default().next::<ToMaster>(&mut &message[..]).await;
    assert_eq!(heard.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
}
