use std::{
    io::{self, Error, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{sleep, timeout},
};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Version 1 is one line of at most this length.
const LINE_BYTES_MAX: usize = 107;
/// Version 2 may carry more than addresses, but not without end.
const HEADER_BYTES_MAX: usize = 2048;
/// How long a proxy may take to say whom it stands for.
const HEADER_MAX: Duration = Duration::from_secs(5);
/// Between two looks at a header that is cut short so far.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Takes the PROXY protocol header (version 1 or 2) off the start of `socket`. Answers the address it tells, if any.
pub(crate) async fn read_proxy_header(socket: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    timeout(HEADER_MAX, read(socket))
        .await
        .map_err(|_| Error::from(ErrorKind::TimedOut))?
}

async fn read(socket: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut seen = [0; HEADER_BYTES_MAX];
    loop {
        // Only looked at: what follows the header belongs to whoever reads next, TLS perhaps.
        let length = socket.peek(&mut seen).await?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some((header, peer)) = parse(&seen[..length])? {
            socket.read_exact(&mut seen[..header]).await?;
            return Ok(peer);
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// The header's length, and the address it tells; `None` where more bytes are needed.
pub(crate) fn parse(seen: &[u8]) -> io::Result<Option<(usize, Option<SocketAddr>)>> {
    if seen.starts_with(&SIGNATURE) {
        return parse_binary(seen);
    }
    let cut_short = seen.len() < SIGNATURE.len();
    if cut_short && SIGNATURE.starts_with(seen) {
        return Ok(None);
    }
    match seen.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n') {
        Some(end) => Ok(Some((end + 1, parse_line(&seen[..end])?))),
        None if seen.len() < LINE_BYTES_MAX && b"PROXY ".iter().zip(seen).all(|(a, b)| a == b) => Ok(None),
        None => Err(invalid()),
    }
}

fn parse_line(line: &[u8]) -> io::Result<Option<SocketAddr>> {
    let line = std::str::from_utf8(line).map_err(|_| invalid())?;
    let words: Vec<&str> = line.trim_end_matches('\r').split(' ').collect();
    match words[..] {
        ["PROXY", "TCP4" | "TCP6", source, _, port, _] => {
            let ip: IpAddr = source.parse().map_err(|_| invalid())?;
            Ok(Some(SocketAddr::new(ip, port.parse().map_err(|_| invalid())?)))
        }
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        _ => Err(invalid()),
    }
}

fn parse_binary(seen: &[u8]) -> io::Result<Option<(usize, Option<SocketAddr>)>> {
    let Some(head) = seen.first_chunk::<16>() else {
        return Ok(None);
    };
    let length = 16 + usize::from(u16::from_be_bytes([head[14], head[15]]));
    if head[12] >> 4 != 2 || length > HEADER_BYTES_MAX {
        return Err(invalid());
    }
    let Some(rest) = seen.get(16..length) else {
        return Ok(None);
    };
    let peer = match (head[12] & 15, head[13] >> 4) {
        (1, 1) => rest.first_chunk::<12>().map(|at| {
            let ip = Ipv4Addr::new(at[0], at[1], at[2], at[3]);
            SocketAddr::new(ip.into(), u16::from_be_bytes([at[8], at[9]]))
        }),
        (1, 2) => rest.first_chunk::<36>().and_then(|at| {
            let ip: [u8; 16] = at[..16].try_into().ok()?;
            Some(SocketAddr::new(
                Ipv6Addr::from(ip).into(),
                u16::from_be_bytes([at[32], at[33]]),
            ))
        }),
        _ => None,
    };
    Ok(Some((length, peer)))
}

fn invalid() -> Error {
    Error::new(ErrorKind::InvalidData, "not a PROXY protocol header")
}
