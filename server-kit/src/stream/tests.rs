use super::{Stream, TlsAcceptor, TlsOptions, proxy::parse};
use std::{
    future::poll_fn,
    io::{IoSlice, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// A key and a certificate of localhost that vouches for itself.
const SERVER_PEM: &str = include_str!("tests/server.pem");

async fn pair() -> (Stream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (Stream::plain(listener.accept().await.unwrap().0).unwrap(), client)
}

/// Headers with any one byte changed to any other: a proxy that is none panics nobody.
#[test]
fn damaged_proxy_headers_panic_nobody() {
    let line = b"PROXY TCP4 10.0.0.1 10.0.0.2 4000 9092\r\n".to_vec();
    let binary = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24"[..], &[7; 36]].concat();
    for whole in [line, binary] {
        assert!(parse(&whole).unwrap().is_some());
        for at in 0..whole.len() {
            for byte in 0..=u8::MAX {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                if let Ok(Some((header, _))) = parse(&damaged) {
                    assert!(header <= damaged.len());
                }
            }
        }
    }
}

/// Whoever vanishes without a word, in a network that fell apart, does not hold its connection for hours.
#[tokio::test]
async fn the_kernel_looks_for_peers_that_vanished() {
    use rustix::net::sockopt;
    let (Stream::Plain(socket), _client) = pair().await else {
        panic!("no plain stream");
    };
    assert!(sockopt::socket_keepalive(&socket).unwrap());
    assert_eq!(sockopt::tcp_keepidle(&socket).unwrap(), Duration::from_secs(60));
    assert_eq!(sockopt::tcp_user_timeout(&socket).unwrap(), 120_000);
}

#[tokio::test]
async fn memory_and_file_leave_in_order() {
    let (mut stream, mut client) = pair().await;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let head = [IoSlice::new(b"he"), IoSlice::new(b"ad")];
    assert_eq!(
        poll_fn(|task| stream.poll_write_slices(task, &head, true))
            .await
            .unwrap(),
        4
    );
    assert_eq!(
        poll_fn(|task| stream.poll_send_file(task, &file, 3, 5))
            .await
            .unwrap(),
        5
    );
    drop(stream);
    let mut seen = String::new();
    client.read_to_string(&mut seen).await.unwrap();
    assert_eq!(seen, "head34567");
}

#[test]
fn proxy_headers_of_both_versions() {
    let peer = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
    let line = b"PROXY TCP4 10.0.0.1 10.0.0.2 4000 9092\r\nrest";
    assert_eq!(parse(line).unwrap(), Some((40, peer("10.0.0.1:4000"))));
    assert_eq!(parse(b"PROXY UNKNOWN\r\n").unwrap(), Some((15, None)));
    let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    binary.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x0f, 0xa0, 0x23, 0x84]);
    assert_eq!(parse(&binary).unwrap(), Some((28, peer("10.0.0.1:4000"))));
    for cut in 1..binary.len() {
        assert_eq!(parse(&binary[..cut]).unwrap(), None, "{cut}");
    }
    for cut in 1..40 {
        assert_eq!(parse(&line[..cut]).unwrap(), None, "{cut}");
    }
    for wrong in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\0\0\0\x10\0\x12",
        b"PROXY TCP4 x y 1 2\r\n",
    ] {
        assert!(parse(wrong).is_err());
    }
}

fn tls_options() -> TlsOptions {
    TlsOptions {
        certificates: SERVER_PEM.to_owned(),
        key: SERVER_PEM.to_owned(),
        ..TlsOptions::default()
    }
}

fn tls_client() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(SERVER_PEM.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn send_all(stream: &mut Stream, text: &[u8]) {
    let sent = poll_fn(|task| stream.poll_write_slices(task, &[IoSlice::new(text)], false)).await;
    assert_eq!(sent.unwrap(), text.len());
}

/// A TLS connection from both ends.
async fn tls_pair() -> (Stream, TlsStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::new(&tls_options()).unwrap();
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await.unwrap() };
    let client = async {
        let socket = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        tls_client().connect(name, socket).await.unwrap()
    };
    tokio::join!(server, client)
}

