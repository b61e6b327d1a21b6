use super::*;
use rustix::net::sockopt::{socket_recv_buffer_size, socket_send_buffer_size};

#[tokio::test]
async fn connections_have_the_buffers_that_were_asked_for() {
    let options = SocketOptions {
        backlog: Some(1),
        receive_buffer_bytes: Some(40_000),
        send_buffer_bytes: Some(50_000),
    };
    let listener = Listener::bind_with("127.0.0.1:0", false, None, options)
        .await
        .unwrap();
    let _client = TcpStream::connect(listener.address()).await.unwrap();
    let (socket, _) = listener.accept(&CancellationToken::new()).await.unwrap();
    // Linux doubles what it is asked for, for its own needs.
    assert_eq!(socket_recv_buffer_size(&socket).unwrap(), 80_000);
    assert_eq!(socket_send_buffer_size(&socket).unwrap(), 100_000);
}

#[tokio::test]
async fn who_takes_over_listens_at_the_same_place() {
    let first = Listener::bind("127.0.0.1:0", false, None).await.unwrap();
    let second = first.taken_over(false, None);
    assert_eq!(first.address(), second.address());
    first.close();
    assert!(first.accept(&CancellationToken::new()).await.is_none());
    let _client = TcpStream::connect(second.address()).await.unwrap();
    assert!(second.accept(&CancellationToken::new()).await.is_some());
}

#[tokio::test]
async fn a_closed_listener_keeps_its_port_from_nobody() {
    let first = Listener::bind("127.0.0.1:0", false, None).await.unwrap();
    let address = first.address().to_string();
    assert!(Listener::bind(&address, false, None).await.is_err());
    first.close();
    assert!(Listener::bind(&address, false, None).await.is_ok());
    assert_eq!(first.address().to_string(), address);
}
