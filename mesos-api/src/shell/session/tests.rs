use super::*;
use std::io::Read;

fn session() -> (Session, io::PipeReader) {
    let (reads, stdin) = io::pipe().unwrap();
    let (stdout, _) = io::pipe().unwrap();
    let (stderr, _) = io::pipe().unwrap();
    let pipes = Pipes {
        stdin: stdin.into(),
        stdout: stdout.into(),
        stderr: stderr.into(),
    };
    (Session::begin(pipes, CancellationToken::new()).unwrap(), reads)
}

#[tokio::test]
async fn who_leaves_in_the_middle_of_a_write_lets_the_next_one_in() {
    let (session, mut reads) = session();
    let mut first = session.input().unwrap();
    assert!(session.input().is_none());
    // Nobody reads yet, so that it does not come to its end.
    let writes = first.write(&[b'x'; 1 << 20]);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), writes)
            .await
            .is_err()
    );
    drop(first);
    let mut second = session.input().unwrap();
    let read = std::thread::spawn(move || {
        let mut text = Vec::new();
        reads.read_to_end(&mut text).unwrap();
        text
    });
    second.write(b"end").await.unwrap();
    second.end();
    drop(second);
    assert!(read.join().unwrap().ends_with(b"xend"));
    // Its input has ended for everybody.
    assert!(session.input().unwrap().write(b"more").await.is_err());
}

#[tokio::test]
async fn a_process_that_reads_no_more_is_written_to_no_more() {
    let (session, reads) = session();
    drop(reads);
    assert!(session.input().unwrap().write(b"x").await.is_err());
    assert!(session.input().unwrap().write(b"x").await.is_err());
}
