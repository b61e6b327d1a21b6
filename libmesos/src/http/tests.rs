use super::*;
use bytes::BytesMut;
use proptest::prelude::*;

/// Feeds a body in pieces, and answers its content and what was left over.
fn content(mut framing: Framing, bytes: &[u8], piece: usize) -> Result<(Vec<u8>, BytesMut), HttpError> {
    let (mut received, mut content) = (BytesMut::new(), Vec::new());
    for some in bytes.chunks(piece) {
        received.extend_from_slice(some);
        framing.take(&mut received, &mut content)?;
    }
    match framing.may_end_here() {
        true => Ok((content, received)),
        false => Err(HttpError::Closed),
    }
}

proptest! {
    #[test]
    fn chunks_come_back_however_the_stream_is_cut(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        piece in 1_usize..9,
    ) {
        let mut stream = Vec::new();
        for chunk in &chunks {
            stream.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            stream.extend_from_slice(chunk);
            stream.extend_from_slice(b"\r\n");
        }
        stream.extend_from_slice(b"0\r\nTrailer: x\r\n\r\nnext");
        let (content, left) = content(Framing::chunked(), &stream, piece).unwrap();
        prop_assert_eq!(content, chunks.concat());
        prop_assert_eq!(&left[..], b"next");
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..50) {
        let _ = Head::parse(&bytes);
        for framing in [Framing::chunked(), Framing::length(7), Framing::until_close()] {
            let _ = content(framing, &bytes, piece);
        }
    }
}

#[test]
fn a_head_says_how_its_body_ends() {
    let framing = |head: &str| {
        let bytes = format!("HTTP/1.1 {head}\r\n\r\nrest");
        let (head, taken) = Head::parse(bytes.as_bytes()).unwrap().unwrap();
        assert_eq!(&bytes[taken..], "rest");
        head.framing()
    };
    assert_eq!(
        framing("200 OK\r\ntransfer-encoding: Chunked").unwrap(),
        Framing::chunked()
    );
    assert_eq!(
        framing("202 Accepted\r\nContent-Length: 0").unwrap(),
        Framing::length(0)
    );
    assert_eq!(
        framing("400 Bad Request\r\nContent-Length: 12").unwrap(),
        Framing::length(12)
    );
    assert_eq!(framing("200 OK").unwrap(), Framing::until_close());
    assert_eq!(framing("204 No Content").unwrap(), Framing::length(0));
    assert!(framing("200 OK\r\nContent-Length: -1").is_err());
    assert!(framing("200 OK\r\nTransfer-Encoding: gzip").is_err());
}

#[test]
fn what_does_not_end_is_refused() {
    let head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(64 * 1024));
    assert!(matches!(
        Head::parse(head.as_bytes()),
        Err(HttpError::HeadTooLong(_))
    ));
    assert!(content(Framing::chunked(), &[b'0'; 2000], 2000).is_err());
    assert!(content(Framing::chunked(), b"3\r\nabcd\r\n", 10).is_err());
}
