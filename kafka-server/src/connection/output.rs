//! Answers on their way out.

use server_kit::Stream;
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};
use storage::Slice;

/// Parts that one write takes at the most.
const WRITE_SLICES_MAX: usize = 64;

/// Whole frames in the order they leave, in parts.
#[derive(Default)]
pub(super) struct Output {
    slices: VecDeque<Slice>,
    /// Bytes of the first part that have left.
    sent: usize,
    bytes: usize,
    /// Whether TLS may hold something back.
    unflushed: bool,
}

impl Output {
    pub(super) fn push(&mut self, slice: Slice) {
        if !slice.is_empty() {
            self.bytes += slice.len();
            self.slices.push_back(slice);
        }
    }

    /// Bytes that have not left.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slices.is_empty() && !self.unflushed
    }

    /// Writes as long as the socket takes it, without waiting. Answers how much has left; pending where nothing could.
    pub(super) fn poll(&mut self, task: &mut Context<'_>, stream: &mut Stream) -> io::Result<Poll<usize>> {
        let before = self.bytes;
        while !self.slices.is_empty() {
            match self.poll_once(task, stream) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(bytes)) => self.advance(bytes),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending if self.bytes == before => return Ok(Poll::Pending),
                Poll::Pending => return Ok(Poll::Ready(before - self.bytes)),
            }
            self.unflushed = matches!(stream, Stream::Tls(_));
        }
        if self.unflushed && stream.poll_flush(task)?.is_ready() {
            self.unflushed = false;
        }
        Ok(Poll::Ready(before - self.bytes))
    }

    fn poll_once(&self, task: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<usize>> {
        if let Some(Slice::File {
            file,
            position,
            bytes,
        }) = self.slices.front()
        {
            let (position, rest) = (position + self.sent as u64, bytes - self.sent);
            return stream.poll_send_file(task, file, position, rest);
        }
        let mut parts = [IoSlice::new(&[]); WRITE_SLICES_MAX];
        let mut used = 0;
        let mut file_follows = false;
        for slice in &self.slices {
            let Slice::Memory(bytes) = slice else {
                file_follows = true;
                break;
            };
            let from = if used == 0 { self.sent } else { 0 };
            parts[used] = IoSlice::new(&bytes[from..]);
            used += 1;
            if used == WRITE_SLICES_MAX {
                break;
            }
        }
        let sent = ready!(stream.poll_write_slices(task, &parts[..used], file_follows))?;
        Poll::Ready(Ok(sent))
    }

    fn advance(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.sent += bytes;
        while let Some(first) = self.slices.front() {
            if self.sent < first.len() {
                return;
            }
            self.sent -= first.len();
            self.slices.pop_front();
        }
        if self.slices.capacity() > WRITE_SLICES_MAX {
            self.slices = VecDeque::new();
        }
    }
}
