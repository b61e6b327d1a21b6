use super::*;
use crate::shell::{Output, session::Pipes};
use std::io::{self, Write};
use tokio_util::sync::CancellationToken;

/// A session of a process that says hello, and ends.
fn session(stop: &CancellationToken) -> Session {
    let (_, stdin) = io::pipe().unwrap();
    let (stdout, mut says) = io::pipe().unwrap();
    let (stderr, _) = io::pipe().unwrap();
    says.write_all(b"hello").unwrap();
    let pipes = Pipes {
        stdin: stdin.into(),
        stdout: stdout.into(),
        stderr: stderr.into(),
    };
    Session::begin(pipes, stop.clone()).unwrap()
}

#[tokio::test]
async fn who_waits_for_a_session_has_it_though_it_ends_at_once() {
    let (mut waits, stop) = (Waits::default(), CancellationToken::new());
    let begun = waits.for_begin("x");
    waits.opened("x".to_owned(), session(&stop));
    waits.begun("x", None);
    waits.over("x", &End::default());
    assert!(waits.session("x").is_none());
    let held = begun.await.unwrap().unwrap().session.unwrap();
    let mut output = held.attach();
    assert_eq!(output.recv().await, Some(Output::Stdout(b"hello".to_vec())));
    assert_eq!(output.recv().await, None);
    assert!(!stop.is_cancelled());
    drop(held);
    assert!(stop.is_cancelled());
}

#[tokio::test]
async fn a_session_that_nobody_waits_for_any_more_ends() {
    let (mut waits, stop) = (Waits::default(), CancellationToken::new());
    drop(waits.for_begin("x"));
    waits.opened("x".to_owned(), session(&stop));
    waits.begun("x", None);
    assert!(stop.is_cancelled());
}