#[tokio::test]
async fn tls_carries_memory_and_files() {
    let (mut stream, mut client) = tls_pair().await;
    client.write_u8(7).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 7);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    send_all(&mut stream, b"head").await;
    assert_eq!(
        poll_fn(|task| stream.poll_send_file(task, &file, 3, 5))
            .await
            .unwrap(),
        5
    );
    poll_fn(|task| stream.poll_flush(task)).await.unwrap();
    let mut seen = [0; 9];
    client.read_exact(&mut seen).await.unwrap();
    assert_eq!(&seen, b"head34567");
}

/// More than the sockets hold, so that writes stop half way: nothing is lost, doubled or held back.
#[tokio::test]
async fn tls_carries_large_answers_to_a_slow_reader() {
    const ROUNDS: usize = 40;
    let pattern: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&pattern).unwrap();
    let (mut stream, mut client) = tls_pair().await;
    let head = pattern[..150_000].to_vec();
    let writer = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            let mut sent = 0;
            while sent < head.len() {
                let slices = [IoSlice::new(&head[sent..][..1]), IoSlice::new(&head[sent + 1..])];
                sent += poll_fn(|task| stream.poll_write_slices(task, &slices, true))
                    .await
                    .unwrap();
            }
            while sent < 300_000 {
                sent += poll_fn(|task| stream.poll_send_file(task, &file, sent as u64, 300_000 - sent))
                    .await
                    .unwrap();
            }
        }
        poll_fn(|task| stream.poll_flush(task)).await.unwrap();
        stream
    });
    let mut seen = vec![0; pattern.len()];
    for round in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(2)).await;
        client.read_exact(&mut seen).await.unwrap();
        assert!(seen == pattern, "round {round}");
    }
    writer.await.unwrap();
}

/// Requests that came in one record are all read, though the socket never gets readable again.
#[tokio::test]
async fn tls_reads_what_one_record_held() {
    let (mut stream, mut client) = tls_pair().await;
    let sent: Vec<u8> = (0..16_000_u32).map(|i| (i % 251) as u8).collect();
    client.write_all(&sent).await.unwrap();
    client.flush().await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < sent.len() {
        poll_fn(|task| stream.poll_readable(task)).await.unwrap();
        let mut small = [0; 7];
        let read = stream.read(&mut small).await.unwrap();
        seen.extend_from_slice(&small[..read]);
    }
    assert!(seen == sent);
}

/// Without the goodbye the client would have to take the end for an attack, and reading would fail.
#[tokio::test]
async fn tls_is_closed_with_a_goodbye() {
    let (stream, mut client) = tls_pair().await;
    let close = tokio::spawn(stream.close());
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    close.await.unwrap();
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let refused = |options: TlsOptions| TlsAcceptor::new(&options).err().unwrap().to_string();
    let absent = TlsOptions {
        certificates: "/nowhere.pem".to_owned(),
        ..tls_options()
    };
    assert!(refused(absent).starts_with("/nowhere.pem: "));
    let empty = TlsOptions {
        key: "-----BEGIN NOTHING-----".to_owned(),
        ..tls_options()
    };
    assert!(refused(empty).contains("no private key in PEM"));
}

#[test]
fn what_may_be_spoken_is_chosen() {
    let with = |protocols: &[&str], suites: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let options = TlsOptions {
            protocols: owned(protocols),
            cipher_suites: owned(suites),
            ..tls_options()
        };
        TlsAcceptor::new(&options).is_ok()
    };
    assert!(with(&["TLSv1.3"], &[]) && with(&["TLSv1.2", "TLSv1.1"], &[]));
    assert!(!with(&["TLSv1.1"], &[]), "not safe");
    let (new, old) = (
        "TLS_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    );
    assert!(with(&[], &[new]) && with(&["TLSv1.2"], &[new, old]));
    assert!(!with(&["TLSv1.2"], &[new]), "of another version");
    assert!(!with(&[], &["TLS_RSA_WITH_NULL_MD5"]), "nothing is left");
}

#[test]
fn a_certificate_tells_whom_it_names() {
    let identity = TlsAcceptor::new(&tls_options()).unwrap().identity();
    assert_eq!(identity.name, "CN=localhost");
    let alternatives = [(2, "localhost".to_owned()), (7, "127.0.0.1".to_owned())];
    assert_eq!(identity.alternatives, alternatives);
}
