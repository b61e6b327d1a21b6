use super::{Stream, TlsAcceptor, TlsOptions, proxy::parse};
use std::{
    future::poll_fn,
    io::{IoSlice, Write},
    net::SocketAddr,
    sync::Arc,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
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
        client_ca: None,
        client_required: false,
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

#[tokio::test]
async fn tls_carries_memory_and_files() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let acceptor = TlsAcceptor::new(&tls_options()).unwrap();
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
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
    });
    let socket = TcpStream::connect(address).await.unwrap();
    let mut client = tls_client()
        .connect(ServerName::try_from("localhost").unwrap(), socket)
        .await
        .unwrap();
    client.write_u8(7).await.unwrap();
    let mut seen = [0; 9];
    client.read_exact(&mut seen).await.unwrap();
    assert_eq!(&seen, b"head34567");
    server.await.unwrap();
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
