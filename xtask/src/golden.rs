//! Records what stock clients and an original Kafka say to each other, as goldens for `kafka-server`'s codecs.
//!
//! A proxy that keeps, for each API key and version, the shortest request and the response to it, in hexadecimal.

use anyhow::{Context, Result};
use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

/// What is longer is passed on, but not kept: goldens are read by people, too.
const KEPT_BYTES_MAX: usize = 8 << 10;

type Asked = Arc<Mutex<HashMap<i32, Vec<u8>>>>;

/// Accepts on `listen`, passes on to `upstream`, and writes to `folder`, until it is ended.
pub(crate) fn record(listen: &str, upstream: &str, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let listener = TcpListener::bind(listen).with_context(|| format!("listening on {listen}"))?;
    let folder = Arc::new(Mutex::new(folder.to_owned()));
    for client in listener.incoming() {
        let client = client?;
        let server = TcpStream::connect(upstream)?;
        let asked = Asked::default();
        let (from, to, waiting) = (client.try_clone()?, server.try_clone()?, asked.clone());
        thread::spawn(move || pass(from, to, |frame| remember(&waiting, frame)));
        let folder = folder.clone();
        thread::spawn(move || pass(server, client, |frame| keep(&folder, &asked, frame)));
    }
    Ok(())
}

/// Passes frames on until one side closes.
fn pass(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&[u8])) -> Option<()> {
    loop {
        let mut frame = vec![0; 4];
        from.read_exact(&mut frame).ok()?;
        let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
        frame.resize(4 + length as usize, 0);
        from.read_exact(&mut frame[4..]).ok()?;
        see(&frame[4..]);
        to.write_all(&frame).ok()?;
    }
}

fn remember(asked: &Asked, frame: &[u8]) {
    if let (Some(id), Ok(mut asked)) = (number(frame, 4), asked.lock()) {
        asked.insert(id, frame.to_vec());
    }
}

fn keep(folder: &Mutex<PathBuf>, asked: &Asked, response: &[u8]) {
    let request = number(response, 0).and_then(|id| asked.lock().ok()?.remove(&id));
    let (Some(request), Ok(folder)) = (request, folder.lock()) else {
        return;
    };
    let (Some(head), bytes) = (number(&request, 0), request.len() + response.len()) else {
        return;
    };
    let path = folder.join(format!("{:03}-v{:02}.hex", head >> 16, head & 0xffff));
    let text = format!("{}\n{}\n", hex(&request), hex(response));
    let known = fs::metadata(&path).map_or(u64::MAX, |known| known.len());
    if bytes <= KEPT_BYTES_MAX && (text.len() as u64) < known {
        let _ = fs::write(path, text);
    }
}

fn number(frame: &[u8], at: usize) -> Option<i32> {
    frame.get(at..)?.first_chunk().copied().map(i32::from_be_bytes)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
