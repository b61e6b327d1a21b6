//! Bytes as no driver sends them, and what the server does with them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use anyhow::{Result, ensure};

use super::wire::{frame, long_string, opcode};
use crate::raw::connect;

/// What a peer did with what it was sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Reaction {
    /// A frame: its opcode and its body.
    Answered(u8, Vec<u8>),
    /// The end of the connection.
    Closed,
    /// Nothing, for as long as was waited.
    Silent,
}

/// The body of STARTUP.
pub fn startup() -> Vec<u8> {
    let mut body = vec![0, 1];
    for word in ["CQL_VERSION", "3.0.0"] {
        body.extend((word.len() as u16).to_be_bytes());
        body.extend(word.as_bytes());
    }
    body
}

/// A QUERY at consistency ONE.
pub fn query(text: &str) -> Vec<u8> {
    let mut body = long_string(text);
    body.extend([0, 1, 0]);
    body
}

/// A connection that has been told READY.
pub fn started(address: &str, version: u8) -> Result<TcpStream> {
    let mut stream = connect(address)?;
    stream.write_all(&frame(version, 0, opcode::STARTUP, &startup()))?;
    let answer = reaction(&mut stream);
    ensure!(
        matches!(answer, Reaction::Answered(opcode::READY, _)),
        "STARTUP: {answer:?}"
    );
    Ok(stream)
}

/// The next frame of a version before 5.
pub fn reaction(stream: &mut TcpStream) -> Reaction {
    let mut head = [0; 9];
    if let Err(error) = stream.read_exact(&mut head) {
        return match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Reaction::Silent,
            _ => Reaction::Closed,
        };
    }
    let [_, _, _, _, code, length @ ..] = head;
    let mut body = vec![0; (u32::from_be_bytes(length) as usize).min(64 << 20)];
    match stream.read_exact(&mut body) {
        Ok(()) => Reaction::Answered(code, body),
        Err(_) => Reaction::Closed,
    }
}

/// Sends bytes, ignoring that a peer may already have hung up, and tells what came of it.
pub fn exchange(address: &str, bytes: &[u8]) -> Result<Reaction> {
    let mut stream = connect(address)?;
    let _ = stream.write_all(bytes);
    Ok(reaction(&mut stream))
}

/// Sends a request on a started connection of version 4, and tells what came of it.
pub fn ask(address: &str, code: u8, body: &[u8]) -> Result<Reaction> {
    let mut stream = started(address, 4)?;
    let _ = stream.write_all(&frame(4, 0, code, body));
    Ok(reaction(&mut stream))
}

/// The server answers an ordinary request on a fresh connection.
pub fn is_well(address: &str) -> Result<()> {
    let answer = ask(address, opcode::QUERY, &query("SELECT key FROM system.local"))?;
    ensure!(
        matches!(answer, Reaction::Answered(opcode::RESULT, _)),
        "an ordinary request: {answer:?}"
    );
    Ok(())
}

/// What is wrong with a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The checksum of its header.
    Header,
    /// The checksum of its payload.
    Payload,
    /// It announces more than it holds.
    Length,
}

/// An uncompressed, self-contained segment of version 5.
pub fn segment(payload: &[u8], fault: Fault) -> Vec<u8> {
    let length = payload.len() as u32 + if fault == Fault::Length { 1000 } else { 0 };
    let [a, b, c, _] = (length | 1 << 17).to_le_bytes();
    let mut segment = vec![a, b, c];
    let [a, b, c, _] = (crc24(&segment) ^ u32::from(fault == Fault::Header)).to_le_bytes();
    segment.extend([a, b, c]);
    segment.extend(payload);
    segment.extend((crc32(payload) ^ u32::from(fault == Fault::Payload)).to_le_bytes());
    segment
}

/// The CRC-24 of the protocol, bit by bit: tests must not share code with what they test.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0x0087_5060_u32;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0197_4f0b;
            }
        }
    }
    crc
}

/// CRC-32 of four bytes that the protocol names and of the payload.
fn crc32(payload: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in [0xfa, 0x2d, 0x55, 0xca].iter().chain(payload) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}
